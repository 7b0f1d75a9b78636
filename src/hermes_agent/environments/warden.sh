# Reads `+ RUN none` before a command starts, `+ RUN PID` when it has, `- RUN` when it has ended.
# The input ends when the process at its other end does, however that died; what still runs then
# is killed, and $1, its scratch directory, removed.
alive=
while read -r what run pid; do
  case $what in
    +) alive="$alive $run:$pid" ;;
    -)
      kept=
      for entry in $alive; do
        case $entry in "$run":*) ;; *) kept="$kept $entry" ;; esac
      done
      alive=$kept
      ;;
  esac
done
# One that is being started has not got its mark yet, or forks behind our back: nothing is over
# before it was looked for twice in vain.
looked=0
unseen=0
[ -n "$alive" ] || unseen=2
while [ "$unseen" -lt 2 ] && [ "$looked" -lt 50 ]; do
  looked=$((looked + 1))
  unseen=$((unseen + 1))
  for entry in $alive; do
    pid=${entry#*:}
    if [ "$pid" != none ]; then kill -KILL -- "-$pid" 2>/dev/null; fi
    for environ in $(grep -lzsx "HERMES_RUN_ID=${entry%%:*}" /proc/[0-9]*/environ); do
      number=${environ#/proc/}
      kill -KILL "${number%/environ}" 2>/dev/null && unseen=0
    done
  done
  [ "$unseen" -ge 2 ] || sleep 0.1
done
if [ -n "$1" ]; then rm -rf -- "$1"; fi
