"""Starting a deployment's service, and saying why where it does not start."""

import subprocess
import time
from collections.abc import Callable

import msgspec

from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units.systemctl import Systemd, SystemdRefused
from hermes_agent.domain.errors import ConfigError

NEWS_SECONDS = 5.0
LINES = 6


def start_anew(
    systemd: Systemd, spec: Specification, verb: str, *, say: Callable[[str], None]
) -> None:
    """`systemctl VERB`, with news while it lasts.

    Raises `ConfigError` where trying again is of no use, else `SystemdRefused`; both with what the
    service said last.
    """
    if verb in ("start", "restart"):
        systemd.tell("reset-failed", spec.unit)
    began = time.time()
    with systemd.start_telling(verb, "--", spec.unit) as running:
        while True:
            try:
                running.wait(NEWS_SECONDS)
                break
            except subprocess.TimeoutExpired:
                state = systemd.show(spec.unit)
                say(f"  {state.get('ActiveState', '')}: {plain(state.get('StatusText', ''))} …")
        words = running.stderr.read().strip() if running.stderr else ""
    if running.returncode == 0:
        return
    shown = systemd.show(spec.unit)
    said = "".join(f"\n  {line}" for line in _last_words(spec, began))
    scope = "" if spec.scope == "system" else "--user "
    hint = f"See more with: journalctl {scope}-u {spec.unit} -n 50"
    if shown.get("ExecMainStatus") == "78":
        raise ConfigError(f"{spec.unit} cannot start: its configuration is wrong{said}", hint=hint)
    again = shown.get("ActiveState") == "activating"
    raise SystemdRefused(
        f"{spec.unit} did not start{'; systemd tries again' if again else ''}"
        f"{said or f': {words}'}",
        hint=hint,
    )


def _last_words(spec: Specification, since: float) -> list[str]:
    """What its processes wrote last; systemd's own lines only tell that it did not start."""
    scope = "-u" if spec.scope == "system" else "--user-unit"
    options = ("-q", "-o", "json", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER", "--no-pager")
    try:
        done = subprocess.run(
            ["journalctl", *options, f"--since=@{since:.3f}", scope, spec.unit],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        return []
    lines: list[str] = []
    for line in done.stdout.splitlines():
        try:
            entry = msgspec.json.decode(line, type=_Entry)
        except msgspec.DecodeError:
            continue
        if entry.identifier != "systemd" and isinstance(entry.message, str):
            lines += [plain(line).rstrip() for line in entry.message.split("\n")]
    return [line for line in lines if line][-LINES:]


def plain(text: str) -> str:
    """What the agent can have said, without what would command a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


class _Entry(msgspec.Struct):
    """A line of the journal; see systemd.journal-fields(7)."""

    message: str | list[int] | None = msgspec.field(name="MESSAGE", default=None)
    identifier: str | list[str] = msgspec.field(name="SYSLOG_IDENTIFIER", default="")
