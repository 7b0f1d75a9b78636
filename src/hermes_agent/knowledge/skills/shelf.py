"""All skills of a home: found, told apart, indexed, read."""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from hermes_agent.domain.errors import DeniedError, NotFoundError
from hermes_agent.knowledge.skills.skill import FILE, Skill, UnusableSkill, body, read, read_file
from hermes_agent.policy.injection import suspicion

MOST_SKILLS = 500
MOST_FILES = 200
_DEPTH = 4
_INDEX_CHARS = 4000
_INDEX_DESCRIPTION = 60
_NAME_CHARS = 64


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A skill's text, or that of one of its files, and the files that it has."""

    skill: Skill
    text: str
    files: tuple[str, ...]


class Shelf:
    """The skills in `folders`, the first of a name counts; those in `disabled` are not there.

    Everything is read when asked for: skills come and go while a session runs.
    """

    def __init__(self, folders: Sequence[Path], disabled: Collection[str] = ()) -> None:
        self.folders = tuple(folders)
        self._disabled = frozenset(disabled)
        self.problems: list[str] = []

    def all(self) -> dict[str, Skill]:
        """The usable ones by name; `problems` says what is wrong with the others."""
        self.problems = []
        found: dict[str, Skill] = {}
        for folder in self.folders:
            for place, category in _places(folder):
                if len(found) >= MOST_SKILLS:
                    self.problems.append(f"More than {MOST_SKILLS} skills; the others are left out")
                    return found
                try:
                    skill = read(place, category=category)
                except UnusableSkill as error:
                    self.problems.append(error.message)
                    continue
                if skill.name not in self._disabled:
                    found.setdefault(skill.name, skill)
        return found

    def offered(self, tools: Collection[str]) -> list[Skill]:
        """Those that are of use with these tools and toolsets, by category and name."""
        fitting = [skill for skill in self.all().values() if skill.fits(tools)]
        return sorted(fitting, key=_order)

    def index(self, tools: Collection[str]) -> str:
        """A line for each skill, for the prompt; empty without skills. Never long."""
        lines: list[str] = []
        category = ""
        skills = self.offered(tools)
        for number, skill in enumerate(skills):
            if skill.category != category:
                category = skill.category
                lines.append(f"{category}:")
            lines.append(f"- {skill.name}: {_indexed(skill.description)}")
            if sum(len(line) + 1 for line in lines) > _INDEX_CHARS:
                lines.append(f"… and {len(skills) - number - 1} more: skills_list")
                break
        return "\n".join(lines)

    def get(self, name: str) -> Skill:
        """By name. Raises `NotFoundError`."""
        skills = self.all()
        if name in skills:
            return skills[name]
        import difflib

        near = difflib.get_close_matches(name, skills, n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "skills_list names them all."
        raise NotFoundError(f"There is no skill {name!r}.", hint=hint)

    def view(self, name: str, file_path: str = "") -> Reading:
        """Its instructions, or one of its files. Raises `NotFoundError`, `DeniedError` for text
        that reads like an attack, `UnusableSkill`."""
        skill = self.get(name)
        files = tuple(_files(skill.folder))
        if file_path and file_path not in files:
            raise NotFoundError(
                f"The skill {name} has no file {file_path!r}.",
                hint=f"Its files are: {', '.join(files) or 'none'}.",
            )
        whole = read_file(skill.folder / (file_path or FILE))
        problem = suspicion(whole)
        if problem:
            raise DeniedError(f"{name}/{file_path or FILE} was not loaded: {problem}.")
        return Reading(skill=skill, text=whole if file_path else body(whole), files=files)


def _order(skill: Skill) -> tuple[str, str]:
    return skill.category, skill.name


def _places(folder: Path) -> Iterator[tuple[Path, str]]:
    """The folders with a SKILL.md in them, and their category. Links are not followed."""
    waiting: list[tuple[Path, tuple[str, ...]]] = [(folder, ())]
    while waiting:
        here, above = waiting.pop(0)
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            continue
        if above and any(entry.name == FILE and not entry.is_dir() for entry in entries):
            yield here, "/".join(above[:-1])
            continue
        if len(above) < _DEPTH:
            waiting += [
                (Path(entry.path), (*above, entry.name))
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and _is_plain(entry.name)
            ]


def _is_plain(name: str) -> bool:
    """Names of folders become categories in the prompt: no lines of their own, no text."""
    return name.isprintable() and len(name) <= _NAME_CHARS and not name.startswith(".")


def _files(folder: Path) -> Iterator[str]:
    """What belongs to a skill, relative to its folder; links are left out."""
    count = 0
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            if path.is_symlink() or not path.is_file() or (name == FILE and Path(here) == folder):
                continue
            if not str(path.relative_to(folder)).isprintable():
                continue
            count += 1
            if count > MOST_FILES:
                return
            yield str(path.relative_to(folder))


def _indexed(text: str) -> str:
    # The index stands in the system prompt, where nothing marks it as data.
    if suspicion(text):
        return "(the description is left out: it reads like an attack)"
    return text if len(text) <= _INDEX_DESCRIPTION else f"{text[: _INDEX_DESCRIPTION - 1]}…"
