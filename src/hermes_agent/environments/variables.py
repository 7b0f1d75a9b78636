"""The variables that a command inherits: the person's own, without secrets, fit for no terminal."""

import re
from collections.abc import Collection, Mapping

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD_?HASH|CREDENTIALS?"
    r"|PRIVATE_?KEY|ACCESS_?KEY|ACCESS_KEY_ID|AUTH|COOKIE|DSN|WEBHOOK_URL)(?:_\d+|_ID)?$"
    r"|(?:APIKEY|TOKEN|SECRET|PASSWORD)S?$"
    r"|(?:^|_)(?:SECRET|PASSWORD|TOKEN|CREDENTIAL)S?_",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@"  # a URL with a password in it
    r"|^(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}$|^gh[pousr]_[A-Za-z0-9]{20,}$|^xox[abprs]-\S{10,}$"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
# Named like secrets and yet none, and what makes networks work.
_HARMLESS = frozenset({"SSH_AUTH_SOCK", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"})

# Ours or the messaging platforms': of no use to a command, and some of it tells who may talk.
_OURS = re.compile(
    r"^(?:HERMES_|TERMINAL_(?:ENV|CWD|SSH|DOCKER|CONTAINER|LOCAL|MODAL|DAYTONA|SANDBOX)"
    r"|(?:TELEGRAM|DISCORD|SLACK|WHATSAPP|SIGNAL|MATTERMOST|MATRIX|DINGTALK|GATEWAY|HASS|TWILIO"
    r"|SMS|EMAIL|API_SERVER|WEBHOOK|MESSAGING)_)"
)
_OURS_KEPT = frozenset({"HERMES_HOME", "HERMES_MANAGED"})

# Would run at the start of every shell.
_START_FILES = frozenset({"BASH_ENV", "ENV"})

_SHORTEST_SECRET = 8
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

QUIET = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    # a pager or an editor would wait for keys that nobody presses
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "MANPAGER": "cat",
    "SYSTEMD_PAGER": "cat",
    "GIT_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "DEBIAN_FRONTEND": "noninteractive",
}


def child_variables(
    environ: Mapping[str, str],
    *,
    passthrough: Collection[str] = (),
    secrets: Collection[str] = (),
) -> dict[str, str]:
    """What of `environ` a command may see.

    Left out are names and values that look like secrets, every variable that holds one of
    `secrets` (values of eight characters and more), and our own settings but HERMES_HOME and
    HERMES_MANAGED. `passthrough` names variables that go through whatever they are. PATH is
    always there; pagers, prompts and colours are off.
    """
    named = frozenset(passthrough)
    telling = [value for value in secrets if len(value) >= _SHORTEST_SECRET]
    kept = {
        name: value
        for name, value in environ.items()
        if name in named
        or not (
            _is_ours(name) or _is_secret(name, value) or any(secret in value for secret in telling)
        )
    }
    kept.setdefault("PATH", _PATH)
    if not kept["PATH"]:
        kept["PATH"] = _PATH
    if not any(kept.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        kept["LC_CTYPE"] = "C.UTF-8"
    return kept | {name: value for name, value in QUIET.items() if name not in named}


def _is_ours(name: str) -> bool:
    return name in _START_FILES or (name not in _OURS_KEPT and bool(_OURS.match(name)))


def _is_secret(name: str, value: str) -> bool:
    if name.upper() in _HARMLESS:
        return False
    return bool(_SECRET_NAME.search(name) or _SECRET_VALUE.search(value))
