"""Skills from outside: fetched into quarantine, looked through, and only then put on the shelf.

`.hub/lock.json` in the folder of skills says where each installed skill came from and what its
files were.
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.config.files import write_atomically
from hermes_agent.domain.errors import DeniedError, HermesError, NotFoundError, UsageError
from hermes_agent.knowledge.skills.demands import demands, more_than, secrets
from hermes_agent.knowledge.skills.scanning import (
    Remark,
    Trust,
    needs_force,
    remarks_on,
    trust_in,
)
from hermes_agent.knowledge.skills.shelf import Shelf
from hermes_agent.knowledge.skills.skill import FILE, Skill, UnusableSkill, read
from hermes_agent.knowledge.skills.sources import fetch
from hermes_agent.knowledge.skills.unpacking import MOST_TOTAL

_LEFT_SECONDS = 3600


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """An installed skill: where it came from, and the digest of its files then: the SHA-256 of
    what `sha256sum` prints for them in the order of their names."""

    source: str
    digest: str
    place: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A skill in quarantine, what was noticed about it, what it would have of the machine, and how
    far its source is trusted."""

    skill: Skill
    remarks: tuple[Remark, ...]
    demands: tuple[str, ...]
    trust: Trust

    @property
    def doubtful(self) -> bool:
        """Whether somebody has to insist."""
        return needs_force(self.remarks, self.trust)

    @property
    def digest(self) -> str:
        """Of its files, as the lock file has it."""
        return _digest(self.skill.folder)


class Installer:
    """Puts skills into `folder`; `trusted` are the beginnings of sources that the owner trusts,
    `beside` the other folders that skills are read from.
    Raises `HermesError`s; on every one the shelf is as it was."""

    def __init__(
        self, folder: Path, trusted: Sequence[str] = (), *, beside: Sequence[Path] = ()
    ) -> None:
        self._folder = folder
        self._trusted = trusted
        self._beside = beside
        self._hub = folder / ".hub"

    @property
    def installed(self) -> dict[str, Locked]:
        """What came from outside, by name."""
        found: dict[str, Locked] = {}
        for name, value in self._locked().items():
            try:
                found[name] = msgspec.convert(value, Locked)
            except msgspec.ValidationError:
                continue  # of another program; it stays in the file
        return found

    def fetch(self, source: str, into: Path, only: str | None = None) -> list[Found]:
        """The skills of a source, or the one called `only`, in quarantine below `into`."""
        place = into / "source"
        fetch(source, place, only)
        trust = trust_in(source, self._trusted)
        found = [
            Found(
                skill=skill,
                remarks=(*remarks_on(skill.folder), *_asking(skill)),
                demands=tuple(demands(skill)),
                trust=trust,
            )
            for skill in _usable(place, only)
        ]
        if not found:
            raise NotFoundError(f"There is no skill (no {FILE}) in {source}.")
        if only is not None:
            found = [each for each in found if each.skill.name == only]
            if len(found) != 1:
                number = "several skills" if found else "no skill"
                raise NotFoundError(f"There is {number} {only!r} in {source}.")
        return found

    def install(
        self, found: Found, source: str, *, category: str = "", force: bool = False
    ) -> Path:
        """Put one on the shelf. A doubtful one needs `force`, as does one whose name is taken:
        it then stands where that one stood."""
        skill = found.skill
        if found.doubtful and not force:
            raise DeniedError(
                f"{skill.name} stays in quarantine: {'; '.join(r.text for r in found.remarks)}",
                hint="Read it. If it is fine, install it with --force.",
            )
        parts = [part for part in category.split("/") if part]
        if not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", part) for part in parts):
            raise UsageError(f"{category!r} is no category.")
        target = self._taken(skill.name)
        if target is None:
            if not force and skill.name in Shelf(self._beside).all():
                raise UsageError(
                    f"Another folder of skills has one called {skill.name}.",
                    hint="--force puts this one in front of it.",
                )
            target = self._folder.joinpath(*parts, skill.name)
        if target.exists() and not force:
            raise UsageError(f"{target} is there already.", hint="--force replaces it.")
        self._put(skill.folder, target)
        lock = Locked(
            source=source,
            digest=_digest(target),
            place=str(target.relative_to(self._folder)),
        )
        self._save({**self._locked(), skill.name: msgspec.to_builtins(lock)})
        return target

    def added(self, found: Found) -> list[str]:
        """What a new version would have of the machine beyond the one that is installed."""
        try:
            old = read(self._folder / self.installed[found.skill.name].place)
        except UnusableSkill:
            return list(found.demands)
        return more_than(old, found.skill)

    def is_another(self, found: Found) -> bool:
        """Whether its files differ from those that were installed."""
        return found.digest != self.installed[found.skill.name].digest

    def uninstall(self, name: str) -> Path:
        """Remove one that came from outside."""
        installed = self.installed
        if name not in installed:
            raise NotFoundError(
                f"{name} was not installed from outside.",
                hint=f"Installed are: {', '.join(sorted(installed)) or 'none'}.",
            )
        target = self._folder / installed[name].place
        if os.path.realpath(target).startswith(os.path.realpath(self._folder) + os.sep):
            shutil.rmtree(target, ignore_errors=True)
        self._save({other: lock for other, lock in self._locked().items() if other != name})
        return target

    def changed(self, name: str) -> bool:
        """Whether it is no longer what was installed."""
        lock = self.installed[name]
        target = self._folder / lock.place
        return not target.is_dir() or _digest(target) != lock.digest

    def _taken(self, name: str) -> Path | None:
        """Where a skill of this name stands, in whichever category: two would shadow each other,
        as commands also if only capitals tell them apart."""
        for path in self._folder.rglob(FILE):
            if path.relative_to(self._folder).parts[0].startswith("."):
                continue
            try:
                if read(path.parent).name.lower() == name.lower():
                    return path.parent
            except UnusableSkill:
                continue
        return None

    def _put(self, source: Path, target: Path) -> None:
        """Whole or not at all: what stood there goes only when the new one is beside it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with quarantine(self._folder) as place:
            fresh, old = Path(place, "new"), Path(place, "old")
            try:
                shutil.copytree(source, fresh, ignore=shutil.ignore_patterns(".git"))
                _plain_modes(fresh)
                if target.exists():
                    target.rename(old)
                fresh.rename(target)
            except OSError as error:
                if old.exists() and not target.exists():
                    old.rename(target)
                raise HermesError(f"{target} was not written: {error.strerror or error}") from error

    def _locked(self) -> dict[str, Any]:
        try:
            with (self._hub / "lock.json").open("rb") as file:
                return msgspec.json.decode(file.read(MOST_TOTAL), type=dict[str, Any])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise HermesError(
                f"{self._hub / 'lock.json'} cannot be read: {error}",
                hint="Move it aside; the skills themselves stay.",
            ) from error

    def _save(self, locked: dict[str, Any]) -> None:
        self._hub.mkdir(parents=True, exist_ok=True)
        data = msgspec.json.format(msgspec.json.encode(locked, order="sorted"), indent=2)
        write_atomically(self._hub / "lock.json", data, 0o644)


def quarantine(folder: Path) -> "tempfile.TemporaryDirectory[str]":
    """A place beside the shelf that is gone afterwards."""
    place = folder / ".hub" / "quarantine"
    place.mkdir(parents=True, exist_ok=True)
    for left in place.iterdir():
        # Of a program that was killed; nothing is fetched for an hour.
        if left.lstat().st_mtime < time.time() - _LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(dir=place)


def _asking(skill: Skill) -> Iterator[Remark]:
    for name in secrets(skill):
        yield Remark("caution", f"it asks for the secret {name}")


def _plain_modes(folder: Path) -> None:
    """Whoever else works on this machine may read it; nothing runs as its owner."""
    for path in (folder, *folder.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)


def _usable(place: Path, only: str | None) -> Iterator[Skill]:
    """A broken skill is no reason to leave out the one that is wanted."""
    for folder in _skills(place):
        try:
            yield read(folder)
        except UnusableSkill:
            if only is None or folder.name == only:
                raise


def _digest(folder: Path) -> str:
    listing = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        listing.update(f"{digest}  {path.relative_to(folder)}\n".encode(errors="surrogateescape"))
    return listing.hexdigest()


def _skills(place: Path) -> Iterator[Path]:
    for path in sorted(place.rglob(FILE)):
        # A skill inside a skill is a file of it.
        if not any((parent / FILE).exists() for parent in path.parent.parents if parent != place):
            yield path.parent
