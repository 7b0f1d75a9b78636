"""docs/guide-coverage.md names tests that exist, and covers every option of a specification."""

import re
from pathlib import Path

import pytest

from hermes_agent.deploy.spec import Container, Specification

TOP = Path(__file__).parents[3]
PAGE = (TOP / "docs/guide-coverage.md").read_text("utf-8")
REFERENCES = sorted(set(re.findall(r"([a-z/_]+\.py)::(test_\w+)", PAGE)))
OURS = {"version", "name", "manager", "scope", "packageRoots", "gcRoots", "secrets", "hardening"}
"""What the guide does not know: the engine's own, and what was added."""


@pytest.mark.parametrize(("file", "name"), REFERENCES)
def test_each_test_that_is_named_exists(file: str, name: str) -> None:
    text = (TOP / "tests" / file).read_text("utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "shown by" not in line]
    assert len(rows) > 60
    assert [row for row in rows if "::test_" not in row] == []


def test_every_option_has_a_row() -> None:
    options = PAGE[PAGE.index("## Options") : PAGE.index("## Directory layout")]
    named = set(re.findall(r"`(?:container\.)?([A-Za-z]+)", options))
    known = {*Specification.__struct_encode_fields__} - OURS - {"container"}
    assert known - named == set()
    documented = {"enable", "backend", "image", "extraVolumes", "extraOptions"}
    assert documented <= named & set(Container.__struct_encode_fields__)
