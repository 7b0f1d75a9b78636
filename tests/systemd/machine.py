"""A machine of one's own with a real systemd: Debian in systemd-nspawn, forgotten afterwards.

What runs inside is the checkout's own code, mounted read-only, with the packages of its virtual
environment. Everything that is written goes to memory, but for /mnt.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
VERSION = f"python3.{sys.version_info.minor}"
# Inside it lies elsewhere: what is confined does not see home directories.
PYTHON = "/opt/python" if sys.base_prefix.startswith(("/root/", "/home/")) else sys.base_prefix


def why_not() -> str:
    """Why no such machine can be had here; empty where it can."""
    if os.geteuid() != 0:
        return "needs root"
    for program in ("systemd-nspawn", "debootstrap", "nsenter"):
        if shutil.which(program) is None:
            return f"{program} is missing (apt-get install systemd-container debootstrap)"
    return ""


def _roots(place: Path, folder: Path) -> Path:
    """The place itself if it is root's, else a copy in `folder`: root runs nothing that is not."""
    if place.stat().st_uid == 0:
        return place
    return shutil.copytree(place, folder / place.name, symlinks=True)


class Ran:
    """A command that ended."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def ok(self) -> str:
        """Its output, if it succeeded."""
        assert self.status == 0, f"status {self.status}\n{self.out}\n{self.err}"
        return self.out


class Machine:
    """A booted machine."""

    def __init__(self, base: Path, folder: Path, options: Sequence[str] = ()) -> None:
        """Boot a copy of the Debian in `base`. `folder` is for its files, `folder`/mnt its /mnt;
        `options` are further ones of systemd-nspawn."""
        self._prepare(folder)
        self.mnt = folder / "mnt"
        binds = [
            f"--bind={self.mnt}:/mnt",
            f"--bind-ro={folder / 'venv'}:/opt/hermes",
            f"--bind-ro={_roots(Path(sysconfig.get_path('purelib')), folder)}:/opt/packages",
            f"--bind-ro={_roots(ROOT / 'src', folder)}:/opt/src",
        ]
        if sys.base_prefix != "/usr":
            binds.append(f"--bind-ro={sys.base_prefix}:{PYTHON}")
        self._said = folder / "boot.log"
        with self._said.open("wb") as said:
            self._nspawn = subprocess.Popen(
                [
                    *("systemd-nspawn", "--quiet", "--boot", "-D", str(base)),
                    *("--volatile=overlay", "--private-network", "--register=no", "--keep-unit"),
                    *("--console=read-only", "--hostname=machine", *binds),
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        self._leader = 0
        try:
            self._boot()
        except BaseException:
            self.close()
            raise

    def _prepare(self, folder: Path) -> None:
        (folder / "mnt").mkdir()
        (folder / "mnt").chmod(0o777)
        programs = folder / "venv" / "bin"
        packages = folder / "venv" / "lib" / VERSION / "site-packages"
        programs.mkdir(parents=True)
        packages.mkdir(parents=True)
        (programs / "python").symlink_to(Path(PYTHON) / "bin" / VERSION)
        (programs.parent / "pyvenv.cfg").write_text(f"home = {PYTHON}/bin\n")
        (packages / "hermes.pth").write_text("/opt/src\n/opt/packages\n")
        (programs / "hermes").write_text(
            "#!/opt/hermes/bin/python\nfrom hermes_agent.cli.entry import main\nmain()\n"
        )
        (programs / "hermes").chmod(0o755)

    def _boot(self) -> None:
        self.wait(self._find_leader, "its first process")
        self.wait(self._is_up, "the end of its start")
        if sys.base_prefix != PYTHON:
            # It may look for its library where it was built.
            self.sh(f"echo {PYTHON}/lib > /etc/ld.so.conf.d/python.conf; ldconfig")
        self.run("ln", "-s", "/opt/hermes/bin/hermes", "/usr/local/bin/hermes").ok()

    def _find_leader(self) -> bool:
        pid = self._nspawn.pid
        assert self._nspawn.poll() is None, f"it did not boot: {self._said.read_text()}"
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self._leader = int(children[0]) if children else 0
        return self._leader > 0

    def _is_up(self) -> bool:
        # Its first child only prepares the machine, and another takes its place.
        if not self._find_leader():
            return False
        done = subprocess.run(
            (*self._entering(), "systemctl", "is-system-running"),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() in ("running", "degraded")

    def _entering(self) -> tuple[str, ...]:
        return ("nsenter", "-t", str(self._leader), "-a")

    def run(
        self, *argv: str, user: str = "root", variables: Mapping[str, str] | None = None
    ) -> Ran:
        """Run a command inside, as a service of its own, with the environment of a login."""
        options = [
            "systemd-run", "--pipe", "--wait", "--quiet", "--collect", "--service-type=exec",
            f"--uid={user}", "--property=WorkingDirectory=~",
        ]  # fmt: skip
        if user != "root":
            uid = self.uid(user)
            options.append(f"--setenv=XDG_RUNTIME_DIR=/run/user/{uid}")
        options += [f"--setenv={name}={value}" for name, value in (variables or {}).items()]
        return Ran(
            subprocess.run(
                # systemd would put variables of its own in.
                (*self._entering(), *options, "--", *(word.replace("$", "$$") for word in argv)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        )

    def sh(self, script: str, *, user: str = "root") -> str:
        """Run a script inside that succeeds; its output."""
        return self.run("/bin/bash", "-ec", script, user=user).ok()

    def uid(self, user: str) -> int:
        """The number of a user inside."""
        done = subprocess.run(
            (*self._entering(), "id", "-u", user), capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    def show(self, unit: str, name: str, *, user: str = "") -> str:
        """A property of a unit, as systemd says it now."""
        scope = ("--user",) if user else ()
        ran = self.run(
            "systemctl", *scope, "show", "--value", "-p", name, unit, user=user or "root"
        )
        return ran.ok().strip()

    def journal(self, unit: str) -> list[dict[str, str]]:
        """What a system unit's processes wrote, oldest first."""
        import json

        self.run("journalctl", "--sync").ok()
        out = self.run("journalctl", "-o", "json", "--no-pager", f"_SYSTEMD_UNIT={unit}").ok()
        return [json.loads(line) for line in out.splitlines()]

    def write(self, path: str, text: str) -> None:
        """Write a file inside, with the folders above it."""
        place = shlex.quote(path)
        self.sh(f'mkdir -p "$(dirname {place})"; printf %s {shlex.quote(text)} > {place}')

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Until it is so, or fail."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited for {what}; the journal: {self._last()}"
            time.sleep(0.05)

    def _last(self) -> str:
        argv = ("journalctl", "-n", "1000", "--no-pager")
        done = subprocess.run(
            (*self._entering(), *argv), capture_output=True, text=True, check=False
        )
        # Without the commands of the test itself.
        return "\n".join([line for line in done.stdout.splitlines() if "run-u" not in line][-30:])

    def close(self) -> None:
        """Switch it off, hard."""
        if self._nspawn.poll() is None:
            if self._leader:
                os.kill(self._leader, signal.SIGKILL)
            else:
                self._nspawn.terminate()
            self._nspawn.wait()
