"""Context files: what a project says to agents that work in it.

The first kind found counts: `.hermes.md` or `HERMES.md` (from the folder up to the root of its
git repository), `AGENTS.md`, `CLAUDE.md`, `.cursorrules` with `.cursor/rules/*.mdc`.
"""

from pathlib import Path
from posixpath import dirname, exists, isfile

from hermes_agent.context.prompt import Piece
from hermes_agent.policy.injection import suspicion

MAX_CHARS = 20_000
_HEAD = 0.7


def context_files(cwd: Path, *, confined: bool = False) -> tuple[Piece, ...]:
    """The context files for a session that starts in `cwd`, ready for the prompt.

    `confined` is for a folder that is all a container has of this machine: nothing above it
    counts, and no link that leads out of it.
    """
    found = _found(cwd, [str(cwd)] if confined else _upwards(str(cwd)))
    if confined:
        root = cwd.resolve()
        found = [path for path in found if path.resolve().is_relative_to(root)]
    return tuple(_piece(path) for path in found)


def notes_elsewhere() -> Piece:
    """What stands in their stead where the folder is not on this machine."""
    return Piece(
        "files", Path(__file__).with_name("texts").joinpath("elsewhere.md").read_text().strip()
    )


def _found(cwd: Path, folders: list[str]) -> list[Path]:
    for names in ((".hermes.md", "HERMES.md"), ("AGENTS.md",), ("CLAUDE.md",)):
        for folder in folders:
            for name in names:
                if isfile(f"{folder}/{name}"):
                    return [Path(folder, name)]
    rules = sorted((cwd / ".cursor/rules").glob("*.mdc")) if exists(f"{cwd}/.cursor") else []
    return [path for path in (cwd / ".cursorrules", *rules) if isfile(path)]


def _upwards(cwd: str) -> list[str]:
    """From `cwd` up to the git root; outside a repository only `cwd` itself."""
    # As text: this is done for every new session, and a Path for each file takes ten times as long.
    folders = [cwd]
    while not exists(f"{folders[-1]}/.git"):
        above = dirname(folders[-1])
        if above == folders[-1]:
            return [cwd]
        folders.append(above)
    return folders


def _piece(path: Path) -> Piece:
    name = f"file:{path.name}"
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CHARS * 4 + 1)
    except OSError as error:
        return Piece(name, f"({path} could not be read: {error.strerror})")
    text = _without_front_matter(raw.decode("utf-8", "replace"))
    problem = suspicion(text)
    if problem:
        return Piece(name, f"({path} was left out: {problem}.)")
    return Piece(name, f"# From {path} (the project's own notes)\n{_cut(text).strip()}")


def _without_front_matter(text: str) -> str:
    if text.startswith("---\n") and (end := text.find("\n---", 4)) != -1:
        return text[end + 4 :].lstrip("\n")
    return text


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    head = int(MAX_CHARS * _HEAD)
    tail = MAX_CHARS - head
    omitted = len(text) - MAX_CHARS
    return f"{text[:head]}\n[… {omitted} characters left out …]\n{text[-tail:]}"
