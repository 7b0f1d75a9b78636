"""A deployment in container mode, and what systemd would be for its service."""

import grp
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hermes_agent.deploy import reading
from hermes_agent.deploy.container.sealing import note, unseal
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.deploy.spec import Specification
from tests.deploy.container.engines import IMAGE, ROOT, RealEngine, wait

SETTINGS: dict[str, Any] = {
    "model": {"provider": "custom", "base_url": "http://127.0.0.1:9/v1", "default": "none"}
}
_SERVICE = Path(__file__).with_name("service.py")
_VERSION = f"python3.{sys.version_info.minor}"
_PROGRAM = """\
#!/bin/sh
[ "$*" != which ] || exec echo {label}
here=$(dirname "$(readlink -f "$0")")
exec "$here/python" -c 'from hermes_agent.cli.entry import main; main()' "$@"
"""


class Ended:
    """How a service's process ended."""

    def __init__(self, status: int, said: str) -> None:
        self.status = status
        self.said = said


class Deployment:
    """`keys` are those of the specification; change them and start again, as a rebuild does."""

    def __init__(self, engine: RealEngine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix="hermes-deployed-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.roots = Roots(self.folder / "etc", self.folder / "records", self.folder / "run")
        self.account = pwd.getpwnam("games")
        self.package = self.make_package("one")
        python = [] if sys.base_prefix == "/usr" else [sys.base_prefix]
        roots = [str(self.folder / "store"), *python, sysconfig.get_path("purelib")]
        self.keys: dict[str, Any] = {
            "name": name,
            "manager": "nixos",
            "package": str(self.package),
            "packageRoots": [*roots, str(ROOT / "src")],
            "user": self.account.pw_name,
            "group": grp.getgrgid(self.account.pw_gid).gr_name,
            "stateDir": str(self.state),
            "settings": SETTINGS,
            "container": {
                "enable": True,
                "backend": engine.backend,
                "program": str(engine.program),
                "image": IMAGE,
                "provision": [],
            },
        }
        self.said: list[str] = []
        self._runner: subprocess.Popen[bytes] | None = None
        self._log = self.folder / "journal"
        self._socket: socket.socket | None = None

    def make_package(self, label: str) -> Path:
        """A program like one from a store: a folder with bin/hermes."""
        made = self.folder / "store" / f"{label}-hermes-agent"
        packages = made / "lib" / _VERSION / "site-packages"
        packages.mkdir(parents=True)
        (made / "bin").mkdir()
        (made / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / _VERSION)
        (made / "pyvenv.cfg").write_text(f"home = {sys.base_prefix}/bin\n")
        (packages / "x.pth").write_text(f"{ROOT / 'src'}\n{sysconfig.get_path('purelib')}\n")
        program = made / "bin" / "hermes"
        program.write_text(_PROGRAM.format(label=label))
        program.chmod(0o755)
        return made

    def container(self, **options: Any) -> None:
        """Declare these options of the container."""
        self.keys["container"] = {**self.keys["container"], **options}

    @property
    def spec(self) -> Specification:
        return reading.parse(json.dumps(self.keys))

    @property
    def places(self) -> Places:
        return Places.of(self.spec, self.roots)

    def file(self, name: str, text: str) -> str:
        """A file of root's; its path."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def prepare(self) -> Ended:
        """What ExecStartPre does."""
        done = subprocess.run(
            self._argv("prepare"), capture_output=True, text=True, timeout=60, check=False
        )
        return Ended(done.returncode, done.stdout + done.stderr)

    def begin(self, **variables: str) -> None:
        """Prepare, and start the runner; do not wait until it is ready."""
        ended = self.prepare()
        assert ended.status == 0, ended.said
        address = self.folder / "systemd"
        address.unlink(missing_ok=True)
        if self._socket is not None:
            self._socket.close()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(address))
        self._socket.setblocking(False)
        self.said = []
        environ = {**os.environ, "NOTIFY_SOCKET": str(address), **variables}
        self._log.write_bytes(b"")
        with self._log.open("ab") as log:
            self._runner = subprocess.Popen(
                self._argv("run"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environ,
            )

    def start(self, **variables: str) -> None:
        """`systemctl start`."""
        self.begin(**variables)
        self.wait(lambda: "READY=1" in self.heard(), "READY=1")

    def stop(self) -> Ended:
        """`systemctl stop`."""
        assert self._runner is not None
        self._runner.send_signal(signal.SIGTERM)
        return self.ended()

    def restart(self, **variables: str) -> None:
        """`systemctl restart`."""
        self.stop()
        self.start(**variables)

    def send(self, number: signal.Signals) -> None:
        """A signal to the service's process."""
        assert self._runner is not None
        self._runner.send_signal(number)

    def ended(self) -> Ended:
        """Wait for the end of the service's process."""
        assert self._runner is not None
        status = self._runner.wait(60)
        self.heard()
        self._runner = None
        return Ended(status, self.log())

    def fails(self) -> Ended:
        """A start that ends with an error."""
        self.begin()
        return self.ended()

    @property
    def runs(self) -> bool:
        """Whether the service's process is there."""
        return self._runner is not None and self._runner.poll() is None

    @property
    def runner_pid(self) -> int:
        assert self._runner is not None
        return self._runner.pid

    def log(self) -> str:
        """What the service's process and the agent wrote since the start."""
        return self._log.read_text("utf-8", "replace")

    def heard(self) -> list[str]:
        """The lines that systemd was told since the start."""
        while self._socket is not None:
            try:
                self.said += self._socket.recv(65536).decode().split("\n")
            except BlockingIOError:
                break
        return self.said

    def wait(self, condition: Any, what: str) -> None:
        """While the service runs."""

        def so() -> bool:
            if condition():
                return True
            assert self.runs, f"waiting for {what}, the service ended: {self.log()}"
            return False

        try:
            wait(so, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.log()[-3000:]}; {self.said}") from None

    def exec(self, *argv: str, user: str | None = None) -> str:
        """A command inside that succeeds; its output."""
        as_user = () if user is None else ("-u", user)
        return self.engine.do("exec", *as_user, self.name, *argv)

    def sh(self, script: str, *, user: str | None = None) -> str:
        """A script inside that succeeds."""
        return self.exec("sh", "-ec", script, user=user)

    def sh_offline(self, script: str) -> None:
        """A script in the container's layer while nothing else runs in it."""
        copy = self.folder / "passwd"
        self.engine.do("cp", f"{self.name}:/etc/passwd", str(copy))
        subprocess.run(["sh", "-ec", script.replace("/etc/passwd", str(copy))], check=True)
        self.engine.do("cp", str(copy), f"{self.name}:/etc/passwd")

    @property
    def agent(self) -> str:
        """The agent's user inside, for `exec`."""
        return f"{self.account.pw_uid}:{self.account.pw_gid}"

    @property
    def id(self) -> str:
        return self.engine.inspect(self.name, "{{.Id}}")

    def _argv(self, action: str) -> list[str]:
        file = self.folder / "specification.json"
        file.write_text(json.dumps(self.keys))
        return [sys.executable, "-I", str(_SERVICE), action, str(file), str(self.folder)]

    def close(self) -> None:
        """Gone, with its container."""
        if self._runner is not None:
            self._runner.kill()
            self._runner.wait()
        if self._socket is not None:
            self._socket.close()
        self.engine.up()
        for container in self.engine.do(
            "ps", "-aq", "--filter", f"label=hermes-agent.name={self.name}"
        ).split():
            self.engine.run("kill", container)
            self.engine.run("rm", "-f", container)
        unseal(str(self.state), note(self.places))
        shutil.rmtree(self.folder, ignore_errors=True)
