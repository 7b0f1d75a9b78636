"""One skill: a folder with a SKILL.md, whose front matter says what it is for.

Format: the specification at https://agentskills.io/specification; from `metadata.hermes` and
`platforms` come the conditions under which a skill is offered.
"""

import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from hermes_agent.config import reading
from hermes_agent.domain.errors import HermesError

FILE = "SKILL.md"
MOST_BYTES = 256 * 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LONGEST_DESCRIPTION = 1024
LONGEST_FRONT_MATTER = 16 * 1024
_FENCE = "---"
_END = re.compile(r"\n---[ \t]*(?:\n|\Z)")
_PLATFORMS = {"darwin": "macos", "linux": "linux", "win32": "windows"}


class UnusableSkill(HermesError):
    """A folder that is no skill, or one that breaks the rules for them."""


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """What the front matter says. `folder` holds SKILL.md and what belongs to it; `requires` and
    `fallback_for` name toolsets and tools; `variables` of the environment and `programs` are what
    it says that it needs, and nobody gives it them for that."""

    name: str
    description: str
    folder: Path
    category: str = ""
    platforms: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    fallback_for: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()

    def fits(self, offered: Collection[str]) -> bool:
        """Whether it is of use where these tools and toolsets are on offer."""
        here = _PLATFORMS.get(sys.platform, sys.platform)
        if self.platforms and here not in self.platforms:
            return False
        if not set(self.requires) <= set(offered):
            return False
        # Written for those who lack something, so of no use to those who have it.
        return not self.fallback_for or not set(self.fallback_for) <= set(offered)


def parse(text: str, folder: Path, *, category: str = "") -> Skill:
    """The skill whose SKILL.md this is. Raises `UnusableSkill`."""
    where = f"{_plain(folder.name)}/{FILE}"
    data = _front_matter(text, where)
    name, description = data.get("name"), data.get("description")
    if not isinstance(name, str) or not NAME.fullmatch(name) or name.lower() == FILE.lower():
        raise UnusableSkill(
            f"{where}: the front matter needs a name of letters, digits, - and _ (at most 64)"
        )
    if not isinstance(description, str) or not _plain(description):
        raise UnusableSkill(f"{where}: the front matter needs a description")
    if len(description) > LONGEST_DESCRIPTION:
        raise UnusableSkill(f"{where}: the description is longer than {LONGEST_DESCRIPTION}")
    conditions = _map(_map(data.get("metadata")).get("hermes"))
    needs = _map(data.get("prerequisites"))
    asked = data.get("required_environment_variables")
    return Skill(
        name=name,
        description=_plain(description),
        folder=folder,
        category=category,
        platforms=tuple(each.lower() for each in _words(data.get("platforms"))),
        requires=(
            *_words(conditions.get("requires_toolsets")),
            *_words(conditions.get("requires_tools")),
        ),
        fallback_for=(
            *_words(conditions.get("fallback_for_toolsets")),
            *_words(conditions.get("fallback_for_tools")),
        ),
        variables=_named((*_words(needs.get("env_vars")), *_words(asked), *_names(asked))),
        programs=_named(_words(needs.get("commands"))),
    )


def read(folder: Path, *, category: str = "") -> Skill:
    """The skill in a folder. Raises `UnusableSkill`."""
    return parse(read_file(folder / FILE), folder, category=category)


def read_file(path: Path) -> str:
    """The text of one of its files. Raises `UnusableSkill`."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UnusableSkill(f"{path} is longer than {MOST_BYTES} bytes")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise UnusableSkill(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnusableSkill(f"{path} is not UTF-8 text") from error
    return text.replace("\r\n", "\n")


def body(text: str) -> str:
    """SKILL.md without its front matter."""
    end = _END.search(text, len(_FENCE))
    return text[end.end() :].strip() if end else ""


def _front_matter(text: str, where: str) -> dict[str, Any]:
    if not text.startswith(f"{_FENCE}\n"):
        raise UnusableSkill(f"{where} does not begin with front matter (a line of ---)")
    end = _END.search(text, len(_FENCE))
    if end is None:
        raise UnusableSkill(f"{where}: the front matter does not end (a second line of ---)")
    front = text[len(_FENCE) + 1 : end.start() + 1]
    if len(front) > LONGEST_FRONT_MATTER:
        raise UnusableSkill(f"{where}: the front matter is longer than {LONGEST_FRONT_MATTER}")
    try:
        if "*" in front:
            _refuse_aliases(front, where)
        document = reading.parse(front, where)
    except HermesError as error:
        raise UnusableSkill(error.message) from error
    if document.repeated:
        # Programs differ in which one counts: one would show what another does not follow.
        raise UnusableSkill(f"{where}: the front matter says {document.repeated[0][-1]} twice")
    return document.data


def _refuse_aliases(front: str, where: str) -> None:
    """A line of aliases of aliases unfolds to millions of values, and no front matter needs any."""
    import yaml

    try:
        events = cast("Iterator[object]", yaml.parse(front))  # pyright: ignore[reportUnknownMemberType]  the stubs leave its argument open
        if any(isinstance(event, yaml.AliasEvent) for event in events):
            raise UnusableSkill(f"{where}: aliases (*name) have no place in front matter")
    except (yaml.YAMLError, RecursionError) as error:
        raise UnusableSkill(f"{where}: the front matter is not YAML") from error


def _plain(text: str) -> str:
    """On one line, without what would move a cursor, hide or reorder text."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(shown.split())


def _map(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return tuple(each for each in items if isinstance(each, str))


def _names(value: Any) -> tuple[str, ...]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return tuple(str(_map(each).get("name", "")) for each in items)


def _named(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if NAME.fullmatch(word.lstrip("_"))))
