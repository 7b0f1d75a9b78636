"""The schema describes itself, for people and for editors."""

from typing import Any, cast

import msgspec

from hermes_agent.config import effective, keys
from hermes_agent.config.describe import describe, json_schema
from hermes_agent.config.normalise import from_text
from hermes_agent.config.variables import SWITCHES, VARIABLES


def test_every_key_has_a_description() -> None:
    assert [key for key in keys.known() if not describe(keys.split(key))] == []


def test_the_json_schema_describes_every_key_and_shows_its_default() -> None:
    schema = json_schema()
    definitions = cast("dict[str, Any]", schema["$defs"])
    assert definitions["Terminal"]["properties"]["timeout"]["default"] == 180
    assert definitions["Approvals"]["properties"]["mode"]["enum"] == ["manual", "off", "smart"]
    assert {"type": "string"} in schema["properties"]["model"]["anyOf"]
    for section in [schema, *definitions.values()]:
        assert all(p.get("description") for p in section["properties"].values())
    msgspec.json.encode(schema)


def test_every_variable_sets_a_key_of_the_schema() -> None:
    targets = [key for _, key in VARIABLES] + [key for key, _ in SWITCHES.values()]
    assert [key for key in targets if keys.find(keys.split(key)) is None] == []


def test_every_effective_key_is_a_key_of_the_schema() -> None:
    assert [rule for rule in effective.rules() if keys.find(rule.path) is None] == []


def test_a_value_that_has_no_effect_yet_is_found() -> None:
    data: dict[str, Any] = {
        "terminal": {"container_disk": 100, "timeout": 5},
        "approvals": {"mode": "off"},
        "tts": {"provider": "edge"},
    }
    assert effective.idle(
        ["terminal.container_disk", "terminal.timeout", "approvals.mode", "tts.provider"], data
    ) == [
        "terminal.container_disk",
        "tts.provider",
    ]


def test_text_from_a_command_line_becomes_what_the_key_holds() -> None:
    def given(key: str, text: str) -> Any:
        shape = keys.find(keys.split(key))
        assert shape is not None
        return from_text(text, shape)

    assert given("display.compact", "Yes") is True
    assert given("display.compact", "off") is False
    assert given("approvals.mode", "OFF") == "off"
    assert given("agent.max_turns", "5") == 5
    assert given("compression.threshold", "0.7") == 0.7
    assert given("toolsets", "a, b") == ["a", "b"]
    assert given("toolsets", "[a, 'b c']") == ["a", "b c"]
    assert given("timezone", "5") == "5"
    assert given("honcho", "{a: 1}") == {"a": 1}
    assert given("cron.max_parallel_jobs", "3") == 3
