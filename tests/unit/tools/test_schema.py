"""The schemas as they are sent."""

from pathlib import Path

import msgspec
import pytest

from hermes_agent.tools import schema
from hermes_agent.tools.arguments import Shape
from hermes_agent.tools.table import TABLE
from tests.unit.tools.room import OWN

FOLDER = Path(schema.__file__).parent / "builtin"


@pytest.mark.parametrize("name", TABLE)
def test_every_tool_in_the_table_has_a_module_and_a_schema_of_its_name(name: str) -> None:
    spec = schema.load(TABLE[name].module)
    assert spec.name == name
    assert (FOLDER / f"{TABLE[name].module}.py").exists()


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What `Shape` knows, and `description`; anything else is an error."""

    type: str = ""
    description: str = ""
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0
    max_items: int | None = None
    items: "Strict | None" = None
    properties: dict[str, "Strict"] = {}
    required: tuple[str, ...] = ()


@pytest.mark.parametrize("name", OWN)
def test_a_schema_says_nothing_that_is_not_checked(name: str) -> None:
    assert set(Shape.__struct_fields__) == set(Strict.__struct_fields__) - {"description"}
    msgspec.json.decode(schema.load(name).parameters, type=Strict)


def test_all_schemas_together_stay_small() -> None:
    sent = [
        {
            "type": "function",
            "function": {
                "name": spec.name,
                "description": spec.description,
                "parameters": spec.parameters,
            },
        }
        for spec in schema.load_all(entry.module for entry in TABLE.values())
    ]
    assert len(msgspec.json.encode(sent)) <= 9 * 1024


def test_the_same_file_gives_the_same_bytes() -> None:
    first, second = (schema.load_all(OWN) for _ in range(2))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
    assert b"\n  " not in msgspec.json.encode(first)
