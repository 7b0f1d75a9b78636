"""The embedded model as the command line and the wiring see it."""

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from hermes_agent.domain.errors import NoModelError, UsageError
from hermes_agent.providers.embedded.address import Address
from hermes_agent.providers.embedded.catalog import (
    Weights,
    catalog,
    default_size,
    find,
    total_memory,
)
from hermes_agent.providers.embedded.gguf import check_gguf
from hermes_agent.providers.embedded.model import EmbeddedModel
from hermes_agent.providers.embedded.official import Official
from hermes_agent.providers.embedded.openmp import install_openmp, lacks_openmp
from hermes_agent.providers.embedded.parts import Parts
from hermes_agent.providers.embedded.places import Places, private_folder
from hermes_agent.providers.embedded.runtime import has_runtime, install_runtime
from hermes_agent.providers.embedded.server import IDLE, Say, ensure_server, running, stop
from hermes_agent.providers.embedded.weights import (
    PROVIDER_HINT,
    Progress,
    Report,
    Source,
    fetch,
    is_complete,
)

CONTEXT = 16_384
SMALL_CONTEXT = 8_192
VARIABLE = "HERMES_LOCAL_MODEL"

Consent = Callable[[Weights], Awaitable[bool]]


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A model on this machine. `own`: the person's own GGUF, not one of the catalogue."""

    name: str
    path: Path
    bytes: int
    context: int
    own: bool = False


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What is there. `size` is the model size that `install` would choose."""

    installed: Installed | None
    runtime: bool
    server: Address | None
    size: str


class _Chosen(msgspec.Struct):
    """`models/chosen.json`: the GGUF path or the size that was installed last."""

    path: str | None = None
    size: str | None = None


def available(
    environ: Mapping[str, str] = os.environ, *, places: Places | None = None
) -> Installed | None:
    """The installed model: HERMES_LOCAL_MODEL, else what was installed last, else any.

    Raises `UsageError` when HERMES_LOCAL_MODEL names no GGUF file.
    """
    places = places or Places.of(environ)
    if named := environ.get(VARIABLE, "").strip():
        return _own(Path(named))
    chosen = _chosen(places)
    if chosen.path and Path(chosen.path).is_file():
        return _own(Path(chosen.path))
    here = [one for one in catalog() if is_complete(places.models / one.file, one)]
    here.sort(key=lambda one: one.size != chosen.size)
    return _fetched(here[0], places) if here else None


async def install(
    *,
    size: str | None = None,
    path: Path | None = None,
    progress: Report = lambda _: None,
    consent: Consent | None = None,
    environ: Mapping[str, str] = os.environ,
    places: Places | None = None,
    sources: tuple[Source, ...] | None = None,
) -> Installed:
    """Make a model and the library that runs it available, and remember the choice.

    `consent` is asked before anything is fetched; None means that it was given already.
    Raises `UsageError` (no such size, no GGUF), `NoModelError` (no consent), `WeightsError`.
    """
    places = places or Places.of(environ)
    if path is None and size is None and environ.get(VARIABLE, "").strip():
        path = Path(environ[VARIABLE].strip())
    if path is not None:
        installed = _own(path)
        choice = _Chosen(path=str(installed.path))
    else:
        weights = _weights(size)
        choice = _Chosen(size=weights.size)
        installed = _fetched(weights, places)
        if not is_complete(installed.path, weights):
            if consent is not None and not await consent(weights):
                raise NoModelError("The offline model was not fetched", hint=PROVIDER_HINT)
            found = sources if sources is not None else (Official(), Parts())
            await fetch(weights, places.models, found, progress)
    await equip(installed, progress=progress, places=places)
    _remember(places, choice)
    return installed


async def equip(
    installed: Installed, *, progress: Report = lambda _: None, places: Places | None = None
) -> None:
    """Fetch the libraries that run the model, where they are missing. Raises `ModelError`."""
    import asyncio

    places = places or Places.of()
    if has_runtime(places) and not lacks_openmp(places):
        return
    progress(Progress(installed.bytes, installed.bytes, "Fetching the libraries that run it …"))
    await asyncio.to_thread(install_runtime, places)
    await asyncio.to_thread(install_openmp, places)


async def ensure(
    installed: Installed,
    *,
    say: Say = lambda _: None,
    idle: float = IDLE,
    places: Places | None = None,
) -> Address:
    """The warm server's address; started when there is none."""
    return await ensure_server(
        installed.path, context=installed.context, idle=idle, places=places, say=say
    )


def open_model(
    installed: Installed,
    *,
    cwd: Path | str,
    say: Say = lambda _: None,
    places: Places | None = None,
) -> EmbeddedModel:
    """The `Model`. Its server is started by the first request; `close` it at the end."""

    async def server() -> Address:
        return await ensure(installed, say=say, places=places)

    return EmbeddedModel(server, model=installed.name, context_length=installed.context, cwd=cwd)


def status(environ: Mapping[str, str] = os.environ, *, places: Places | None = None) -> Status:
    """What is installed and running. Starts nothing."""
    places = places or Places.of(environ)
    return Status(
        installed=available(environ, places=places),
        runtime=has_runtime(places),
        server=running(places=places),
        size=default_size(total_memory()),
    )


def _weights(size: str | None) -> Weights:
    wanted = size or default_size(total_memory())
    if (weights := find(wanted)) is None:
        sizes = ", ".join(one.size for one in catalog())
        raise UsageError(f"There is no offline model of the size {wanted}", hint=f"Sizes: {sizes}.")
    return weights


def _context() -> int:
    return SMALL_CONTEXT if total_memory() < 6_000_000_000 else CONTEXT


def _fetched(weights: Weights, places: Places) -> Installed:
    return Installed(
        name=weights.name,
        path=places.models / weights.file,
        bytes=weights.bytes,
        context=_context(),
    )


def _own(path: Path) -> Installed:
    found = check_gguf(path)
    return Installed(
        name=found.stem, path=found, bytes=found.stat().st_size, context=SMALL_CONTEXT, own=True
    )


def _chosen(places: Places) -> _Chosen:
    try:
        return msgspec.json.decode((places.models / "chosen.json").read_bytes(), type=_Chosen)
    except (OSError, msgspec.DecodeError):
        return _Chosen()


def _remember(places: Places, choice: _Chosen) -> None:
    file = private_folder(places.models) / "chosen.json"
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(msgspec.json.encode(choice))
    fresh.replace(file)


__all__ = [
    "Consent",
    "Installed",
    "Progress",
    "Status",
    "available",
    "ensure",
    "equip",
    "install",
    "open_model",
    "status",
    "stop",
]
