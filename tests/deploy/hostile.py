"""An agent that wants root's set-up to touch what is not the agent's.

`python -m tests.deploy.hostile --rounds 1000 --seed 1`, as root. In each round things are planted
in the state directory, and two processes (one of the service user, one of root that sees nothing
but the state directory, as in a container) go on swapping directories, files and links while the
set-up runs. Then the tree outside must be as
it was, and the set-up must have ended in time, well or with a sentence.
"""

import argparse
import contextlib
import errno
import fcntl
import os
import random
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from hermes_agent.domain.errors import HermesError
from tests.deploy.ground import NO_ROOT, Ground
from tests.deploy.ground import ground as make_ground

SECONDS = 20
"""A set-up that takes longer hangs."""

LIFE = 30.0
"""So long an attacker lives if nobody ends it."""

TARGETS = (
    ".hermes",
    ".hermes/.managed",
    ".hermes/SOUL.md",
    ".hermes/auth.json",
    ".hermes/config.yaml",
    ".hermes/cron",
    ".hermes/logs",
    ".hermes/memories",
    "current-package",
    "env",
    "workspace",
    "workspace/SOUL.md",
    "workspace/sub",
    "workspace/sub/deep",
    "workspace/sub/deep/USER.md",
)

INNER = tuple(name for name in TARGETS if name not in (".hermes", "workspace"))

Step = Callable[["Attacker", Path], None]


class Attacker:
    """Knows the state directory and the tree that it is after."""

    def __init__(self, ground: Ground, rng: random.Random, *, root: bool) -> None:
        self.host_state = ground.state
        self.state = Path("/") if root else ground.state
        self.victim = ground.folder / "victim"
        self.rng = rng
        self.root = root
        self.steps = [*ANYBODY, *(ROOT if root else ())]
        # Who always swaps the same outermost directories never gets to see what is in them.
        self.targets = TARGETS if rng.random() < 0.2 else INNER

    def plant(self, path: Path | None = None) -> None:
        """One thing in one place; what cannot be done is not done."""
        path = path or self.state / self.rng.choice(self.targets)
        with contextlib.suppress(OSError):
            self.rng.choice(self.steps)(self, path)

    def race(self) -> None:
        """Swap one place to and fro between what it is and a link outside."""
        path = self.state / self.rng.choice(self.targets)
        spare = path.with_name(f"{path.name}.spare")
        for _ in range(self.rng.randrange(1, 40)):
            with contextlib.suppress(OSError):
                path.rename(spare)
            with contextlib.suppress(OSError):
                path.symlink_to(self.goal(path))
            with contextlib.suppress(OSError):
                path.unlink()
            with contextlib.suppress(OSError):
                spare.rename(path)

    def swap_temporaries(self) -> None:
        """Put links in the place of files that are just being written."""
        for folder in (".hermes", "workspace", "workspace/sub/deep", "."):
            with contextlib.suppress(OSError):
                for entry in os.scandir(self.state / folder):
                    if entry.name.endswith(".tmp"):
                        Path(entry.path).unlink()
                        Path(entry.path).symlink_to(self.victim / "file")

    def shoot(self, setup: int) -> None:
        """End the service user's part of the set-up; a process of the same user may."""
        children = Path(f"/proc/{setup}/task/{setup}/children")
        with contextlib.suppress(OSError):
            for each in children.read_text().split():
                if b"deploy.setup.inside" in Path(f"/proc/{each}/cmdline").read_bytes():
                    os.kill(int(each), signal.SIGKILL)

    def goal(self, path: Path) -> Path:
        """Something outside that a link from here may lead to."""
        goal = self.victim / self.rng.choice(("file", "secret.env", "folder", "folder/in", "none"))
        if self.rng.random() < 0.7:
            return goal
        folder = self.host_state / path.relative_to(self.state).parent
        return Path(os.path.relpath(goal, folder))

    def clear(self, path: Path) -> None:
        """Make room."""
        if path.is_dir() and not path.is_symlink():
            path.rename(path.with_name(f"{path.name}.{self.rng.randrange(10**9)}"))
        else:
            path.unlink(missing_ok=True)


def _link(self: Attacker, path: Path) -> None:
    self.clear(path)
    path.symlink_to(self.goal(path))


def _chain(self: Attacker, path: Path) -> None:
    self.clear(path)
    at = self.goal(path)
    for _ in range(self.rng.randrange(1, 50)):
        link = self.state / f"chain{self.rng.randrange(10**9)}"
        link.symlink_to(at)
        at = link
    path.symlink_to(at)


def _pipe(self: Attacker, path: Path) -> None:
    self.clear(path)
    os.mkfifo(path)


def _socket(self: Attacker, path: Path) -> None:
    self.clear(path)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _new(path: Path) -> int:
    """What the attacker may write outside by itself, by way of the other's links, says nothing."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)


def _giant(self: Attacker, path: Path) -> None:
    self.clear(path)
    with open(_new(path), "wb") as file:
        file.truncate(2**40)


def _deep(self: Attacker, path: Path) -> None:
    self.clear(path)
    path.mkdir()
    at = path
    for _ in range(self.rng.randrange(50)):
        at = at / "d"
        at.mkdir()


def _hard_link(self: Attacker, path: Path) -> None:
    self.clear(path)
    path.hardlink_to(self.victim / self.rng.choice(("file", "secret.env")))


def _garbage(self: Attacker, path: Path) -> None:
    self.clear(path)
    texts = (b"a: [", b"\xff\x00", b"&a [*a]", b"- " * 5000, b"[" * 5000)
    with open(_new(path), "wb") as file:
        file.write(self.rng.choice(texts))


def _locked_away(self: Attacker, path: Path) -> None:
    path.chmod(self.rng.choice((0, 0o7777, 0o111)))


def _device(self: Attacker, path: Path) -> None:
    self.clear(path)
    major, minor = self.rng.choice(((1, 3), (1, 5), (1, 8), (5, 0)))
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(major, minor))


def _set_user_id(self: Attacker, path: Path) -> None:
    self.clear(path)
    with open(_new(path), "wb") as file:
        os.fchmod(file.fileno(), 0o6755)


def _roots_own(self: Attacker, path: Path) -> None:
    if not path.exists():
        path.mkdir()
    os.chown(path, 0, 0, follow_symlinks=False)


def _immutable(self: Attacker, path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        # FS_IOC_SETFLAGS and FS_IMMUTABLE_FL of linux/fs.h
        fcntl.ioctl(handle, 0x40086602, struct.pack("l", 0x10))
    finally:
        os.close(handle)


ANYBODY: tuple[Step, ...] = (
    _link, _link, _chain, _pipe, _socket, _giant, _deep, _hard_link, _garbage, _locked_away,
)  # fmt: skip
ROOT: tuple[Step, ...] = (_device, _set_user_id, _roots_own, _roots_own, _immutable)


def outside(folder: Path) -> dict[str, tuple[Any, ...]]:
    """What must not change. Hard links count names, and that is all they may change."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        about = path.lstat()
        small = stat.S_ISREG(about.st_mode) and about.st_size < 2**20
        content = path.read_bytes() if small else about.st_size
        found[str(path)] = (
            about.st_mode, about.st_uid, about.st_gid, about.st_mtime_ns, about.st_ino, content,
        )  # fmt: skip
    return found


def make_victim(ground: Ground) -> Path:
    """A tree like those that root has: private files, files of others, a directory in another."""
    victim = ground.folder / "victim"
    (victim / "folder" / "in").mkdir(parents=True)
    (victim / "file").write_text("mine\n")
    (victim / "file").chmod(0o666)
    (victim / "secret.env").write_text("STOLEN_API_KEY=1\n")
    (victim / "secret.env").chmod(0o600)
    (victim / "folder" / "config.yaml").write_text("timezone: victim\n")
    (victim / "folder" / "in" / "SOUL.md").write_text("victim\n")
    os.chown(victim / "folder" / "config.yaml", 12345, 12345)
    return victim


class Tally(Counter[str]):
    """How the rounds ended: `done`, or an error's beginning; `broken` lists what must not be."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: list[str] = []
        self.said: dict[str, str] = {}
        self.slowest = 0.0

    @property
    def errors(self) -> int:
        """Rounds that ended with a sentence."""
        return self.total() - self["done"]


def attack(
    rounds: int,
    seed: int,
    *,
    until_broken: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Tally:
    """So many rounds, or until something is broken; the same seed plants the same things."""
    tally = Tally()
    with make_ground() as ground:
        victim = make_victim(ground)
        before = outside(victim)
        for number in range(rounds):
            rng = random.Random(seed * 1_000_003 + number)
            try:
                _round(ground, rng, tally)
            finally:
                _clean(ground.state)
            after = outside(victim)
            if after != before:
                changed = [name for name in after if after[name] != before.get(name)]
                tally.broken.append(f"round {number}: {changed or 'something is gone'} changed")
                before = after
            _check_own(ground, number, tally)
            if until_broken and tally.broken:
                break
            if number % 100 == 99:
                say(f"{number + 1} rounds, {tally['done']} set up, {tally.errors} errors")
    return tally


def _round(ground: Ground, rng: random.Random, tally: Tally) -> None:
    if rng.random() < 0.3:
        shutil.rmtree(ground.roots.records, ignore_errors=True)
    keys: dict[str, Any] = {
        "documents": {"SOUL.md": {"text": "s"}, "sub/deep/USER.md": {"text": "u"}},
        "authFile": ground.file("auth.json", "{}"),
        "authFileForceOverwrite": True,
    }
    ground.prepare(**keys)
    ground.own(ground.state / "env") if (ground.state / "env").exists() else None
    keys["settings"] = {"timezone": f"Z{rng.randrange(10**6)}"}
    if rng.random() < 0.5:
        keys["environmentFiles"] = [f"{ground.state}/env"]
        (ground.state / "env").write_text("MINE=1\n")
    spec = ground.spec(**keys)
    for _ in range(rng.randrange(4)):
        root = rng.random() < 0.4
        _as(ground, Attacker(ground, rng, root=root).plant, root=root)
    racers = [_start(ground, rng.randrange(10**9), root=root) for root in (False, True)]
    started = time.monotonic()
    try:
        with _limit():
            done = ground.prepare(spec)
        outcome = "done"
        if "STOLEN_API_KEY" in done.environment:
            tally.broken.append("the environment holds a stolen secret")
    except HermesError as error:
        message = error.message.replace(str(ground.folder), "")
        outcome = " ".join(message.split()[:4])
        tally.said.setdefault(outcome, message)
    except TimeoutError:
        outcome = "hung"
        tally.broken.append(f"a set-up took longer than {SECONDS} s")
    finally:
        for racer in racers:
            os.kill(racer, signal.SIGKILL)
            os.waitpid(racer, 0)
    tally.slowest = max(tally.slowest, time.monotonic() - started)
    tally[outcome] += 1


def _check_own(ground: Ground, number: int, tally: Tally) -> None:
    """What is root's is root's, and plain."""
    for root in (ground.roots.registry, ground.roots.records, ground.roots.runtime):
        for path in root.rglob("*"):
            about = path.lstat()
            plain = stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)
            if about.st_uid != 0 or about.st_mode & 0o022 or not plain:
                tally.broken.append(f"round {number}: {path} is not root's own")
            if plain and path.is_file() and b"STOLEN" in path.read_bytes():
                tally.broken.append(f"round {number}: {path} holds a stolen secret")


def _as(ground: Ground, act: Callable[[], None], *, root: bool) -> None:
    """Do something as the service user, in a process of its own."""
    pid = _forked(ground, act, root=root)
    os.waitpid(pid, 0)


def _start(ground: Ground, seed: int, *, root: bool) -> int:
    setup = os.getpid()

    def go_on() -> None:
        rng = random.Random(seed)
        attacker = Attacker(ground, rng, root=root)
        end = time.monotonic() + LIFE
        while time.monotonic() < end and os.getppid() == setup:
            chance = rng.random()
            if chance < 0.75:
                attacker.race()
            elif chance < 0.85:
                attacker.swap_temporaries()
            elif chance < 0.999 or root:
                attacker.plant()
            else:
                attacker.shoot(setup)

    return _forked(ground, go_on, root=root)


def _forked(ground: Ground, act: Callable[[], None], *, root: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if root:
            os.chroot(ground.state)
            os.chdir("/")
        else:
            os.setgroups([])
            os.setresgid(ground.gid, ground.gid, ground.gid)
            os.setresuid(ground.uid, ground.uid, ground.uid)
        act()
    finally:
        os._exit(0)


@contextlib.contextmanager
def _limit() -> Generator[None]:
    def stop(number: int, frame: object) -> None:
        raise TimeoutError(errno.ETIMEDOUT, "it hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _clean(state: Path) -> None:
    subprocess.run(["chattr", "-R", "-f", "-i", state], check=False, capture_output=True)
    subprocess.run(["rm", "-rf", state], check=True)


def main() -> int:
    """The command line's; 1 if anything was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if NO_ROOT:
        print(NO_ROOT, file=sys.stderr)
        return 1
    tally = attack(options.rounds, options.seed, say=print)
    for outcome, count in tally.most_common():
        print(f"{count:6} {tally.said.get(outcome, outcome)}")
    print(f"slowest {tally.slowest:.2f} s; broken: {len(tally.broken)}")
    for text in tally.broken:
        print(text)
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
