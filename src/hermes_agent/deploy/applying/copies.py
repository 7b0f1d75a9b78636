"""Files that a specification names by their paths, as they were when it was applied.

On NixOS such a path leads into the store and never changes. Elsewhere anybody may own and change
it, so the content is copied to a place of root's and the installed specification names the copy.
Copies are named by their content: another content is another specification. Files with secrets
(`environmentFiles`, `secrets`, `authFile`) are not copied.
"""

import contextlib
import hashlib
import shutil
from pathlib import Path

import msgspec

from hermes_agent.config import reading as settings_reading
from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.setup import documents, sources
from hermes_agent.deploy.spec import Document, Specification


def folder(places: Places) -> Path:
    """Where the copies of a deployment lie."""
    return places.specification.with_suffix(".files")


def localised(spec: Specification, places: Places) -> tuple[Specification, dict[str, bytes]]:
    """The specification with the paths of the copies, and the copies by name.

    Nothing is written. Raises `SetupFailed`.
    """
    copies: dict[str, bytes] = {}

    def copied(data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()[:32]
        copies[name] = data
        return str(folder(places) / name)

    contents = documents.gather(spec.documents)
    named = {
        name: document if document.path is None else Document(path=copied(contents[name]))
        for name, document in spec.documents.items()
    }
    config = spec.config_file
    if config is not None:
        data = sources.read(config, "the configuration file", settings_reading.MAX_BYTES)
        config = copied(data)
    return msgspec.structs.replace(spec, documents=named, config_file=config), copies


def write(places: Places, copies: dict[str, bytes]) -> None:
    """Write those that are missing. Raises `NotWritten`."""
    if not copies:
        return
    where = folder(places)
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritten(f"Cannot make the folder {where}: {error.strerror}") from error
    for name, data in copies.items():
        write_atomically(where / name, data, 0o600)


def sweep(places: Places, kept: dict[str, bytes]) -> None:
    """Delete those that no specification names any longer."""
    where = folder(places)
    if not kept:
        shutil.rmtree(where, ignore_errors=True)
        return
    for file in where.iterdir():
        if file.name not in kept:
            with contextlib.suppress(OSError):
                file.unlink()
