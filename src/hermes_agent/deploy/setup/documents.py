"""Documents: files that the declaration puts into the working directory.

SOUL.md goes to HERMES_HOME too, where the persona is read from.
"""

import hashlib
import os
from collections.abc import Mapping

from hermes_agent.deploy.setup import sources
from hermes_agent.deploy.setup.errors import InTheWay, SetupFailed
from hermes_agent.deploy.setup.handles import Folder, Unreadable, kind_of
from hermes_agent.deploy.setup.job import Job
from hermes_agent.deploy.setup.permissions import WORKSPACE
from hermes_agent.deploy.spec import Document

MOST_BYTES = 4 * 1024 * 1024
MOST_TOGETHER = 32 * 1024 * 1024
SOUL = "SOUL.md"


def gather(declared: Mapping[str, Document]) -> dict[str, bytes]:
    """Their contents. Raises `SetupFailed`."""
    found: dict[str, bytes] = {}
    for name, document in sorted(declared.items()):
        if document.path is not None:
            found[name] = sources.read(document.path, "the document", MOST_BYTES)
        else:
            found[name] = (document.text or "").encode("utf-8", "surrogateescape")
    if sum(map(len, found.values())) > MOST_TOGETHER:
        raise SetupFailed(f"The documents are longer than {MOST_TOGETHER:,} bytes together")
    return found


def digest(data: bytes) -> str:
    """What is remembered of a document's content."""
    return hashlib.sha256(data).hexdigest()


def install(workspace: Folder, home: Folder, job: Job, warnings: list[str]) -> None:
    """Write what is declared, remove what was declared and is as it was written."""
    mode = job.permissions.files["document"]
    directory = job.permissions.directories[WORKSPACE]
    for name, data in job.documents.items():
        parent, _, last = name.rpartition("/")
        with reached(workspace, parent, directory, job.gid, warnings) as folder:
            _replace(folder, last, data, mode, job.gid, warnings)
        if name == SOUL and home.path != workspace.path:
            _replace(home, SOUL, data, mode, job.gid, warnings)
    for name, was in job.gone.items():
        _walk_away(workspace, name, was)
        if name == SOUL:
            _walk_away(home, SOUL, was)


def reached(
    folder: Folder,
    path: str,
    mode: int,
    gid: int | None,
    warnings: list[str] | None = None,
) -> Folder:
    """The directory at a relative path, made if need be.

    What stands in its way is moved aside if there is somebody to warn. Raises `InTheWay`.
    """
    here = Folder(os.dup(folder.handle), folder.path)
    for part in path.split("/") if path else ():
        with here:
            here = _entered(here, part, mode, gid, warnings)
    return here


def _entered(
    folder: Folder, name: str, mode: int, gid: int | None, warnings: list[str] | None
) -> Folder:
    try:
        return _made(folder, name, mode, gid)
    except InTheWay as obstacle:
        if warnings is None:
            raise
        new = folder.aside(name, "displaced")
        warnings.append(f"{obstacle.message}; it is now called {new}")
        return _made(folder, name, mode, gid)


def _made(folder: Folder, name: str, mode: int, gid: int | None) -> Folder:
    # The modes of directories that were there already are nobody's business here.
    try:
        return folder.folder(name)
    except FileNotFoundError:
        return folder.made(name, mode, gid)


def _replace(
    folder: Folder, name: str, data: bytes, mode: int, gid: int | None, warnings: list[str]
) -> None:
    about = folder.about(name)
    kind = "a file" if about is None else kind_of(about)
    if kind == "a directory":
        new = folder.aside(name, "displaced")
        warnings.append(f"{folder.named(name)} was a directory; it is now called {new}")
    elif kind != "a file":
        warnings.append(f"{folder.named(name)} was {kind}; it was replaced")
    folder.replace(name, data, mode, gid)


def _walk_away(folder: Folder, name: str, was: str) -> None:
    parent, _, last = name.rpartition("/")
    here = Folder(os.dup(folder.handle), folder.path)
    try:
        for part in parent.split("/") if parent else ():
            with here:
                here = here.folder(part)
        with here:
            data = here.read(last, MOST_BYTES)
            if data is not None and digest(data) == was:
                here.remove(last)
    except (FileNotFoundError, InTheWay, Unreadable):
        return
