# Run a program and leave nothing of it behind.
# $1 its file, $2 the Python to take where the PATH has none, $3 whether there is something to end:
# what it forked carries the mark of this run, and a PID namespace ends it without us.
python=$(command -v python3) || python=$2
"$python" -Bu "$1" </dev/null
status=$?
[ -z "$3" ] || for environ in $(grep -lzsx "HERMES_RUN_ID=$HERMES_RUN_ID" /proc/[0-9]*/environ); do
  number=${environ#/proc/}
  number=${number%/environ}
  case $number in
    "$$" | "$PPID") ;;
    *) kill -KILL "$number" 2>/dev/null ;;
  esac
done
exit "$status"
