"""Fetch a model's weights once: resumable, checked, one fetch at a time.

Every source yields the same bytes in the same order, so all of them append to one partial
file, and whatever is there already is never fetched again, whoever brought it.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from hermes_agent.domain.errors import ModelError
from hermes_agent.providers.embedded.catalog import Weights
from hermes_agent.providers.embedded.places import private_folder

PROVIDER_HINT = "Run `hermes setup` to use a provider or another local server instead."
MARGIN = 64 * 1024 * 1024


class WeightsError(ModelError):
    """The offline model's weights could not be fetched."""


class SourceFailed(WeightsError):
    """This source cannot give the weights; another one may."""


class Progress(msgspec.Struct, frozen=True):
    """How far the fetch is, in bytes of the finished file. `note` is set when there is news."""

    done: int
    total: int
    note: str = ""


Report = Callable[[Progress], None]


class Source(Protocol):
    """Somewhere weights come from."""

    @property
    def label(self) -> str:
        """How the person knows it."""
        ...

    def scratch(self, weights: Weights) -> int:
        """Bytes of disk needed besides the file itself."""
        ...

    async def append(self, weights: Weights, partial: Path, report: Report) -> None:
        """Complete `partial`, keeping what it has. Raises `SourceFailed`."""
        ...


async def fetch(
    weights: Weights, folder: Path, sources: tuple[Source, ...], report: Report
) -> Path:
    """The verified file in `folder`. Sources are tried in order. Raises `WeightsError`."""
    import asyncio

    private_folder(folder)
    final = folder / weights.file
    if is_complete(final, weights):
        return final
    try:
        async with _alone(folder / f"{weights.file}.lock", weights, report):
            if is_complete(final, weights):
                return final
            partial = folder / f"{weights.file}.partial"
            failures: list[str] = []
            for source in sources:
                try:
                    _room(folder, partial, weights, source)
                    await source.append(weights, partial, report)
                    report(Progress(weights.bytes, weights.bytes, "Checking …"))
                    await asyncio.to_thread(verify, partial, weights)
                except SourceFailed as failure:
                    failures.append(f"{source.label}: {failure.message}")
                    report(Progress(size(partial), weights.bytes, failures[-1]))
                else:
                    await asyncio.to_thread(_settle, partial, final)
                    return final
    except OSError as error:
        raise WeightsError(
            f"The offline model could not be stored in {folder}: {error.strerror or error}",
            hint=f"What was fetched so far is kept. {PROVIDER_HINT}",
        ) from error
    raise WeightsError(
        f"The offline model {weights.name} could not be fetched. " + "; ".join(failures),
        hint=f"What was fetched so far is kept: try again later, or give a GGUF file of your own "
        f"(`hermes model install local --path FILE`). {PROVIDER_HINT}",
    )


def is_complete(path: Path, weights: Weights) -> bool:
    """Whether the finished file is there; it gets its name only after it was verified."""
    return size(path) == weights.bytes


def size(path: Path) -> int:
    """Bytes of a file; 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def verify(path: Path, weights: Weights) -> None:
    """Raise `SourceFailed` and delete the file, unless it is the model bit by bit."""
    if (length := size(path)) < weights.bytes:
        raise SourceFailed(f"it ended after {length:,} of {weights.bytes:,} bytes")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != weights.sha256 or length != weights.bytes:
        path.unlink()
        raise SourceFailed(f"its SHA-256 is {digest}, not {weights.sha256}; it was deleted")


def _settle(partial: Path, final: Path) -> None:
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.chmod(0o600)
    partial.replace(final)


def _room(folder: Path, partial: Path, weights: Weights, source: Source) -> None:
    need = weights.bytes - size(partial) + source.scratch(weights) + MARGIN
    free = shutil.disk_usage(folder).free
    if free < need:
        raise WeightsError(
            f"The offline model needs {need / 1e9:.1f} GB more in {folder}, "
            f"where {free / 1e9:.1f} GB are free",
            hint=f"Make room, or set XDG_CACHE_HOME to a folder on another disk. {PROVIDER_HINT}",
        )


@contextlib.asynccontextmanager
async def _alone(lock: Path, weights: Weights, report: Report) -> AsyncGenerator[None, None]:
    """Hold the fetch lock; wait for another command that fetches the same, and say so."""
    import asyncio

    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    partial = lock.with_name(f"{weights.file}.partial")
    told = False
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                note = "" if told else "Another command is fetching the same model; waiting …"
                told = True
                report(Progress(size(partial), weights.bytes, note))
                await asyncio.sleep(0.2)
        yield
    finally:
        os.close(descriptor)
