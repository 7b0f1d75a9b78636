"""The service manager of systemd, through its own programs."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from hermes_agent.domain.errors import HermesError

_SHOWN = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID", "NRestarts", "Result",
    "ExecMainStatus", "StatusText", "FragmentPath", "NeedDaemonReload",
)  # fmt: skip

_LOOK_SECONDS = 0.1


class NoSystemd(HermesError):
    """No systemd runs here."""


class SystemdRefused(HermesError):
    """systemd did not do what it was told."""


class Systemd:
    """One manager: of the machine (`system`) or of the user who asks."""

    def __init__(self, *, system: bool, environ: Mapping[str, str] = os.environ) -> None:
        """Raises `NoSystemd`."""
        if shutil.which("systemctl") is None or not Path("/run/systemd/system").is_dir():
            raise NoSystemd(
                "No systemd runs on this machine",
                hint="Let what starts your services run: hermes gateway run",
            )
        self._scope = () if system else ("--user",)
        self._environ = dict(environ)
        if not system:
            # A shell from su or cron lacks it, though the user's manager runs.
            self._environ.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")

    def version(self) -> int:
        """The version of systemd, 0 if it does not say."""
        found = re.match(r"systemd (\d+)", self._run("systemctl", "--version").stdout)
        return int(found[1]) if found else 0

    def tell(self, *words: str) -> None:
        """`systemctl` with these words. Raises `SystemdRefused`."""
        done = self._run("systemctl", *self._scope, *words)
        if done.returncode:
            scope = " ".join(("systemctl", *self._scope, *words))
            raise SystemdRefused(
                f"{scope} failed: {done.stderr.strip() or f'status {done.returncode}'}",
                hint=None if not self._scope else _user_hint(done.stderr),
            )

    def start_telling(self, *words: str) -> "subprocess.Popen[str]":
        """The same without waiting for its end: standard error is a pipe."""
        return subprocess.Popen(
            ("systemctl", *self._scope, *words),
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def show(self, unit: str) -> dict[str, str]:
        """What is known of a unit, empty where systemd cannot be asked."""
        done = self._run("systemctl", *self._scope, "show", f"-p{','.join(_SHOWN)}", "--", unit)
        pairs = (line.partition("=") for line in done.stdout.splitlines())
        return {name: value for name, _, value in pairs} if done.returncode == 0 else {}

    def linger(self, user: str) -> bool:
        """Have the user's services run without a login; whether they do now."""
        if self.lingers(user):
            return True
        return self._run("loginctl", "--no-ask-password", "enable-linger", user).returncode == 0

    def wait_for_manager(self, seconds: float) -> None:
        """Until the manager answers, which for a user's may only just have been started.

        Raises `SystemdRefused` when the time is up.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.tell("daemon-reload")
            except SystemdRefused:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_SECONDS)
            else:
                return

    def lingers(self, user: str) -> bool:
        """Whether the user's services run without a login."""
        return Path("/var/lib/systemd/linger", user).exists()

    def _run(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                argv, env=self._environ, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise NoSystemd(f"{argv[0]} is missing on this machine") from error


def _user_hint(words: str) -> str | None:
    if "connect to" not in words:
        return None
    return (
        "Log in as this user (not by su or sudo), or have root run: "
        f"loginctl enable-linger {os.environ.get('USER', os.getuid())}"
    )
