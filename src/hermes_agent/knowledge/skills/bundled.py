"""The skills that come with the program, put into a home and kept up to date there.

`.bundled_manifest` in the folder of skills has a line `name:digest` for each one that was put
there: one that a person changed or deleted is left as it is.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.knowledge.skills.skill import FILE

MANIFEST = ".bundled_manifest"
STAMP = ".bundled_stamp"
_OWN = Path(__file__).with_name("bundled")
_MOST_BYTES = 1024 * 1024


def source(environ: Mapping[str, str] = os.environ) -> Path:
    """Where they lie: HERMES_BUNDLED_SKILLS, or in the program."""
    named = environ.get("HERMES_BUNDLED_SKILLS")
    return Path(named) if named else _OWN


def seed(origin: Path, folder: Path) -> list[str]:
    """Bring the home's folder up to date; returns the names that changed.

    Quick when nothing is to be done. A folder that cannot be written to is left alone.
    """
    stamp = _stamp(origin)
    if not stamp or _text(folder / STAMP) == stamp:
        return []
    known = dict(_manifest(folder))
    changed: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Wherever it stands: of two skills with one name, only one is ever seen.
        taken = {path.parent.name for path in folder.rglob(FILE)}
        for skill in _skills(origin):
            name, target = skill.name, folder / skill.relative_to(origin)
            digest = digest_of(skill)
            if name not in known:
                if name not in taken:
                    _put(skill, target)
                    changed.append(name)
                known[name] = digest
            elif known[name] != digest and target.is_dir() and digest_of(target) == known[name]:
                _put(skill, target)
                known[name] = digest
                changed.append(name)
        lines = "".join(f"{name}:{digest}\n" for name, digest in sorted(known.items()))
        write_atomically(folder / MANIFEST, lines.encode(), 0o644)
        write_atomically(folder / STAMP, stamp.encode(), 0o644)
    except (OSError, NotWritten):
        return changed
    return changed


def bundled_names(folder: Path) -> list[str]:
    """Those that came with the program, by the manifest."""
    return [name for name, _ in _manifest(folder)]


def digest_of(folder: Path) -> str:
    """One digest for all files of a skill. MD5, as the manifest's format has it."""
    digest = hashlib.md5(usedforsecurity=False)
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _put(skill: Path, target: Path) -> None:
    """Whole or not at all: a skill that is missing would count as deleted by its person."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".seeding-") as place:
        fresh = Path(place, "new")
        # Without the modes of a read-only store.
        shutil.copytree(skill, fresh, copy_function=shutil.copyfile, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if target.exists():
            target.rename(Path(place, "old"))
        fresh.rename(target)


def _skills(origin: Path) -> Iterator[Path]:
    return (path.parent for path in sorted(origin.rglob(FILE)))


def _stamp(origin: Path) -> str:
    """What changes when any of them does. A store has no times, and sizes may stay the same."""
    digest = hashlib.sha256()
    for path in sorted(origin.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            digest.update(f"{path.relative_to(origin)} {len(data)}\0".encode())
            digest.update(data)
    return digest.hexdigest() if origin.is_dir() else ""


def _manifest(folder: Path) -> Iterator[tuple[str, str]]:
    for line in _text(folder / MANIFEST).splitlines():
        name, colon, digest = line.strip().rpartition(":")
        if colon:
            yield name, digest


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
