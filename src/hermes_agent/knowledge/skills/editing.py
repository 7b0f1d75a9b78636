"""The agent's own hand on skills: write, change, delete. What it writes is checked first."""

import os
import shutil
from pathlib import Path, PurePosixPath

from hermes_agent.config.files import write_atomically
from hermes_agent.domain.errors import DeniedError, NotFoundError, UsageError
from hermes_agent.knowledge.skills.shelf import MOST_FILES, Shelf
from hermes_agent.knowledge.skills.skill import FILE, MOST_BYTES, NAME, Skill, parse
from hermes_agent.policy.injection import suspicion


class Workshop:
    """Changes skills in `folder`, the home's own; others can only be looked at.

    Methods raise `UsageError` and `UnusableSkill` for what is wrong with the request, `DeniedError`
    for content that must not stand in a skill, `NotFoundError`, `NotWritten`.
    """

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self._shelf = shelf
        self._folder = folder

    def create(self, name: str, content: str, category: str = "") -> Skill:
        """A new skill from the text of its SKILL.md."""
        if name in self._shelf.all():
            raise UsageError(f"There is a skill {name!r} already.", hint="Use edit or patch.")
        parts = [part for part in category.split("/") if part]
        if not all(NAME.fullmatch(part) for part in (*parts, name)) or len(parts) > 2:
            raise UsageError("Names of skills and categories are letters, digits, - and _.")
        folder = self._folder.joinpath(*parts, name)
        skill = self._checked(name, content, folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / FILE, content.encode(), 0o644)
        return skill

    def edit(self, name: str, content: str) -> Skill:
        """Another text for its SKILL.md."""
        folder = self._own(name).folder
        skill = self._checked(name, content, folder)
        write_atomically(folder / FILE, content.encode(), 0o644)
        return skill

    def patch(
        self, name: str, old: str, new: str, *, file_path: str = "", replace_all: bool = False
    ) -> Skill:
        """Replace a text that stands once in SKILL.md or in another file."""
        skill = self._own(name)
        path = self._inside(skill, file_path or FILE)
        text = self._shelf.view(name, file_path).text if file_path else path.read_text("utf-8")
        count = text.count(old) if old else 0
        if count == 0 or (count > 1 and not replace_all):
            raise UsageError(f"old_string stands {count} times in {file_path or FILE}.")
        changed = text.replace(old, new)
        if file_path:
            return self.write_file(name, file_path, changed)
        return self.edit(name, changed)

    def write_file(self, name: str, file_path: str, content: str) -> Skill:
        """Write a file that belongs to a skill."""
        skill = self._own(name)
        path = self._inside(skill, file_path)
        if path.name == FILE:
            raise UsageError(f"{FILE} is changed with edit or patch.")
        _check(content)
        if not path.exists() and len(self._shelf.view(name).files) >= MOST_FILES:
            raise UsageError(f"A skill has at most {MOST_FILES} files.")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.encode(), 0o644)
        return skill

    def remove_file(self, name: str, file_path: str) -> Skill:
        """Remove a file of a skill."""
        skill = self._own(name)
        path = self._inside(skill, file_path)
        if path.name == FILE:
            raise UsageError(f"Without {FILE} it is no skill; use delete.")
        try:
            path.unlink()
        except FileNotFoundError as error:
            raise NotFoundError(f"The skill {name} has no file {file_path!r}.") from error
        return skill

    def delete(self, name: str) -> None:
        """Remove a skill with all its files."""
        shutil.rmtree(self._own(name).folder)

    def _own(self, name: str) -> Skill:
        skill = self._shelf.get(name)
        real = os.path.realpath(skill.folder)
        if not real.startswith(f"{os.path.realpath(self._folder)}{os.sep}"):
            raise DeniedError(f"The skill {name} lies outside {self._folder} and stays as it is.")
        return skill

    def _inside(self, skill: Skill, file_path: str) -> Path:
        pure = PurePosixPath(file_path)
        if pure.is_absolute() or not pure.parts or {"..", "."} & set(pure.parts):
            raise UsageError(f"{file_path!r} is not a path inside the skill.")
        path = skill.folder / pure
        root = os.path.realpath(skill.folder)
        # A link in the way would lead out of the skill.
        if os.path.realpath(path) != os.path.join(root, *pure.parts):  # noqa: PTH118  compared as text
            raise DeniedError(f"{file_path!r} leads out of the skill.")
        return path

    def _checked(self, name: str, content: str, folder: Path) -> Skill:
        skill = parse(content, folder)
        if skill.name != name:
            raise UsageError(f"The front matter says name: {skill.name}, not {name}.")
        _check(content)
        return skill


def _check(content: str) -> None:
    if len(content.encode()) > MOST_BYTES:
        raise UsageError(f"A file of a skill has at most {MOST_BYTES} bytes.")
    problem = suspicion(content)
    if problem:
        raise DeniedError(f"This was not written: {problem}.")
