"""What the model wrote becomes arguments, or a sentence that teaches it."""

import pytest

from hermes_agent.tools.arguments import ArgumentFault, Shape, parse, validate

SHAPE = Shape(
    type="object",
    properties={
        "path": Shape(type="string", min_length=1),
        "limit": Shape(type="integer", minimum=1, maximum=2000),
        "every": Shape(type="boolean"),
        "mode": Shape(type="string", enum=("replace", "patch")),
        "tags": Shape(type="array", items=Shape(type="string"), max_items=2),
    },
    required=("path",),
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", {}),
        ('{"a": 1}', {"a": 1}),
        ('{"a": [1, 2,], }', {"a": [1, 2]}),
        ('{"a": ",}"}', {"a": ",}"}),
        ("{'a': True, 'b': None}", {"a": True, "b": None}),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('"{\\"a\\": 1}"', {"a": 1}),
    ],
)
def test_slips_that_can_mean_one_thing_are_mended(text: str, meant: dict[str, object]) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": "cut', "end in the middle"),
        ('{"a": ', "end in the middle"),
        ('{"a": 1} {"b": 2}', "character 9"),
        ('{"a" 1}', "⟪here⟫"),
        ("[1]", "must be a JSON object, not a list"),
        ('{"a": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("{'a': {1, 2}, 'b': ...}", "not valid JSON"),
    ],
)
def test_bad_json_is_explained_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ArgumentFault) as fault:
        parse(text)
    assert said in fault.value.message


def test_values_are_brought_to_the_schemas_types() -> None:
    given: dict[str, object] = {
        "path": 7,
        "limit": "5",
        "every": "true",
        "mode": "Patch",
        "tags": '["a"]',
    }
    value, notes = validate(given, SHAPE)
    assert value == {"path": "7", "limit": 5, "every": True, "mode": "patch", "tags": ["a"]}
    assert notes == []


def test_unknown_arguments_are_dropped_and_ranges_kept_with_a_note() -> None:
    value, notes = validate({"path": "a", "limit": 9999, "color": "red"}, SHAPE)
    assert value == {"path": "a", "limit": 2000}
    assert len(notes) == 2
    assert "2000" in notes[0]
    assert "color" in notes[1]


def test_null_for_an_optional_argument_means_not_given() -> None:
    assert validate({"path": "a", "limit": None}, SHAPE)[0] == {"path": "a"}


def test_every_problem_is_named_at_once_and_a_wrong_name_is_recognised() -> None:
    given: dict[str, object] = {
        "file_path": "x",
        "limit": "many",
        "mode": "regex",
        "tags": ["a", "b", "c"],
    }
    with pytest.raises(ArgumentFault) as fault:
        validate(given, SHAPE)
    for words in (
        "`path` is missing (you wrote `file_path`)",
        '`limit` must be a whole number, not "many"',
        'must be one of "replace", "patch"',
        "`tags` holds 3; at most 2",
    ):
        assert words in fault.value.message
    assert "path (string, required)" in (fault.value.hint or "")


@pytest.mark.parametrize("value", [1.5, "1.5", True, [1], "inf", "nan"])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(ArgumentFault, match="`limit` must be"):
        validate({"path": "a", "limit": value}, SHAPE)
