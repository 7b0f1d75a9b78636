"""One gateway a home, one a bot token: kernel locks, gone when their process is, however it ends.

The lock decides. What stands in the file is for people and for `gateway stop`: a pid says nothing
across PID namespaces, and a container and its host may well share a home.
"""

import fcntl
import hashlib
import os
import random
import stat
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hermes_agent.domain.errors import HermesError
from hermes_agent.gateway.lines import harmless
from hermes_agent.gateway.modes import file_mode
from hermes_agent.gateway.process import Process, this_process

LOCK_NAME = "gateway.lock"
TRIES = 200
_INFORMATION_BYTES = 4096


class Holder(Process, frozen=True, kw_only=True):
    """Who holds a lock, as it says of itself. All fields are empty until it has said so.

    `since` is Unix time in seconds, `home` the HERMES_HOME as the holder sees it.
    """

    since: float = 0.0
    home: str = ""

    def described(self) -> str:
        """For people: `pid 123`, `pid 1 in container 0123456789ab`."""
        if not self.pid:
            return "a process that has not named itself"
        if self.here:
            return f"pid {self.pid}"
        where = f"container {self.container[:12]}" if self.container else "another PID namespace"
        return f"pid {self.pid} in {where}"


class AlreadyRunning(HermesError):
    """Another gateway has this home or this bot token."""

    def __init__(self, message: str, *, hint: str | None, holder: Holder) -> None:
        super().__init__(message, hint=hint)
        self.holder = holder


class LockUnusable(HermesError):
    """No lock can be had on this file."""


class GatewayLock:
    """A lock that is held until `release` or the end of the process."""

    def __init__(self, path: Path, descriptor: int, holder: Holder, mode: int) -> None:
        self.path = path
        self.holder = holder
        self._descriptor = descriptor
        self._mode = mode

    def keep(self) -> bool:
        """Hold it still, though somebody may have deleted the file; whether that was so.

        To be called now and then: on a deleted file, this lock stops nobody. Raises
        `AlreadyRunning` if another was quicker, and `LockUnusable`.
        """
        try:
            if os.path.samestat(self.path.lstat(), os.fstat(self._descriptor)):
                return False
        except FileNotFoundError:
            pass
        descriptor = _take(self.path, self._mode, "This gateway's lock file was deleted, and then")
        os.close(self._descriptor)
        self._descriptor = descriptor
        _inform(descriptor, self.holder)
        return True

    def release(self) -> None:
        """Let go. The file stays, empty: to delete it would split the lock in two."""
        if self._descriptor < 0:
            return
        try:
            os.ftruncate(self._descriptor, 0)
        except OSError:
            pass  # the holder in it is void without the lock
        finally:
            os.close(self._descriptor)
            self._descriptor = -1


def lock_file(home: Path) -> Path:
    """The file that the gateway of this home holds locked."""
    return home / LOCK_NAME


def hold(home: Path) -> GatewayLock:
    """Become the one gateway of this home. Raises `AlreadyRunning` and `LockUnusable`."""
    return _hold(lock_file(home), home, file_mode(home), f"For {home}")


def holder(home: Path) -> Holder | None:
    """The gateway that runs on this home, None without one. Changes nothing.

    Raises `LockUnusable` where that cannot be found out.
    """
    return holder_of(lock_file(home))


def token_lock_file(scope: str, token: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The file for a bot token; `scope` is the platform's name. The token itself is not in it.

    In HERMES_GATEWAY_LOCK_DIR, else XDG_STATE_HOME (`~/.local/state`) `/hermes/gateway-locks`.
    """
    named = environ.get("HERMES_GATEWAY_LOCK_DIR", "")
    if named:
        folder = Path(named).expanduser()
    else:
        state = environ.get("XDG_STATE_HOME", "")
        folder = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
        folder = folder / "hermes" / "gateway-locks"
    digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    plain = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in scope)
    return folder / f"{plain}-{digest[:16]}.lock"


def hold_token(
    scope: str, token: str, home: Path, environ: Mapping[str, str] = os.environ
) -> GatewayLock:
    """Become the one gateway on this machine that uses this bot token.

    Two of them would take each other's messages away. Raises `AlreadyRunning`, and `LockUnusable`
    where the folder cannot be written to: the caller decides whether to go on without.
    """
    path = token_lock_file(scope, token, environ)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LockUnusable(f"Cannot make the folder {path.parent}: {error.strerror}") from error
    return _hold(path, home, 0o600, f"With this {scope} token")


def holder_of(path: Path) -> Holder | None:
    """Who holds the lock on this file, None if nobody does. Raises `LockUnusable`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockUnusable(f"Cannot open {path}: {error.strerror}") from error
    try:
        return None if _shares(descriptor, path) else _told(descriptor)
    finally:
        os.close(descriptor)


def _hold(path: Path, home: Path, mode: int, whose: str) -> GatewayLock:
    descriptor = _take(path, mode, whose)
    about = this_process()
    holder = Holder(
        pid=about.pid,
        start_ticks=about.start_ticks,
        boot_id=about.boot_id,
        pid_namespace=about.pid_namespace,
        container=about.container,
        since=time.time(),
        home=str(home),
    )
    _inform(descriptor, holder)
    return GatewayLock(path, descriptor, holder, mode)


def _take(path: Path, mode: int, whose: str) -> int:
    for _ in range(TRIES):
        descriptor = _open(path, mode)
        try:
            if _locked(descriptor, path):
                # Who held it may have deleted the file between the two calls.
                if os.path.samestat(os.fstat(descriptor), path.lstat()):
                    taken, descriptor = descriptor, -1
                    return taken
            elif not _shares(descriptor, path):
                raise _refusal(whose, _told(descriptor), home_lock=path.name == LOCK_NAME)
            # Somebody only looked whether the lock is free, for which it is shared an instant.
            time.sleep(random.uniform(0.0005, 0.005))  # noqa: S311  no secret
        except FileNotFoundError:
            continue
        finally:
            if descriptor >= 0:
                os.close(descriptor)
    raise LockUnusable(f"{path} is locked by programs that are no gateway")


def _open(path: Path, mode: int) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, mode)
            os.fchmod(descriptor, mode)
        except FileExistsError:
            descriptor = os.open(path, flags | os.O_CREAT, mode)
    except OSError as error:
        raise LockUnusable(
            f"Cannot open {path}: {error.strerror}",
            hint="It must be a plain file that this user may write to.",
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise LockUnusable(f"{path} is not a plain file", hint="Move it out of the way.")
    return descriptor


def _locked(descriptor: int, path: Path) -> bool:
    return _flocked(descriptor, fcntl.LOCK_EX, path)


def _shares(descriptor: int, path: Path) -> bool:
    """Whether nobody holds it for himself. It is shared only until the descriptor is closed."""
    shared = _flocked(descriptor, fcntl.LOCK_SH, path)
    if shared:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    return shared


def _flocked(descriptor: int, how: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise LockUnusable(
            f"Cannot lock {path}: {error.strerror}",
            hint="HERMES_HOME must be on a file system that has locks.",
        ) from error
    return True


def _inform(descriptor: int, holder: Holder) -> None:
    data = msgspec.json.encode(holder) + b"\n"
    try:
        # Blank in between, so that no reader sees two holders mixed.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, data, 0)
    except OSError:
        return  # a full disk takes no lock away; it only leaves the holder without a name


def _told(descriptor: int) -> Holder:
    try:
        told = msgspec.json.decode(os.pread(descriptor, _INFORMATION_BYTES, 0), type=Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Holder()
    # Whoever may write to the home may have written it; it is shown to people.
    return msgspec.structs.replace(
        told,
        boot_id=harmless(told.boot_id),
        container=harmless(told.container),
        home=harmless(told.home),
    )


def _refusal(whose: str, holder: Holder, *, home_lock: bool) -> AlreadyRunning:
    text = f"{whose} a gateway runs already ({holder.described()}"
    if not home_lock and holder.home:
        text += f", HERMES_HOME {holder.home}"
    return AlreadyRunning(
        text + ").",
        hint="See it with: hermes gateway status. Stop it with: hermes gateway stop."
        if home_lock
        else "Stop the other one, or give this one a bot of its own.",
        holder=holder,
    )
