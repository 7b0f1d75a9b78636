"""What stands at the other end: engines with a small image, and a real sshd, of the tests' own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.deploy.container.engines import RealEngine, wait, why_not

IMAGE = "docker.io/library/hermes-contract:1"


class Engine(RealEngine):
    """Docker or Podman in a mount namespace of its own: the mounts of its containers would make
    bubblewrap stumble, which binds all that is mounted. `program.parent` goes into PATH."""

    def __init__(self, backend: str) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sleep", "infinity"]
        )
        try:
            super().__init__(backend, Path())
        except BaseException:
            self._release()
            raise

    def _prepare(self) -> None:
        super()._prepare()
        wait(self._separated, "a mount namespace")
        enter = f"exec nsenter --mount --target {self._holder.pid} "
        script = self.program.read_text().replace("exec ", enter)
        self.program.write_text(script)
        conf = self.home / "containers.conf"
        conf.write_text(conf.read_text().replace("[containers]", '[containers]\nnetns="none"'))

    def _separated(self) -> bool:
        namespace = f"/proc/{self._holder.pid}/ns/mnt"
        return os.readlink(namespace) != os.readlink("/proc/self/ns/mnt")

    def _daemon_command(self, arguments: list[str]) -> list[str]:
        return ["nsenter", "--mount", "--target", str(self._holder.pid), *arguments]

    def up(self) -> None:
        if self.backend == "podman" or (self._daemon is not None and self._daemon.poll() is None):
            return
        arguments = [
            *("dockerd", "--data-root", str(self.home / "data")),
            *("--exec-root", str(self.home / "exec"), "--pidfile", str(self.home / "docker.pid")),
            *("-H", f"unix://{self.home}/docker.sock", "--bridge=none"),
            *("--iptables=false", "--ip6tables=false", "--ip-masq=false"),
        ]
        with (self.home / "dockerd.log").open("ab") as log:
            self._daemon = subprocess.Popen(
                self._daemon_command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait(lambda: self.run("version").returncode == 0, "dockerd")

    def kill(self) -> None:
        """What an out-of-memory killer does to dockerd."""
        assert self._daemon is not None
        containerd = (self.home / "exec/containerd/containerd.pid").read_text().strip()
        self._daemon.kill()
        self._daemon.wait()
        # It dies with dockerd; one that dockerd finds dying would be waited for in vain.
        wait(lambda: not Path("/proc", containerd).exists(), "the end of containerd")

    def _import(self, archive: Path) -> None:
        tree = self.home / "image"
        for folder in ("bin", "etc", "tmp", "root", "usr", "dev", "proc", "run", "var/tmp"):
            (tree / folder).mkdir(parents=True)
        (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        busybox, bash = shutil.which("busybox"), "/bin/bash"
        assert busybox is not None
        shutil.copy(busybox, tree / "bin/busybox")
        listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
        for applet in listed.stdout.split():
            if applet != "busybox":
                (tree / "bin" / applet).symlink_to("busybox")
        shutil.copy(bash, tree / "bin/bash")
        linked = subprocess.run(["ldd", bash], capture_output=True, text=True, check=True)
        for word in linked.stdout.split():
            if word.startswith("/"):
                (tree / word[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, tree / word[1:])
        tar = self.home / "image.tar"
        subprocess.run(["tar", "-C", str(tree), "-cf", str(tar), "."], check=True)
        self.do("import", str(tar), IMAGE)

    def close(self) -> None:
        super().close()
        self._release()

    def _release(self) -> None:
        self._holder.kill()
        self._holder.wait()


# A slip in what ends processes over there must find nobody but those who are there.
ALONE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


class Sshd:
    """An sshd on loopback that lets us in by a key of its own. `bin` goes into PATH: an `ssh`
    with a configuration in which that machine is called `there`."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="hermes-sshd-", dir="/tmp"))
        self.bin = self.home / "bin"
        self.bin.mkdir()
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.home / name)],
                check=True,
            )
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        shutil.copy(self.home / "user.pub", self.home / "authorized")
        public = (self.home / "host.pub").read_text()
        (self.home / "known").write_text(f"[127.0.0.1]:{self.port} {public}")
        (self.home / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.home}/host\n"
            f"AuthorizedKeysFile {self.home}/authorized\nPidFile none\nStrictModes no\n"
            "UsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n"
        )
        (self.home / "config").write_text(
            f"Host there\n  HostName 127.0.0.1\n  UserKnownHostsFile {self.home}/known\n"
            f"  IdentityFile {self.home}/user\n  IdentitiesOnly yes\n"
        )
        ssh = shutil.which("ssh")
        (self.bin / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {self.home}/config "$@"\n')
        (self.bin / "ssh").chmod(0o755)
        self._server: subprocess.Popen[bytes] | None = None
        self.up()

    def up(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
        assert sshd is not None
        with (self.home / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*ALONE, sshd, "-D", "-e", "-f", str(self.home / "sshd_config")],
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        wait(self._listens, "sshd")

    def down(self) -> None:
        """The machine goes away, with every connection."""
        assert self._server is not None
        served = subprocess.run(
            ["ps", "-e", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
        )
        rows = [line.split(None, 2) for line in served.stdout.splitlines()]
        gone = {self._server.pid}
        while more := {int(r[0]) for r in rows if int(r[1]) in gone and "sshd" in r[2]} - gone:
            gone |= more
        for pid in gone:
            os.kill(pid, signal.SIGKILL)
        self._server.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> None:
        assert self._server is not None
        self._server.kill()  # and with it all that is alone there
        self._server.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def missing(name: str) -> str:
    """Why the environment `name` cannot be had here; empty where it can."""
    if name == "ssh":
        if shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") is None:
            return "openssh-server is missing"
        return "" if shutil.which("ssh") else "openssh-client is missing"
    return why_not(name)
