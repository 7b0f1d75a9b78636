"""docs/configuration.md says nothing that the schema does not."""

import re
from pathlib import Path

import msgspec
import pytest

from hermes_agent.config import keys
from hermes_agent.config.load import default
from hermes_agent.config.schema import Config

TEXT = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| (?:`([^`]*)`)? *\|", TEXT, re.MULTILINE)
DOTTED = sorted(
    {
        word
        for word in re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)`", TEXT)
        if word.split(".")[0] in Config.__struct_encode_fields__
    }
    | set(re.findall(r"config (?:un)?set ([a-z_.]+)", TEXT))
)


@pytest.mark.parametrize("key", DOTTED)
def test_every_key_that_is_named_exists(key: str) -> None:
    assert keys.find(keys.split(key)) is not None


@pytest.mark.parametrize(("key", "shown"), ROWS)
def test_every_default_that_is_named_is_the_default(key: str, shown: str) -> None:
    value = default(keys.split(key))
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    assert (shown or None) in (text or None, None if value is None else text)


def test_the_table_was_found() -> None:
    assert len(ROWS) > 15
    assert len(DOTTED) > 20
