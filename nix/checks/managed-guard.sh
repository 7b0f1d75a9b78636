# Every command that would change what is declared is refused: exit status 1, and who manages it on
# stderr. Argument: the package.
hermes=$1/bin/hermes
export HOME=$TMPDIR/home
export HERMES_HOME=$HOME/.hermes EDITOR=true
mkdir -p "$HERMES_HOME"
printf 'model: {default: a/b}\n' >"$HERMES_HOME/config.yaml"

refused() {
    status=0
    "$hermes" "$@" >"$TMPDIR/out" 2>"$TMPDIR/err" </dev/null || status=$?
    [ "$status" = 1 ] || { echo "hermes $*: exit status $status"; cat "$TMPDIR/err"; exit 1; }
    grep -q 'managed by NixOS' "$TMPDIR/err" || { echo "hermes $*:"; cat "$TMPDIR/err"; exit 1; }
}
all() {
    refused setup
    refused config edit
    refused config set model.default c/d
    refused config unset model.default
    refused config migrate
    refused model set c/d
    refused gateway setup
    refused gateway install
    refused gateway uninstall
    refused tools enable web
    refused mcp add files --no-test --command true
}
before=$(cksum <"$HERMES_HOME/config.yaml")
HERMES_MANAGED=true all
# Interactive shells see the marker instead.
unset HERMES_MANAGED
: >"$HERMES_HOME/.managed"
all
[ "$before" = "$(cksum <"$HERMES_HOME/config.yaml")" ] || { echo "config.yaml was changed"; exit 1; }
# Without either, the same home can be configured.
rm "$HERMES_HOME/.managed"
"$hermes" config set model.default c/d >/dev/null
[ "$("$hermes" config get model.default)" = c/d ]
