"""What a skill would have of the machine."""

from pathlib import Path

import pytest

from hermes_agent.knowledge.skills.demands import demands, more_than, secrets
from hermes_agent.knowledge.skills.skill import Skill, read

ASKS = """required_environment_variables:
  - name: BREW_TOKEN
    prompt: Paste it here
  - name: "evil\\nname"
  - 7
prerequisites: {env_vars: [BREW_URL, BREW_TOKEN], commands: [kettle, "rm -rf /"]}
metadata: {hermes: {requires_tools: [terminal]}}
"""


def write(folder: Path, more: str = "") -> Skill:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "SKILL.md").write_text(f"---\nname: brew\ndescription: Brews.\n{more}---\nBoil.\n")
    return read(folder)


def test_what_the_front_matter_asks_for_is_named(tmp_path: Path) -> None:
    skill = write(tmp_path, ASKS)
    assert demands(skill) == [
        "asks for the variable BREW_URL",
        "asks for the secret BREW_TOKEN",
        "needs the program kettle",
        "is for agents with terminal",
    ]
    assert secrets(skill) == ["BREW_TOKEN"]


@pytest.mark.parametrize(
    ("name", "data", "mode"),
    [
        ("scripts/brew.txt", b"boil", 0o644),
        ("references/brew", b"boil", 0o755),
        ("brew.md", b"#!/bin/sh\nboil", 0o644),
        ("assets/tea", b"\x7fELF\x02", 0o644),
    ],
)
def test_a_program_is_named_whatever_it_calls_itself(
    tmp_path: Path, name: str, data: bytes, mode: int
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(data)
    (tmp_path / name).chmod(mode)
    assert demands(write(tmp_path)) == [f"brings the program {name!r}"]


def test_text_is_no_demand(tmp_path: Path) -> None:
    (tmp_path / "references").mkdir()
    (tmp_path / "references/more.md").write_text("# More")
    assert demands(write(tmp_path)) == []


def test_only_what_an_update_adds_counts(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old", ASKS), write(tmp_path / "new", ASKS)
    assert more_than(old, new) == []
    assert more_than(new, write(tmp_path / "new")) == []
    (tmp_path / "new/scripts").mkdir()
    (tmp_path / "new/scripts/x\n.sh").write_text("true")
    assert more_than(old, write(tmp_path / "new", ASKS)) == ["brings the program 'scripts/x\\n.sh'"]


@pytest.mark.parametrize(
    "more",
    [
        "prerequisites: 7\nrequired_environment_variables: {a: b}\n",
        "prerequisites: [a]\nrequired_environment_variables: A_KEY B\n",
        "prerequisites: {env_vars: {a: [b]}, commands: ~}\n",
    ],
)
def test_front_matter_of_another_shape_is_no_crash(tmp_path: Path, more: str) -> None:
    demands(write(tmp_path, more))
