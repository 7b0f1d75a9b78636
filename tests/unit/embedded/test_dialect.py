"""What the small model is told: short, constant, and without what it cannot use."""

from hermes_agent.domain.messages import Message, ToolCall
from hermes_agent.providers.embedded import dialect
from hermes_agent.providers.embedded.dialect import Turn

ALL = frozenset({"terminal", "read_file", "write_file"})


def user(text: str) -> Message:
    return Message(role="user", content=text)


def test_examples_use_only_the_tools_that_are_there() -> None:
    without = dialect.opening(frozenset({"terminal"}))
    assert not any("write_file" in turn.content for turn in without)
    assert any("terminal" in turn.content for turn in without[1:])


def test_without_tools_no_calls_are_taught() -> None:
    assert not any('"arguments"' in turn.content for turn in dialect.opening(frozenset[str]()))


def test_the_opening_stays_short_enough_to_be_read_cold() -> None:
    assert sum(len(turn.content) for turn in dialect.opening(ALL)) < 3_000


def test_a_call_and_its_result_become_turns_that_alternate() -> None:
    call = ToolCall("c1", "terminal", '{"command":"ls"}')
    turns = dialect.conversation(
        [
            user("list"),
            Message(role="assistant", content="I shall.", tool_calls=(call,)),
            Message(role="tool", content='{"output":"a\\n","exit_code":1}', tool_call_id="c1"),
            user("and now?"),
        ],
        where="here",
    )
    assert turns == (
        Turn("user", "(here)\nlist"),
        Turn("assistant", '{"name": "terminal", "arguments": {"command": "ls"}}'),
        Turn("user", "Tool output:\na\n(exit code 1)\n\nand now?"),
    )


def test_a_long_result_loses_its_middle() -> None:
    call = ToolCall("c1", "terminal", "{}")
    text = "begin" + "x" * 50_000 + "end"
    turn = dialect.conversation(
        [
            user("go"),
            Message(role="assistant", tool_calls=(call,)),
            Message(role="tool", content=text, tool_call_id="c1"),
        ],
        where="",
    )[-1]
    assert len(turn.content) < dialect.RESULT_LIMIT + 200
    assert "begin" in turn.content
    assert turn.content.endswith("end")


def test_a_long_conversation_begins_with_a_persons_words_and_keeps_its_prefix() -> None:
    turns = [Turn("user" if n % 2 == 0 else "assistant", f"{n:03}" + "w" * 97) for n in range(41)]
    kept = dialect.fitting(turns, limit=1_000)
    more = [*turns, Turn("assistant", "x" * 100), Turn("user", "y" * 100)]
    assert kept[0].role == "user"
    assert kept[-1] == turns[-1]
    assert sum(len(turn.content) for turn in kept) <= 1_000
    assert dialect.fitting(more, limit=1_000)[0] == kept[0]


def test_a_result_is_never_the_first_turn() -> None:
    turns = [
        Turn("user", "a" * 900),
        Turn("assistant", "call"),
        Turn("user", dialect.RESULT + "b" * 900),
        Turn("assistant", "done"),
        Turn("user", "and?"),
    ]
    assert dialect.fitting(turns, limit=1_200)[0] == turns[-1]
