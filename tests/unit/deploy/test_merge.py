"""config.yaml: the declaration and the person's own keys in one file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.config import reading
from hermes_agent.deploy.setup.merge import CannotKeepForm, merged, rewritten, written


def applied(text: str, declared: dict[str, Any], last: dict[str, Any] | None = None) -> str:
    """The file after the declaration was applied to it."""
    disk = reading.parse(text, "config.yaml").data
    return rewritten(text, merged(last or {}, declared, disk))


def data(text: str) -> dict[str, Any]:
    return reading.parse(text, "config.yaml").data


def test_a_fresh_file_says_what_is_declared() -> None:
    declared = {"model": {"default": "a/b"}, "toolsets": ["all"], "terminal": {"timeout": 180}}
    assert data(written(declared, "# heading\n")) == declared
    assert written(declared, "# heading\n").startswith("# heading\nmodel:\n  default: a/b\n")


def test_a_declared_key_overrides_the_one_in_the_file() -> None:
    text = "model:\n  default: mine  # my choice\nterminal:\n  timeout: 1\n"
    assert data(applied(text, {"model": {"default": "theirs"}})) == {
        "model": {"default": "theirs"},
        "terminal": {"timeout": 1},
    }


def test_a_person_s_own_keys_stay_with_their_comments_and_order() -> None:
    text = "# top\nzebra: 1\n\n# about the model\nmodel:\n  base_url: http://mine  # here\n"
    assert applied(text, {"model": {"default": "a/b"}}) == text + "  default: a/b\n"


def test_declared_overridden_and_own_keys_mix() -> None:
    text = "display:\n  compact: true\n  mine: x\nmemory: {memory_enabled: false}\n"
    declared = {"display": {"compact": False, "personality": "kawaii"}, "max_turns": 100}
    assert data(applied(text, declared)) == {
        "display": {"compact": False, "mine": "x", "personality": "kawaii"},
        "memory": {"memory_enabled": False},
        "max_turns": 100,
    }


def test_declared_mcp_servers_stand_beside_a_person_s_own() -> None:
    text = "mcp_servers:\n  mine:\n    command: here\n"
    declared = {"mcp_servers": {"filesystem": {"command": "npx", "args": ["-y", "p"]}}}
    assert data(applied(text, declared))["mcp_servers"] == {
        "mine": {"command": "here"},
        "filesystem": {"command": "npx", "args": ["-y", "p"]},
    }


def test_maps_merge_at_every_depth_and_lists_are_replaced_whole() -> None:
    text = "a:\n  b:\n    c: {d: 1, mine: 2}\n    list: [1, 2, 3]\n"
    declared = {"a": {"b": {"c": {"d": 5}, "list": [9]}}}
    assert data(applied(text, declared)) == {"a": {"b": {"c": {"d": 5, "mine": 2}, "list": [9]}}}


def test_applying_the_same_twice_changes_no_byte() -> None:
    declared = {"model": {"default": "a"}, "toolsets": ["x"], "n": None, "e": {}, "f": 0.85}
    once = applied("# mine\nown: 1\n", declared)
    assert applied(once, declared, declared) == once


@pytest.mark.parametrize(
    ("text", "last", "declared", "left"),
    [
        ("a: 1\nb: 2\n", {"a": 1, "b": 2}, {"a": 1}, {"a": 1}),
        ("a: {x: 1, mine: 2}\n", {"a": {"x": 1}}, {}, {"a": {"mine": 2}}),
        ("a: {x: 1}\nb: 1\n", {"a": {"x": 1}}, {}, {"b": 1}),
        ("a: changed\n", {"a": 1}, {}, {}),
        ("a: {mine: 1}\n", {"a": 1}, {}, {"a": {"mine": 1}}),
        ("a: 1\n", {"a": {"x": 1}}, {}, {"a": 1}),
        ("a: {x: 1, mine: 1}\n", {"a": {"x": 1}}, {"a": 5}, {"a": 5}),
        ("a: 5\n", {"a": 5}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ("b: 1\n", {"a": {"x": 1}}, {}, {"b": 1}),
        ("a: [1]\n", {"a": [1, 2]}, {}, {}),
        ("model: {default: x, mine: 1}\n", {"model": "x"}, {}, {"model": {"mine": 1}}),
    ],
)
def test_a_key_that_left_the_declaration_leaves_the_file(
    text: str, last: dict[str, Any], declared: dict[str, Any], left: dict[str, Any]
) -> None:
    assert data(applied(text, declared, last)) == left


def test_a_key_that_stands_there_twice_is_right_in_the_end() -> None:
    assert data(applied("a: 1\na: 2\n", {}, {"a": 2})) == {}
    assert data(applied("a: 1\na: 2\n", {"a": 3})) == {"a": 3}


def test_yes_one_and_one_point_nought_are_different_values() -> None:
    for declared in (True, 1, 1.0, "1", "true"):
        for present in ("true", "1", "1.0", '"1"', '"true"'):
            value = data(applied(f"a: {present}\n", {"a": declared}))["a"]
            assert (type(value), value) == (type(declared), declared)


def test_a_model_s_bare_name_leaves_a_person_s_address_of_it() -> None:
    text = "model:\n  default: a\n  base_url: http://mine\n"
    assert data(applied(text, {"model": "b"})) == {
        "model": {"default": "b", "base_url": "http://mine"}
    }
    assert data(applied("model: a\n", {"model": "b"})) == {"model": {"default": "b"}}


def test_a_form_that_cannot_be_changed_in_place_is_said() -> None:
    text = "base: &b {x: 1}\na:\n  <<: *b\n  y: 2\n"
    with pytest.raises(CannotKeepForm):
        applied(text, {}, {"a": {"x": 1}})
    target = merged({"a": {"x": 1}}, {}, data(text))
    assert data(written(target)) == {"base": {"x": 1}, "a": {"y": 2}}


def test_a_bom_and_windows_lines_stay() -> None:
    assert applied("\ufeffa: 1\r\nb: 2\r\n", {"b": 3}) == "\ufeffa: 1\r\nb: 3\r\n"


KEYS = st.sampled_from(["a", "b", "model", "on", "1", "x y", "ü:", "#", ""])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    st.lists(st.sampled_from(["a", "1", "off", ""]), max_size=3),
)
MAPS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3),
    lambda inner: st.dictionaries(KEYS, st.one_of(LEAVES, inner), max_size=3),
    max_leaves=8,
)


@given(MAPS, MAPS, MAPS)
def test_whatever_was_there_the_file_says_the_declaration_and_is_stable(
    last: dict[str, Any], declared: dict[str, Any], disk: dict[str, Any]
) -> None:
    target = merged(last, declared, disk)
    try:
        text = rewritten(written(disk), target)
    except CannotKeepForm:
        text = written(target)
    now = data(text)
    assert now == target
    assert rewritten(text, merged(declared, declared, now)) == text
