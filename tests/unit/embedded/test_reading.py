"""What the small model writes is read leniently, but never completed where it was cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.providers.embedded.reading import Call, Reader

TOOLS = {"terminal", "write_file"}
LS = Call("terminal", '{"command": "ls"}')


def read(text: str, *, step: int, cut: bool = False) -> tuple[str, Call | None]:
    """What a reader shows and finds when the text comes `step` characters at a time."""
    reader = Reader(TOOLS)
    shown = ""
    for begin in range(0, len(text), step):
        shown += reader.feed(text[begin : begin + step])
        if reader.call:
            return shown, reader.call
    return shown + reader.close(cut=cut), reader.call


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize(
    "text",
    [
        '{"name": "terminal", "arguments": {"command": "ls"}}',
        '\n {"name": "terminal", "arguments": {"command": "ls"}}\nTool output:\nmade up',
        '```json\n{"name": "terminal", "arguments": {"command": "ls"}}\n```',
        '```\n{"name": "terminal", "parameters": {"command": "ls"}}\n```',
        '<tool_call>\n{"name": "terminal", "arguments": {"command": "ls"}}\n</tool_call>',
        '{"tool": "terminal", "args": {"command": "ls"}}',
        '{"name": "terminal", "arguments": "{\\"command\\": \\"ls\\"}"}',
        '{"type": "function", "function": {"name": "terminal", "arguments": {"command": "ls"}}}',
        '{"name": "terminal", "command": "ls"}',
        '{"name": "terminal", "arguments": {"command": "ls"}',
    ],
)
def test_a_call_is_found_in_its_usual_wrappings(text: str, step: int) -> None:
    assert read(text, step=step) == ("", LS) or read(text, step=step) == ("\n", LS)


@pytest.mark.parametrize("step", [1, 1000])
def test_words_before_a_call_are_shown_and_the_call_is_not(step: int) -> None:
    text = 'I will look.\n```json\n{"name": "terminal", "arguments": {"command": "ls"}}\n```'
    shown, call = read(text, step=step)
    assert (shown.strip(), call) == ("I will look.", LS)


@pytest.mark.parametrize(
    "text",
    [
        'Like this: {"name": "nobody", "arguments": {}}',
        '{"name": "nobody", "arguments": {}, "and": "more"}',
        '{"name": "two words", "arguments": {}}',
        '{"colour": "red"}',
        "```python\nprint({1: 2})\n```\nThat prints a dictionary.",
        'Use {"a": 1} for that.',
        "{ is a brace",
        '{"name": "write_file", "arguments": {"path": "a", "content": "half',
        '{"name": ["terminal"], "arguments": {}}',
        "[" * 5000 + '{"name"',
        '{"name": ' * 5000,
    ],
)
def test_what_is_no_call_is_an_answer_in_full(text: str) -> None:
    for step in (1, 7, 10000):
        assert read(text, step=step) == (text, None)


def test_a_call_cut_at_the_token_limit_is_not_run() -> None:
    text = '{"name": "terminal", "arguments": {"command": "rm -r old"'
    assert read(text, step=5, cut=True) == (text, None)


@pytest.mark.parametrize("step", [1, 1000])
def test_a_call_to_a_tool_that_does_not_exist_is_handed_on_to_be_refused(step: int) -> None:
    text = '{"name": "mkdir", "arguments": {"path": "reports"}}'
    assert read(text, step=step) == ("", Call("mkdir", '{"path": "reports"}'))


def test_raw_newlines_in_a_string_are_taken() -> None:
    text = '{"name": "write_file", "arguments": {"path": "a", "content": "one\ntwo"}}'
    _, call = read(text, step=4)
    assert call is not None
    assert json.loads(call.arguments) == {"path": "a", "content": "one\ntwo"}


@given(st.text(alphabet='ab{}"`\n:[]<tool_call>\\ ', max_size=60), st.integers(1, 9))
def test_text_without_a_call_arrives_unchanged_however_it_is_cut(text: str, step: int) -> None:
    assert read(text, step=step) == (text, None)
