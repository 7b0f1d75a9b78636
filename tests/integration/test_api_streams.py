"""What goes over the wire while a turn runs, and what is left when it is over."""

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.api import run
from tests.integration.api_house import House, house, until
from tests.integration.test_api_runs import follow, start
from tests.servers.script import Call, Fault, Reply

HELLO: Any = {"messages": [{"role": "user", "content": "hello"}], "stream": True}


async def events(at: House, **more: Any) -> list[tuple[str, Any]]:
    """The names and data of a streamed chat completion."""
    answer = await at.http.post("/v1/chat/completions", json={**HELLO, **more})
    assert answer.headers["content-type"].startswith("text/event-stream")
    told: list[tuple[str, Any]] = []
    for block in answer.text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        data = fields["data"]
        told.append((fields.get("event", ""), data if data == "[DONE]" else json.loads(data)))
    return told


async def test_a_stream_is_made_of_the_documented_pieces(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(calls=[Call("todo", {"todos": []})]), Reply(text="Done.", chunks=2))
        told = await events(at)
        assert [name for name, _ in told if name] == ["hermes.tool.progress"] * 2
        chunks = [data for _, data in told[:-1]]
        assert told[-1] == ("", "[DONE]")
        assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
        assert len({chunk["id"] for chunk in chunks}) == 1
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert chunks[-1]["usage"]["completion_tokens"] > 0
        assert all("usage" not in chunk for chunk in chunks[:-1])


async def test_text_that_turned_out_void_is_set_apart_and_the_retry_is_told(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Fault.reset(after=2), Reply(text="The whole answer."))
        told = await events(at)
        assert "hermes.retry" in [name for name, _ in told]
        text = "".join(
            data["choices"][0]["delta"].get("content", "") for _, data in told if data != "[DONE]"
        )
        assert text.endswith("\n\nThe whole answer.")


async def test_a_failure_within_a_stream_is_an_error_and_no_finish(home: Path) -> None:
    async with house(home) as at:
        at.model.always(Fault.http(400, "no"))
        told = await events(at)
        assert told[-2][1]["error"]["code"] == "model_refused"
        assert all(
            each["choices"][0]["finish_reason"] is None
            for _, each in told
            if each != "[DONE]" and "choices" in each
        )


async def test_silence_is_filled_with_signs_of_life(home: Path) -> None:
    async with house(home, heartbeat=0.02) as at:
        hold = threading.Event()
        at.model.say(Reply(text="At last.", hold=hold, hold_after=0))
        beats = 0
        async with at.http.stream("POST", "/v1/chat/completions", json=HELLO) as answer:
            async for line in answer.aiter_lines():
                beats += line == ": keep-alive"
                if beats == 3:
                    hold.set()
        assert beats >= 3


async def test_a_turn_with_a_key_goes_on_when_its_client_is_gone(home: Path) -> None:
    async with house(home) as at:
        hold, reached = threading.Event(), threading.Event()
        at.model.say(Reply(text="Worth waiting for.", hold=hold, reached=reached))
        key = {"idempotency-key": "later"}
        asking = asyncio.create_task(at.http.post("/v1/chat/completions", json=HELLO, headers=key))
        await until(reached.is_set)
        asking.cancel()
        await asyncio.wait([asking])
        again = asyncio.create_task(at.http.post("/v1/chat/completions", json=HELLO, headers=key))
        hold.set()
        assert "Worth waiting for." in json.dumps((await again).text)
        assert len(at.model.model_requests) == 1


async def test_turns_can_be_told_to_finish_without_their_client(home: Path) -> None:
    async with house(home, on_disconnect="finish") as at:
        hold, reached = threading.Event(), threading.Event()
        at.model.say(Reply(text="Finished anyway.", hold=hold, reached=reached))
        asking = asyncio.create_task(at.http.post("/v1/chat/completions", json=HELLO))
        await until(reached.is_set)
        asking.cancel()
        await asyncio.wait([asking])
        hold.set()
        await until(lambda: at.store.list()[0].message_count == 2)
        assert at.store.history(at.store.list()[0].id)[-1].content == "Finished anyway."


async def test_who_follows_a_run_too_late_is_told_what_was_let_go(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MAX_EVENTS", 5)
    async with house(home) as at:
        at.model.say(Reply(text="one two three four five six", chunks=2))
        begun = await start(at)
        while (await at.http.get(f"/v1/runs/{begun['id']}")).json()["ended_at"] is None:
            pass
        told = await follow(at, begun["id"])
        assert told[0][1] == "gap"
        assert told[0][2]["missed"] == told[1][0] - 1
        assert told[-1][1] == "run.completed"
        assert len(told) == 6


async def test_nothing_is_left_of_requests_that_are_over(home: Path) -> None:
    async with house(home) as at:
        at.model.always(Reply(text="x", chunks=1))

        async def burst() -> None:
            for number in range(60):
                asking = asyncio.create_task(at.http.post("/v1/chat/completions", json=HELLO))
                if number % 3 == 0:
                    await asyncio.sleep(0)
                    asking.cancel()
                await asyncio.wait([asking])
            begun = await start(at)
            await follow(at, begun["id"])

        def left() -> tuple[int, int]:
            return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))

        await burst()
        async with asyncio.timeout(20):
            while "hermes_api_turns 0\n" not in (await at.http.get("/metrics")).text:
                pass
        before = left()
        await burst()
        await until(lambda: left()[0] <= before[0] and left()[1] <= before[1] + 2)


async def test_the_events_of_a_run_are_bounded_in_size(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MAX_BYTES", 2000)
    async with house(home) as at:
        at.model.say(Reply(text="word " * 400, chunks=100))
        begun = await start(at)
        while (await at.http.get(f"/v1/runs/{begun['id']}")).json()["ended_at"] is None:
            pass
        answer = await at.http.get(f"/v1/runs/{begun['id']}/events")
        assert "event: gap" in answer.text
        assert "event: run.completed" in answer.text
        assert len(answer.content) < 6000
