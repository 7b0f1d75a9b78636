# Keeps a place open and ends what is to be ended there. The agent holds the input: when that
# closes, however the agent died, everything of this session is killed and the place given up.
# $1 the fence, $2 how every mark of this session begins, $3 where to make the scratch directory
fence=$1 session=$2
[ -n "$session" ] || exit 1
umask 077
cd / || exit
trap '' HUP PIPE
base=$3
[ -n "$base" ] || base=${XDG_RUNTIME_DIR:-}
[ -d "$base" ] && [ -w "$base" ] || base=${TMPDIR:-/tmp}
scratch=$(mktemp -d "$base/hermes-XXXXXXXXXX") || exit 1

say() { printf '\036%s %s\036' "$fence" "$1"; }

# Adds to `found` the session that $2 leads (0: none is known), all that carries the mark $1, and
# what descends of them.
gather() {
  mark=$1 leader=$2 pairs=
  if [ "$leader" -gt 1 ]; then found="$found$leader "; fi
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    number=${stat#/proc/}
    number=${number%/stat}
    # proc(5): the name in parentheses may hold anything; state, ppid, pgrp, session follow
    set -- ${line##*) }
    case $1 in Z | X) continue ;; esac
    # Everything descends of the first process, and of the kernel: they are nobody's parents here.
    if [ "$2" -gt 1 ]; then pairs="$pairs $number:$2"; fi
    if [ "$leader" -gt 1 ] && [ "$4" = "$leader" ]; then found="$found$number "; fi
  done
  # A mark ends with a full stop, so that none is the beginning of another.
  for environ in $(grep -lszF "HERMES_RUN_ID=$mark" /proc/[0-9]*/environ 2>/dev/null); do
    number=${environ#/proc/}
    found="$found${number%/environ} "
  done
  more=yes
  while [ -n "$more" ]; do
    more=
    for pair in $pairs; do
      case $found in *" ${pair%:*} "*) continue ;; esac
      case $found in *" ${pair#*:} "*) found="$found${pair%:*} " more=yes ;; esac
    done
  done
}

# SIGTERM to the group; what belongs to it is remembered, for it may lose its parent now.
ask() {
  : >"$scratch/$1stop"
  known=" "
  if [ "$2" -gt 1 ]; then
    found=" "
    gather "$1" "$2"
    known=$found
    kill -TERM -- "-$2" 2>/dev/null
  fi
}

# SIGKILL to all, until two looks find nobody.
finish() {
  found=${known:- }
  known=" "
  quiet=0
  for sweep in 1 2 3 4 5 6 7 8; do
    # by the shell itself: where no process can be started, this makes room
    if [ "$2" -gt 1 ]; then kill -KILL -- "-$2" 2>/dev/null; fi
    gather "$1" "$2"
    living=
    for number in $found; do
      if [ "$number" -le 1 ] || [ "$number" = $$ ]; then continue; fi
      kill -KILL "$number" 2>/dev/null && living=yes
    done
    found=" "
    [ -n "$living" ] || quiet=$((quiet + 1))
    [ "$quiet" -lt 2 ] || break
  done
}

# What the agent asks for: a word, a mark of this session, the pid of a session's leader.
sensible() {
  case $1 in "$session"*) ;; *) return 1 ;; esac
  case $2 in '' | *[!0-9]*) return 1 ;; esac
}

say "hello $scratch
$HOME"
while read -r what mark leader; do
  case $what in
    ask) sensible "$mark" "$leader" && ask "$mark" "$leader" ;;
    finish) sensible "$mark" "$leader" && finish "$mark" "$leader" ;;
  esac
  say "$what $mark"
done
known=" "
finish "$session" 0
rm -rf -- "$scratch"
