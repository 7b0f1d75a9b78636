"""Skills from outside: fetched into quarantine, looked through, and only then put on the shelf.

A source is a folder, an archive (.zip, .tar, .tar.gz) or a git address. `.hub/lock.json` in the
folder of skills says where each installed skill came from and what its files were.
"""

import os
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from hermes_agent.config.files import write_atomically
from hermes_agent.domain.errors import DeniedError, HermesError, NotFoundError, UsageError
from hermes_agent.knowledge.skills.bundled import digest_of
from hermes_agent.knowledge.skills.skill import FILE, MOST_BYTES, Skill, read
from hermes_agent.policy.injection import suspicion

MOST_FILES = 500
MOST_TOTAL = 20 * 1024 * 1024
_GIT = re.compile(r"(?:https://|ssh://|git@|file://)\S+|\S+\.git")
_GIT_SECONDS = 120
_RISKY = (
    (re.compile(r"curl[^\n|]*\|\s*(?:ba|z|da)?sh"), "runs what it downloads"),
    (re.compile(r"rm\s+-[a-z]*r[a-z]*\s+(?:/|~|\$HOME)(?:\s|$)"), "deletes a home or the system"),
    (
        re.compile(
            r"\.ssh/id_|\.aws/credentials|(?:cat|cp|scp|curl)\b[^\n]*(?:\.env\b|auth\.json)"
        ),
        "names files with secrets",
    ),
    (re.compile(r"base64\s+(?:-d|--decode)[^\n]*\|\s*(?:ba)?sh"), "runs hidden commands"),
)


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """An installed skill: where it came from, and the digest of its files then."""

    source: str
    digest: str
    place: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A skill in quarantine, and what was noticed about it."""

    skill: Skill
    remarks: tuple[str, ...]


class Installer:
    """Puts skills into `folder`. Raises `HermesError`s; on every one the shelf is as it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hub = folder / ".hub"

    @property
    def installed(self) -> dict[str, Locked]:
        """What came from outside, by name."""
        try:
            with (self._hub / "lock.json").open("rb") as file:
                return msgspec.json.decode(file.read(MOST_TOTAL), type=dict[str, Locked])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise HermesError(
                f"{self._hub / 'lock.json'} cannot be read: {error}",
                hint="Move it aside; the skills themselves stay.",
            ) from error

    def fetch(self, source: str, into: Path) -> list[Found]:
        """The skills of a source, in quarantine below `into`."""
        place = into / "source"
        _fetch(source, place)
        _refuse_traps(place)
        found = [Found(skill=read(each), remarks=tuple(_remarks(each))) for each in _skills(place)]
        if not found:
            raise NotFoundError(f"There is no skill (no {FILE}) in {source}.")
        return found

    def install(
        self, found: Found, source: str, *, category: str = "", force: bool = False
    ) -> Path:
        """Put one on the shelf. One with remarks needs `force`, as does one that is there."""
        skill = found.skill
        if found.remarks and not force:
            raise DeniedError(
                f"{skill.name} stays in quarantine: {'; '.join(found.remarks)}",
                hint="Read it. If it is fine, install it with --force.",
            )
        parts = [part for part in category.split("/") if part]
        if not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", part) for part in parts):
            raise UsageError(f"{category!r} is no category.")
        target = self._folder.joinpath(*parts, skill.name)
        if target.exists():
            if not force:
                raise UsageError(f"{target} is there already.", hint="--force replaces it.")
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(skill.folder, target, ignore=shutil.ignore_patterns(".git"))
        lock = Locked(
            source=source,
            digest=digest_of(target),
            place=str(target.relative_to(self._folder)),
        )
        self._save({**self.installed, skill.name: lock})
        return target

    def uninstall(self, name: str) -> Path:
        """Remove one that came from outside."""
        installed = self.installed
        if name not in installed:
            raise NotFoundError(
                f"{name} was not installed from outside.",
                hint=f"Installed are: {', '.join(sorted(installed)) or 'none'}.",
            )
        target = self._folder / installed.pop(name).place
        if os.path.realpath(target).startswith(os.path.realpath(self._folder) + os.sep):
            shutil.rmtree(target, ignore_errors=True)
        self._save(installed)
        return target

    def changed(self, name: str) -> bool:
        """Whether it is no longer what was installed."""
        lock = self.installed[name]
        target = self._folder / lock.place
        return not target.is_dir() or digest_of(target) != lock.digest

    def _save(self, installed: dict[str, Locked]) -> None:
        self._hub.mkdir(parents=True, exist_ok=True)
        data = msgspec.json.format(msgspec.json.encode(installed, order="sorted"), indent=2)
        write_atomically(self._hub / "lock.json", data, 0o644)


def quarantine(folder: Path) -> "tempfile.TemporaryDirectory[str]":
    """A place beside the shelf that is gone afterwards."""
    place = folder / ".hub" / "quarantine"
    place.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=place)


def remarks_on(folder: Path) -> list[str]:
    """What is noticed about a skill that is there already."""
    return list(_remarks(folder))


def _fetch(source: str, place: Path) -> None:
    path = Path(source).expanduser()
    if path.is_dir():
        _refuse_traps(path)
        shutil.copytree(path, place, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    elif path.is_file() and zipfile.is_zipfile(path):
        _unzip(path, place)
    elif path.is_file() and tarfile.is_tarfile(path):
        _untar(path, place)
    elif _GIT.fullmatch(source) and not source.startswith("-"):
        _clone(source, place)
    else:
        raise NotFoundError(
            f"{source!r} is no folder, no archive and no git address.",
            hint="Give a folder, a .zip, .tar or .tar.gz, or https://….git",
        )


def _unzip(path: Path, place: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        _refuse_bomb(len(infos), sum(info.file_size for info in infos))
        for info in infos:
            mode = info.external_attr >> 16
            if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and stat.S_IFMT(mode):
                raise DeniedError(f"The archive holds something that is no file: {info.filename!r}")
            if info.is_dir():
                continue
            target = _inside(place, info.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as file, target.open("wb") as out:
                # The size in the table of contents may be a lie.
                data = file.read(info.file_size + 1)
                _refuse_bomb(1, len(data) + sum(i.file_size for i in infos) - info.file_size)
                out.write(data)


def _untar(path: Path, place: Path) -> None:
    with tarfile.open(path) as archive:
        count = total = 0
        for member in archive:
            count, total = count + 1, total + member.size
            _refuse_bomb(count, total)
            if member.isdir():
                continue
            if not member.isfile():
                raise DeniedError(f"The archive holds something that is no file: {member.name!r}")
            target = _inside(place, member.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            file = archive.extractfile(member)
            if file is not None:
                target.write_bytes(file.read(MOST_TOTAL))


def _clone(source: str, place: Path) -> None:
    argv = ("git", "-c", "core.symlinks=false", "-c", "protocol.ext.allow=never")
    argv += ("clone", "--quiet", "--depth=1", "--no-tags", "--", source, str(place))
    quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"}
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_GIT_SECONDS, env=quiet, check=False
        )
    except FileNotFoundError as error:
        raise HermesError("git is not installed", hint="Install git, or give a folder.") from error
    except subprocess.TimeoutExpired as error:
        raise HermesError(f"{source} did not come within {_GIT_SECONDS} seconds") from error
    if done.returncode:
        raise HermesError(f"{source} could not be fetched: {done.stderr.strip()[-300:]}")
    shutil.rmtree(place / ".git", ignore_errors=True)


def _inside(place: Path, name: str) -> Path:
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise DeniedError(f"The archive wants to write outside of its folder: {name!r}")
    return place / pure


def _refuse_bomb(files: int, total: int) -> None:
    if files > MOST_FILES or total > MOST_TOTAL:
        raise DeniedError(
            f"That is too much for skills: at most {MOST_FILES} files and {MOST_TOTAL} bytes."
        )


def _refuse_traps(place: Path) -> None:
    """Links, devices and the like have no place in a skill."""
    count = total = 0
    for here, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*folders, *names):
            about = Path(here, name).lstat()
            if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
                raise DeniedError(f"{Path(here, name).relative_to(place)} is a link or a device.")
            count, total = count + 1, total + about.st_size
            _refuse_bomb(count, total)


def _skills(place: Path) -> Iterator[Path]:
    for path in sorted(place.rglob(FILE)):
        # A skill inside a skill is a file of it.
        if not any((parent / FILE).exists() for parent in path.parent.parents if parent != place):
            yield path.parent


def _remarks(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        name = path.relative_to(folder)
        data = path.read_bytes()[:MOST_BYTES]
        if b"\0" in data:
            yield f"{name} is a binary file"
            continue
        text = data.decode("utf-8", "replace")
        problem = suspicion(text)
        if problem:
            yield f"{name}: {problem}"
        for pattern, what in _RISKY:
            if pattern.search(text):
                yield f"{name} {what}"
