# Run one command, and leave behind where it went and what it exported.
# $1 the command, $2 where to leave the snapshot (or nothing), $3 the terminal (or nothing),
# $4 the file to make as a sign that it begins (or nothing)
if [ -n "$4" ]; then : 2>/dev/null >"$4"; fi
if [ -n "$3" ]; then exec <>"$3" >&0 2>&1; fi
__hermes_command=$1 __hermes_snapshot=$2
set --
__hermes_leave() {
  [ -n "$__hermes_snapshot" ] || return 0
  { pwd; export -p; } 2>/dev/null >|"$__hermes_snapshot"
  __hermes_snapshot=
}
trap __hermes_leave EXIT
eval "$__hermes_command"
__hermes_status=$?
__hermes_leave 2>/dev/null
exit $__hermes_status
