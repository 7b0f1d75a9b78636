# Run one command, and say how it went between fences.
# $1 the fence, $2 its mark, $3 the scratch directory, $4 where to run, $5 where to go when that is
# gone (nothing: nowhere), $6 `keep` to take up and leave exported variables, `look` only to take
# them up, $7 what the shell does first, $8 the command
say() { printf '\036%s %s\036' "$fence" "$1"; }

enter() {
  place=$1 refuge=$2
  case $place in '~') place=$HOME ;; '~/'*) place=$HOME/${place#??} ;; esac
  case $refuge in '~') refuge=$HOME ;; '~/'*) refuge=$HOME/${refuge#??} ;; esac
  if cd -- "$place" 2>/dev/null; then return; fi
  [ -n "$refuge" ] || { say absent; exit 1; }
  cd -- "$refuge" 2>/dev/null || while ! cd -- "$place" 2>/dev/null; do
    place=${place%/*}
    [ -n "$place" ] || place=/
  done
  say "gone $PWD"
  exit 1
}

main() {
  fence=$1 scratch=$3
  export HERMES_RUN_ID="$2"
  [ -d "$scratch" ] || { say stale; exit 1; }
  say "begun $$"
  [ ! -e "$scratch/$2stop" ] || exit 130
  enter "$4" "$5"
  [ -n "${LC_ALL:-}${LC_CTYPE:-}${LANG:-}" ] || export LC_CTYPE=C.UTF-8
  left= kept=
  if [ "$6" = keep ]; then left=$scratch/$2left; fi
  if [ -n "$6" ]; then kept=$scratch/kept; fi
  if command -v bash >/dev/null; then
    bash --norc --noprofile -c "$7" bash "$8" "$left" "$kept"
  else
    sh -c "$7" sh "$8" "$left" "$kept"
  fi
  status=$?
  here=.
  if [ -n "$left" ] && [ -e "$left.there" ]; then
    here=$(cat "$left.there"; echo .)
    mv -f "$left" "$kept"
    rm -f "$left.there"
  fi
  here=${here%.}
  say "ended $status ${here%
}"
}

if [ -t 1 ]; then
  stty sane -onlcr rows 40 cols 120
  main "$@"
else
  # Whoever outlives the command may go on printing: the engines close the output of an `exec` with
  # its first process, which therefore stays as long as there is somebody.
  main "$@" 2>&1 | { trap '' PIPE; cat; cat >/dev/null; }
fi
