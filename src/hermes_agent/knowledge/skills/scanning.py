"""What is noticed about a skill from outside, and whether it may stand on the shelf for that."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from hermes_agent.knowledge.skills.skill import MOST_BYTES
from hermes_agent.policy.injection import suspicion

Level = Literal["caution", "dangerous"]
Trust = Literal["trusted", "community"]

# No repetition without a bound: a file of one word again and again would take hours.
_RISKY: tuple[tuple[re.Pattern[str], Level, str], ...] = (
    (re.compile(r"curl[^\n|]{0,500}\|\s{0,50}(?:ba|z|da)?sh"), "caution", "runs what it downloads"),
    (
        re.compile(r"rm\s{1,50}-[a-z]{0,9}r[a-z]{0,9}\s{1,50}(?:/|~|\$HOME)(?:\s|$)"),
        "dangerous",
        "deletes a home or the system",
    ),
    (
        re.compile(
            r"\.ssh/id_|\.aws/credentials|(?:cat|cp|scp|curl)\b[^\n]{0,500}(?:\.env\b|auth\.json)"
        ),
        "dangerous",
        "names files with secrets",
    ),
    (
        re.compile(r"base64\s{1,50}(?:-d|--decode)[^\n]{0,500}\|\s{0,50}(?:ba)?sh"),
        "dangerous",
        "runs hidden commands",
    ),
)


class Remark(msgspec.Struct, frozen=True):
    """Something doubtful, for people."""

    level: Level
    text: str


def remarks_on(folder: Path) -> Iterator[Remark]:
    """All that is noticed, file by file."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        name = path.relative_to(folder)
        if not str(name).isprintable():
            yield Remark("dangerous", f"{str(name)!r} is a name with hidden signs")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if b"\0" in data:
            yield Remark("caution", f"{name} is a binary file")
            continue
        if len(data) > MOST_BYTES:
            yield Remark("caution", f"{name} is too long to be looked through whole")
        text = data.decode("utf-8", "replace")
        problem = suspicion(text)
        if problem:
            yield Remark("dangerous", f"{name}: {problem}")
        for pattern, level, what in _RISKY:
            if pattern.search(text):
                yield Remark(level, f"{name} {what}")


def trust_in(source: str, trusted: Sequence[str]) -> Trust:
    """Sources are addresses and folders; one is trusted that begins with a trusted one, up to
    the end of a part of it."""
    for begun in trusted:
        begun = begun.rstrip("/")
        if begun and (source == begun or source.startswith(f"{begun}/")):
            return "trusted"
    return "community"


def needs_force(remarks: Sequence[Remark], trust: Trust) -> bool:
    """Whether a person has to insist: on what is dangerous, and from just anybody on what is
    doubtful too."""
    return any(each.level == "dangerous" or trust == "community" for each in remarks)
