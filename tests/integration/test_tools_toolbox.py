"""The toolbox: what goes in is what a model writes, what comes out is always a result."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hermes_agent.domain.messages import Message, ToolCall
from hermes_agent.tools.builtin.todo import restored
from hermes_agent.tools.contract import Limits
from hermes_agent.tools.session import Todo
from tests.unit.tools.room import Person, bench, quiet


def call_of(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("call_1", name, msgspec.json.encode(arguments).decode())


def starred(text: str) -> str:
    return text.replace("hunter2", "***")


async def test_unknown_tools_and_bad_arguments_come_back_as_lessons(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=["read_file", "todo"]) as call:
        run = call.toolbox.run
        near = await run(ToolCall("a", "ReadFile", "{}"), quiet)
        assert near.status == "error"
        assert "Did you mean read_file?" in near.content
        absent = await run(ToolCall("b", "write_file", "{}"), quiet)
        assert "There is no tool 'write_file'" in absent.content
        far = await run(ToolCall("c", "zzzz", "{}"), quiet)
        assert "The tools are: read_file, todo." in far.content
        cut = await run(ToolCall("d", "read_file", '{"path": "a'), quiet)
        assert "end in the middle" in cut.content
        lacking = await run(ToolCall("e", "read_file", '{"file": "a"}'), quiet)
        assert "`path` is missing" in lacking.content
        assert (cut.call_id, cut.name) == ("d", "read_file")


async def test_ignored_arguments_are_noted_in_the_result(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x\n")
    async with bench(tmp_path) as call:
        result = await call("read_file", path="a", encoding="utf-8")
        assert result["content"] == "1|x"
        assert "`encoding` was ignored" in result["note"]


async def test_specs_come_in_the_tables_order_and_never_change(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=["todo", "read_file"]) as one, bench(tmp_path) as two:
        assert [spec.name for spec in one.toolbox.specs()] == ["read_file", "todo"]
        same = [spec for spec in two.toolbox.specs() if spec.name in ("read_file", "todo")]
        assert msgspec.json.encode(one.toolbox.specs()) == msgspec.json.encode(same)


async def test_a_summary_never_fails_and_is_one_line(tmp_path: Path) -> None:
    async with bench(tmp_path, redact=starred) as call:
        summary = call.toolbox.summary
        assert summary(call_of("read_file", path="a\nb")) == "read a b"
        assert summary(call_of("read_file", path="hunter2")) == "read ***"
        assert summary(ToolCall("x", "nope", "{{{")) == "nope"
        assert summary(ToolCall("x", "patch", "{}")) == "patch"
        assert len(summary(call_of("clarify", question="w" * 5000))) <= 200


async def test_results_are_cut_to_the_limit_and_stay_json(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("word " * 1900 + "\n")
    async with bench(tmp_path, limits=Limits(output_chars=1000)) as call:
        result = await call.result("read_file", path="a")
        assert len(result.content) <= 1000
        assert "characters left out" in msgspec.json.decode(result.content)["content"]


async def test_a_fault_in_a_tool_never_ends_the_turn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenPerson(Person):
        async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
            raise ZeroDivisionError("at the panel")

    async with bench(tmp_path, person=BrokenPerson()) as call:
        with caplog.at_level(logging.ERROR):
            result = await call.result("clarify", question="?")
    assert result.status == "error"
    assert "ZeroDivisionError" in result.content
    assert "clarify failed" in caplog.text


async def test_a_cancelled_call_comes_back_as_interrupted(tmp_path: Path) -> None:
    asked = asyncio.Event()

    class Slow(Person):
        async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
            asked.set()
            await asyncio.Event().wait()
            return None

    async with bench(tmp_path, person=Slow()) as call:
        task = asyncio.ensure_future(call.result("clarify", question="?"))
        await asked.wait()
        task.cancel()
        result = await task
    assert result.status == "interrupted"


async def test_looking_runs_side_by_side_and_writing_only_apart(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    async with bench(tmp_path, tools=_EVERY) as call:
        independent = call.toolbox.independent
        read_a, read_b = call_of("read_file", path="a"), call_of("read_file", path="b")
        write_a = call_of("write_file", path="./x/../a", content="")
        write_b = call_of("write_file", path="b", content="")
        patch_a = call_of("patch", mode="patch", patch="*** Update File: link\n-a\n+b")
        search, todo = call_of("search_files", pattern="x"), call_of("todo")
        ask = call_of("clarify", question="?")
        assert independent([read_a, read_b, read_a, search, todo])
        assert independent([write_a, write_b, todo])
        assert independent([write_a, read_b])
        assert not independent([write_a, read_a])
        assert not independent([write_a, patch_a])
        assert not independent([write_a, search])
        assert not independent([todo, todo])
        assert not independent([read_a, ask])
        assert not independent([call_of("terminal", command="ls"), read_a])
        assert independent([ToolCall("x", "patch", "{{"), ToolCall("y", "nope", "{}")])


_EVERY = ("terminal", "read_file", "write_file", "patch", "search_files", "todo", "clarify")


async def test_commands_that_only_look_run_side_by_side(tmp_path: Path) -> None:
    async with bench(tmp_path, tools=_EVERY, side_effect_free="ls".__eq__) as call:
        independent = call.toolbox.independent
        look = call_of("terminal", command="ls")
        assert independent([look, look, call_of("read_file", path="a")])
        assert not independent([look, call_of("write_file", path="a", content="")])
        assert not independent([look, call_of("terminal", command="rm x")])
        assert not independent([look, call_of("terminal", command="ls", background=True)])


async def test_the_list_of_steps_is_written_merged_and_read(tmp_path: Path) -> None:
    async with bench(tmp_path) as call:
        await call("todo", todos=[{"id": "1", "content": "cook"}, {"id": "2", "content": "eat"}])
        merged = await call("todo", todos=[{"id": 1, "status": "completed"}], merge=True)
        assert merged["todos"] == [
            {"id": "1", "content": "cook", "status": "completed"},
            {"id": "2", "content": "eat", "status": "pending"},
        ]
        assert (await call("todo"))["summary"]["completed"] == 1
        bad = await call("todo", todos=[{"id": "9"}], merge=True)
        assert "has no content" in bad["error"]
        assert (await call("todo", todos=[]))["todos"] == []


async def test_the_list_of_steps_comes_back_from_a_stored_conversation(tmp_path: Path) -> None:
    async with bench(tmp_path) as call:
        good = await call.result("todo", todos=[{"id": "1", "content": "cook"}])
        bad = await call.result("todo", todos=[{"id": "2"}])
    stored = [
        Message(role="tool", tool_name=result.name, content=result.content)
        for result in (good, bad)
    ]
    assert restored([*stored, Message(role="user", content="todo")]) == [Todo("1", "cook")]
    assert restored([]) == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read_file", r'{"path": "a\u0000b"}'),
        ("write_file", r'{"path": "half \ud83d", "content": "half \ud83d"}'),
        ("search_files", r'{"pattern": "\u0000"}'),
        ("read_file", r'{"path": "%s"}' % ("x" * 5000)),
        ("read_file", r'{"path": "~nobody/x"}'),
        ("patch", r'{"mode": "patch", "patch": "*** Add File: \u0000"}'),
        ("read_file", r'{"path": "a.txt/b"}'),
        ("search_files", r'{"pattern": "x", "path": "pipe"}'),
        ("todo", r'{"todos": [{"id": "", "content": "x"}]}'),
    ],
)
async def test_hostile_arguments_give_plain_answers(
    tmp_path: Path, name: str, arguments: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.txt").write_text("x\n")
    os.mkfifo(tmp_path / "pipe")
    async with bench(tmp_path) as call:
        call.toolbox.independent([ToolCall("1", name, arguments)] * 2)
        result = await call.toolbox.run(ToolCall("1", name, arguments), quiet)
    assert "failed unexpectedly" not in result.content
    assert not caplog.records
    msgspec.json.decode(result.content)


async def test_the_person_is_asked_and_silence_is_said_to_be_silence(tmp_path: Path) -> None:
    person = Person("red")
    async with bench(tmp_path, person=person) as call:
        answered = await call("clarify", question="Colour?", choices=["red", "blue", "red"])
        assert answered["user_response"] == "red"
        assert person.asked == [("Colour?", ("red", "blue"))]
        person.answer = None
        silent = await call("clarify", question="Colour?")
        assert silent["user_response"] is None
        assert "Nobody answered" in silent["hint"]
        many = await call("clarify", question="?", choices=list("abcde"))
        assert "at most 4" in many["error"]
