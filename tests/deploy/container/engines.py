"""A Podman and a Docker of the tests' own: nothing of the machine's engines is seen or touched."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
IMAGE = "ubuntu:24.04"
OTHER_IMAGE = "ubuntu:24.10"
TINY_IMAGE = "busybox:test"
SECONDS = 60.0

_CONTAINERS_CONF = """\
[containers]
default_ulimits=["nofile=20000:20000","nproc=32768:32768"]
[engine]
runtime="runc"
cgroup_manager="cgroupfs"
events_logger="file"
"""
_PODMAN = """\
#!/bin/sh
export CONTAINERS_CONF={home}/containers.conf
exec {podman} --root={home}/root --runroot={home}/run --tmpdir={home}/tmp \
    --storage-driver=overlay "$@"
"""
_DOCKER = """\
#!/bin/sh
unset DOCKER_HOST DOCKER_CONTEXT
export DOCKER_CONFIG={home}/config
exec {docker} -H unix://{home}/docker.sock "$@"
"""


def why_not(backend: str) -> str:
    """Why this engine cannot be had here; empty where it can."""
    if os.geteuid() != 0:
        return "needs root"
    wanted = {
        "podman": ("podman", "runc", "conmon", "busybox", "debootstrap"),
        "docker": ("docker", "dockerd", "docker-init", "busybox", "debootstrap"),
    }[backend]
    missing = [name for name in wanted if shutil.which(name) is None]
    if backend == "podman" and not _catatonit():
        missing.append("catatonit")
    if missing:
        return f"{', '.join(missing)} is missing (see .ci/run for the packages)"
    return ""


def _catatonit() -> bool:
    return any(
        Path(folder, "catatonit").exists()
        for folder in ("/usr/libexec/podman", "/usr/lib/podman", "/usr/bin")
    )


class RealEngine:
    """`program` is a command like `docker` or `podman`."""

    def __init__(self, backend: str, archive: Path) -> None:
        self.backend = backend
        self.home = Path(tempfile.mkdtemp(prefix=f"hermes-{backend}-", dir="/tmp"))
        self.program = self.home / backend
        self._daemon: subprocess.Popen[bytes] | None = None
        try:
            self._prepare()
            self.up()
            self._import(archive)
        except BaseException:
            self.close()
            raise

    def adopt(self) -> None:
        """For one whose files are there already."""
        self._daemon = None

    def _prepare(self) -> None:
        (self.home / "containers.conf").write_text(_CONTAINERS_CONF)
        (self.home / "config").mkdir()
        script = _PODMAN if self.backend == "podman" else _DOCKER
        # Debian's own client fits its engine.
        docker = "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker"
        text = script.format(home=self.home, podman=shutil.which("podman"), docker=docker)
        self.program.write_text(text)
        self.program.chmod(0o755)

    def _import(self, archive: Path) -> None:
        names = [IMAGE, OTHER_IMAGE]
        if self.backend == "podman":
            names = [f"docker.io/library/{name}" for name in names]
        self.do("import", str(archive), names[0])
        self.do("tag", *names)
        tree = self.home / "tiny"
        (tree / "bin").mkdir(parents=True)
        for folder in ("etc", "tmp", "root", "home", "var/lib"):
            (tree / folder).mkdir(parents=True)
        busybox = shutil.which("busybox")
        assert busybox is not None
        shutil.copy(busybox, tree / "bin" / "busybox")
        listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
        for applet in listed.stdout.split():
            if applet != "busybox":
                (tree / "bin" / applet).symlink_to("busybox")
        tar = self.home / "tiny.tar"
        subprocess.run(["tar", "-C", str(tree), "-cf", str(tar), "."], check=True)
        name = TINY_IMAGE if self.backend == "docker" else f"docker.io/library/{TINY_IMAGE}"
        self.do("import", str(tar), name)

    def up(self) -> None:
        """Start the engine, if it is one that runs."""
        if self.backend == "podman" or (self._daemon is not None and self._daemon.poll() is None):
            return
        data, run = self.home / "data", self.home / "exec"
        with (self.home / "dockerd.log").open("ab") as log:
            self._daemon = subprocess.Popen(
                [
                    *("dockerd", "--data-root", str(data), "--exec-root", str(run)),
                    *("--pidfile", str(self.home / "docker.pid")),
                    *("-H", f"unix://{self.home}/docker.sock", "--bridge=none"),
                    *("--iptables=false", "--ip6tables=false", "--ip-masq=false"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait(lambda: self.run("version").returncode == 0, "dockerd")

    def down(self) -> None:
        """What a machine that is switched off does to it: nothing of the engine runs any more."""
        if self.backend == "docker":
            if self._daemon is not None:
                self._daemon.terminate()
                self._daemon.wait(SECONDS)
            return
        self.do("kill", "--all", check=False)
        # What lay in /run is gone after a boot.
        self.do("umount", "--all", "--force", check=False)
        for folder in ("run", "tmp"):
            shutil.rmtree(self.home / folder, ignore_errors=True)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One command of it."""
        return subprocess.run(
            [str(self.program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def do(self, *arguments: str, check: bool = True) -> str:
        """One that succeeds; its output."""
        done = self.run(*arguments)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def inspect(self, container: str, template: str) -> str:
        """What it says about a container."""
        return self.do("inspect", f"--format={template}", container)

    def status(self, container: str) -> str:
        """As in the guide; empty if there is none."""
        done = self.run("container", "inspect", "--format={{.State.Status}}", container)
        return done.stdout.strip() if done.returncode == 0 else ""

    def close(self) -> None:
        """Away with it all."""
        if self.program.exists():
            for container in self.run("ps", "-aq").stdout.split():
                self.run("kill", container)
                self.run("rm", "-f", container)
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.terminate()
            self._daemon.wait(SECONDS)
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            point = line.split()[1]
            if point.startswith(f"{self.home}/"):
                subprocess.run(["umount", "--lazy", point], check=False)
        shutil.rmtree(self.home, ignore_errors=True)


def wait(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Until it is so, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.03)
