# What a declaration does to config.yaml, seen from outside. Argument: the package.
package=$1
hermes=$package/bin/hermes
export HOME=$TMPDIR/home XDG_STATE_HOME=$TMPDIR/state XDG_RUNTIME_DIR=$TMPDIR/runtime
mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
state=$TMPDIR/agent
config=$state/.hermes/config.yaml
export HERMES_HOME=$state/.hermes

apply() {
    printf '{"scope": "user", "manager": "nixos", "package": "%s", "stateDir": "%s", "settings": %s}' \
        "$package" "$state" "$1" >"$TMPDIR/specification.json"
    "$hermes" deploy prepare "$TMPDIR/specification.json" >"$TMPDIR/said" 2>&1 \
        || { cat "$TMPDIR/said"; exit 1; }
}
is() { # scenario, key, value
    found=$("$hermes" config get "$2" 2>&1 || true)
    [ "$found" = "$3" ] || { echo "$1: $2 is '$found', not '$3'"; cat "$config"; exit 1; }
}

apply '{"model": {"default": "a/declared"}, "terminal": {"timeout": 60}}'
is "A: a fresh home has what is declared" model.default a/declared
is "A: a fresh home has what is declared" terminal.timeout 60

printf 'model: {default: b/mine, base_url: "http://127.0.0.1:1/v1"}\ntimezone: Europe/Berlin\nmcp_servers: {mine: {command: "true"}}\n' >"$config"
apply '{"model": {"default": "c/declared"}, "mcp_servers": {"theirs": {"command": "false"}}}'
is "B: the declaration wins" model.default c/declared
is "C: a person's keys stay" timezone Europe/Berlin
is "D: both in one map" model.base_url http://127.0.0.1:1/v1
is "E: servers come together" mcp_servers.mine.command true
is "E: servers come together" mcp_servers.theirs.command false

apply '{"model": {"default": "c/declared"}, "platforms": {"webhook": {"extra": {"routes": {"a": {"prompt": "x"}}}}}}'
is "F: deep maps" platforms.webhook.extra.routes.a.prompt x
if grep -q theirs "$config"; then echo "a key that left the declaration stayed"; cat "$config"; exit 1; fi
is "F: and the person's own stay" mcp_servers.mine.command true

before=$(cksum <"$config")
apply '{"model": {"default": "c/declared"}, "platforms": {"webhook": {"extra": {"routes": {"a": {"prompt": "x"}}}}}}'
[ "$before" = "$(cksum <"$config")" ] || { echo "G: the second time changed the file"; exit 1; }
