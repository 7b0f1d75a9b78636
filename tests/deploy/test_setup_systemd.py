"""The booted systemd reads the environment file as it was meant."""

import shlex

from hermes_agent.deploy.setup import secrets
from tests.systemd.conftest import machine as machine
from tests.systemd.conftest import systemd_root as systemd_root
from tests.systemd.machine import Machine

VALUES = {
    "PLAIN": "sk-or-v1-0123abc",
    "SPACES": "  two  words ",
    "DOLLAR": "$HOME ${HOME} $$ %n %%",
    "SINGLE": "it's",
    "DOUBLE": 'say "x"',
    "BACKSLASH": "a\\b\\\\c\\n\\",
    "EVERY": "'\"\\$`!#;{}*?~&|<>()",
    "HASH": "a #b",
    "SEMICOLON": "; a",
    "BACKTICKS": "`id`",
    "LINES": "-----BEGIN KEY-----\nabc$x\\n\n-----END 'KEY'-----\n",
    "TAB": "a\tb",
    "UNICODE": "ünï 🙂",
    "EMPTY": "",
    "EQUALS": "a=b==",
    "LONG": "x" * 60_000,
}


def test_systemd_gives_the_service_exactly_what_was_merged(machine: Machine) -> None:
    (machine.mnt / "environment").write_text(secrets.text(VALUES))
    script = "/opt/hermes/bin/python -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    out = machine.sh(
        "systemd-run --pipe --wait --quiet --collect"
        f" -p EnvironmentFile=/mnt/environment -- sh -c {shlex.quote(script)}"
    )
    import json

    found = json.loads(out)
    assert {name: found.get(name) for name in VALUES} == VALUES
