# Reads `+ PID RUN` when a command starts and `- PID RUN` when it has ended. The input ends when
# the process at its other end does, however that died; what still runs then is killed.
alive=' '
while read -r what pid run; do
  entry="$pid:$run"
  case $what$alive in
    +*) alive="$alive$entry " ;;
    -*" $entry "*) alive="${alive%% "$entry" *} ${alive#* "$entry" }" ;;
  esac
done
for entry in $alive; do
  kill -KILL -- "-${entry%%:*}" 2>/dev/null
  for environ in $(grep -lzsx "HERMES_RUN_ID=${entry#*:}" /proc/[0-9]*/environ); do
    number=${environ#/proc/}
    kill -KILL "${number%/environ}" 2>/dev/null
  done
done
