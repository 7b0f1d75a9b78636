"""What a skill would have of a machine: shown before it is installed, and what an update adds."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from hermes_agent.knowledge.skills.skill import Skill

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE", re.IGNORECASE)
_PROGRAMS = "scripts"
_BEGINNINGS = (b"#!", b"MZ", b"\x7fELF")


def demands(skill: Skill) -> list[str]:
    """As ends of a sentence that begins with its name, in a steady order."""
    return list(dict.fromkeys(_demands(skill)))


def more_than(old: Skill, new: Skill) -> list[str]:
    """What the new version would have beyond the old one."""
    had = set(demands(old))
    return [each for each in demands(new) if each not in had]


def secrets(skill: Skill) -> list[str]:
    """The variables it asks for that hold secrets, by their names."""
    return [name for name in skill.variables if _SECRET.search(name)]


def _demands(skill: Skill) -> Iterator[str]:
    secret = secrets(skill)
    for name in skill.variables:
        yield f"asks for the {'secret' if name in secret else 'variable'} {name}"
    for name in skill.programs:
        yield f"needs the program {name}"
    for name in skill.requires:
        yield f"is for agents with {name}"
    for path in sorted(skill.folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        inside = path.relative_to(skill.folder)
        if inside.parts[0] == _PROGRAMS or os.access(path, os.X_OK) or _is_program(path):
            yield f"brings the program {str(inside)!r}"


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith(_BEGINNINGS)
