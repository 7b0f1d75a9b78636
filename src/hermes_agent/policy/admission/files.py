"""The folder `pairing/`: small JSON files that the gateway and the command line share.

Formats: `<platform>-pending.json` {CODE: {user_id, user_name, created_at}},
`<platform>-approved.json` {user_id: {user_name, approved_at, role}}, `_rate_limits.json` and
`_strangers.json` as the types here say. Times are Unix seconds; ISO 8601 text is read too.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.domain.errors import HermesError, UsageError
from hermes_agent.policy.admission.people import Role

MAX_BYTES = 4 * 1024 * 1024
LOCK_SECONDS = 5.0

_T = TypeVar("_T")


class TornFile(HermesError):
    """A file in pairing/ cannot be read; nobody is let in by it."""


class PendingEntry(msgspec.Struct, omit_defaults=True):
    """Who waits for a code to be approved."""

    user_id: str
    user_name: str = ""
    created_at: float | int | str = 0


class ApprovedEntry(msgspec.Struct):
    """Who was approved; files of older versions have no role."""

    user_name: str = ""
    approved_at: float | int | str = 0
    role: Role = "user"


class Limits(msgspec.Struct):
    """`requests`: when a person last asked, by platform and id. `failures`: when wrong codes were
    given, by platform. `locked`: until when no code is taken, by platform."""

    requests: dict[str, dict[str, float]] = msgspec.field(
        default_factory=dict[str, dict[str, float]]
    )
    failures: dict[str, list[float]] = msgspec.field(default_factory=dict[str, list[float]])
    locked: dict[str, float] = msgspec.field(default_factory=dict[str, float])


Pending = dict[str, PendingEntry]
Approved = dict[str, ApprovedEntry]
Strangers = dict[str, dict[str, float]]
"""When somebody unknown last wrote, by platform and id."""

Stamp = tuple[int, int, int] | None


def seconds(moment: float | int | str) -> float:
    """Unix seconds of a time as a file has it; 0 for one that means nothing."""
    if not isinstance(moment, str):
        return float(moment)
    try:
        return datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


class PairingFiles:
    """Reads and replaces the files. Nothing is made before something is to be kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pending(self, platform: str) -> Path:
        """Codes that were given out."""
        return self.folder / f"{_plain(platform)}-pending.json"

    def approved(self, platform: str) -> Path:
        """People that may talk."""
        return self.folder / f"{_plain(platform)}-approved.json"

    @property
    def limits(self) -> Path:
        """Who asked when, and what is locked."""
        return self.folder / "_rate_limits.json"

    @property
    def strangers(self) -> Path:
        """Who knocked."""
        return self.folder / "_strangers.json"

    def platforms(self) -> tuple[str, ...]:
        """Platforms that have a file."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError:
            return ()
        found = (re.fullmatch(r"([a-z0-9_]+)-(?:pending|approved)\.json", name) for name in names)
        return tuple(sorted({match[1] for match in found if match}))

    def stamp(self, path: Path) -> Stamp:
        """Changes when the file does; None without one."""
        try:
            about = path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_ino, about.st_size

    def read(self, path: Path, kind: type[_T]) -> _T | None:
        """The content, None where there is no file. Raises `TornFile`."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._torn(path, error.strerror or str(error)) from error
        if len(data) > MAX_BYTES:
            raise self._torn(path, "it is too large")
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._torn(path, str(error)) from error

    def write(self, path: Path, value: object) -> None:
        """Replace the file. Raises `NotWritten`."""
        write_atomically(path, msgspec.json.format(msgspec.json.encode(value), indent=2))

    @contextmanager
    def locked(self) -> Generator[None]:
        """The one writer. Raises `HermesError` when another holds it too long."""
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock", timeout=LOCK_SECONDS, mode=0o600)
            lock.acquire()
        except Timeout as error:
            raise HermesError(
                f"Another program has been writing in {self.folder} for {LOCK_SECONDS:.0f} s."
            ) from error
        except OSError as error:
            raise NotWritten(
                f"Cannot write in {self.folder}: {error.strerror}", hint="Nothing was changed."
            ) from error
        try:
            yield
        finally:
            lock.release()

    @staticmethod
    def _torn(path: Path, why: str) -> TornFile:
        return TornFile(
            f"{path} cannot be read: {why}",
            hint="Mend it or move it away; until then nobody is let in by it.",
        )


def _plain(platform: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,40}", platform):
        raise UsageError(f"{platform!r} is not the name of a platform.", hint="Such as: telegram")
    return platform
