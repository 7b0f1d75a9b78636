"""Chat completions with the official client, the real host and a scripted model."""

import asyncio
import base64
import json
import threading
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.integration.api_house import House, house, until
from tests.servers.script import Call, Fault, Reply, Usage

DOT = b"\x89PNG\r\n\x1a\n a dot"


async def test_the_official_client_gets_an_answer_with_its_usage(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="Good day.", usage=Usage(input=70, output=5, cache_read=30)))
        answer = await at.client.chat.completions.create(
            model="hermes-agent", messages=[{"role": "user", "content": "hello"}]
        )
        assert answer.choices[0].message.content == "Good day."
        assert answer.choices[0].finish_reason == "stop"
        assert answer.model == "hermes-agent"
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (70, 5)
        assert answer.usage.prompt_tokens_details is not None
        assert answer.usage.prompt_tokens_details.cached_tokens == 30


async def test_a_stream_has_a_role_pieces_a_finish_with_usage_and_done(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="One two three.", chunks=4))
        stream = await at.client.chat.completions.create(
            model="hermes-agent",
            messages=[{"role": "user", "content": "count"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[0].choices[0].delta.role == "assistant"
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == "One two three."
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert chunks[-2].usage is not None
        assert chunks[-1].choices == []
        assert chunks[-1].usage is not None


HELLO: Any = [{"role": "user", "content": "hello"}]


def sent(at: House, number: int = -1) -> list[tuple[str, Any]]:
    """Roles and contents that the model was shown, without the system prompt."""
    messages = at.model.model_requests[number].payload["messages"]
    return [(m["role"], m["content"]) for m in messages if m["role"] != "system"]


def system(at: House, number: int = -1) -> str:
    messages = at.model.model_requests[number].payload["messages"]
    return "\n".join(str(m["content"]) for m in messages if m["role"] == "system")


async def test_the_clients_own_history_is_shown_but_not_stored(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="Ada."))
        raw = await at.client.chat.completions.with_raw_response.create(
            model="hermes-agent",
            messages=[
                {"role": "system", "content": "Speak like a pirate."},
                {"role": "user", "content": "I am Ada."},
                {"role": "assistant", "content": "Hello."},
                {"role": "user", "content": "Who am I?"},
            ],
        )
        assert sent(at) == [
            ("user", "I am Ada."),
            ("assistant", "Hello."),
            ("user", "Who am I?"),
        ]
        assert "Speak like a pirate." in system(at)
        stored = at.store.history(raw.headers["x-hermes-session-id"])
        assert [m.content for m in stored] == ["Who am I?", "Ada."]
        row = at.store.get(raw.headers["x-hermes-session-id"])
        assert row.source == "api_server"
        assert "pirate" not in (row.system_prompt or "")


async def test_a_session_named_in_the_header_goes_on_with_the_last_message_only(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="one"), Reply(text="two"))
        raw = await at.client.chat.completions.with_raw_response.create(
            model="hermes-agent", messages=HELLO
        )
        session_id = raw.headers["x-hermes-session-id"]
        raw = await at.client.chat.completions.with_raw_response.create(
            model="hermes-agent",
            messages=[
                {"role": "user", "content": "what the client believes"},
                {"role": "user", "content": "again"},
            ],
            extra_headers={"X-Hermes-Session-Id": session_id},
        )
        assert raw.headers["x-hermes-session-id"] == session_id
        assert sent(at) == [("user", "hello"), ("assistant", "one"), ("user", "again")]


async def test_a_session_that_does_not_exist_is_not_made_by_its_id(home: Path) -> None:
    async with house(home) as at:
        with pytest.raises(openai.NotFoundError, match="no session 20260101_000000_abcdef"):
            await at.client.chat.completions.create(
                model="hermes-agent",
                messages=HELLO,
                extra_headers={"X-Hermes-Session-Id": "20260101_000000_abcdef"},
            )
        for bad in ("../../etc", "a b", "", "x" * 200):
            with pytest.raises(openai.BadRequestError):
                await at.client.chat.completions.create(
                    model="hermes-agent",
                    messages=HELLO,
                    extra_headers={"X-Hermes-Session-Id": bad},
                )
        assert at.model.model_requests == []


async def test_a_session_key_stands_for_the_same_session_each_time(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="one"), Reply(text="two"), Reply(text="three"))
        found: list[str] = []
        for key in ("window 7", "window 7", "window 8"):
            raw = await at.client.chat.completions.with_raw_response.create(
                model="hermes-agent", messages=HELLO, extra_headers={"X-Hermes-Session-Key": key}
            )
            found.append(raw.headers["x-hermes-session-id"])
        assert found[0] == found[1] != found[2]
        assert "window" not in found[0]
        assert sent(at, 1) == [("user", "hello"), ("assistant", "one"), ("user", "hello")]


async def test_tools_at_work_are_told_in_chunks_that_every_client_can_read(home: Path) -> None:
    async with house(home) as at:
        at.model.say(
            Reply(text="Let me see.", calls=[Call("todo", {"todos": []})]), Reply(text="Done.")
        )
        stream = await at.client.chat.completions.create(
            model="hermes-agent", messages=HELLO, stream=True
        )
        # The naive way that most programs are written in: every chunk has a choice with a delta.
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == "Let me see.\n\nDone."
        extras = [getattr(chunk, "hermes", None) for chunk in chunks]
        told = [(each["status"], each["tool"]) for each in extras if each]
        assert told == [("started", "todo"), ("finished", "todo")]
        at.model.say(
            Reply(text="Let me see.", calls=[Call("todo", {"todos": []})]), Reply(text="Done.")
        )
        async with at.client.chat.completions.stream(
            model="hermes-agent", messages=HELLO
        ) as assembled:
            final = await assembled.get_final_completion()
        assert final.choices[0].message.content == "Let me see.\n\nDone."


async def test_pictures_come_as_data_urls_and_nothing_is_fetched(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="A dot."))
        url = f"data:image/png;base64,{base64.b64encode(DOT).decode()}"

        async def ask(picture: str) -> str | None:
            answer = await at.client.chat.completions.create(
                model="hermes-agent",
                messages=[
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "What is it?"},
                            {"type": "image_url", "image_url": {"url": picture}},
                        ],
                    }
                ],
            )
            return answer.choices[0].message.content

        assert await ask(url) == "A dot."
        assert url in json.dumps(at.model.model_requests[-1].payload)
        for bad in (
            f"{at.model.root_url}/dot.png",
            "file:///etc/passwd",
            "data:image/svg+xml;base64,PHN2Zz4=",
            "data:image/png;base64,???",
            "data:image/png,raw",
        ):
            with pytest.raises(openai.BadRequestError) as caught:
                await ask(bad)
            assert caught.value.code == "unsupported_image"
        assert len(at.model.model_requests) == 1
        assert not [each for each in at.model.requests if "dot.png" in each.path]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "  "}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": HELLO, "n": 2}, "n"),
        ({"messages": HELLO, "temperature": 3}, "temperature"),
        ({"messages": HELLO, "tool_choice": "required", "tools": []}, "tool_choice"),
        ({"messages": HELLO, "response_format": {"type": "json_object"}}, "response_format.type"),
        ({"messages": [{"role": "user", "content": [{"type": "file"}]}]}, None),
        ({"model": "hermes-agent"}, None),
        ([], None),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_place(
    home: Path, body: Any, param: str | None
) -> None:
    async with house(home) as at:
        answer = await at.http.post("/v1/chat/completions", json=body)
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert error["type"] == "invalid_request_error"
        assert param is None or error["param"] == param
        if param in ("tool_choice", "n", "response_format.type"):
            assert "agent" in error["message"] or "one answer" in error["message"]
        assert at.model.model_requests == []


async def test_tools_and_limits_of_the_client_are_ignored(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="ok"))
        answer = await at.client.chat.completions.create(
            model="hermes-agent",
            messages=HELLO,
            temperature=0.5,
            max_tokens=5,
            tools=[{"type": "function", "function": {"name": "theirs", "parameters": {}}}],
        )
        assert answer.choices[0].message.content == "ok"
        payload = at.model.model_requests[-1].payload
        assert payload["temperature"] == 0.5
        assert "theirs" not in json.dumps(payload)


async def test_only_models_that_are_allowed_can_be_chosen(home: Path) -> None:
    async with house(home, models=("other-model",)) as at:
        at.model.models.append("other-model")
        at.model.say(Reply(text="x"))
        listed = [model.id async for model in await at.client.models.list()]
        assert listed == ["hermes-agent", "other-model"]
        with pytest.raises(openai.NotFoundError) as caught:
            await at.client.chat.completions.create(model="gpt-5", messages=HELLO)
        assert caught.value.code == "model_not_found"
        answer = await at.client.chat.completions.create(model="other-model", messages=HELLO)
        assert answer.model == "other-model"
        assert at.model.model_requests[-1].payload["model"] == "other-model"


async def test_a_model_that_refuses_is_an_error_that_clients_do_not_repeat(home: Path) -> None:
    async with house(home) as at:
        at.model.always(Fault.http(401, "bad key"))
        client = at.client.with_options(max_retries=3)
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model="hermes-agent", messages=HELLO)
        assert caught.value.status_code == 502
        assert caught.value.code == "model_credential_refused"
        assert len(at.model.model_requests) == 1
        stream = await client.chat.completions.create(
            model="hermes-agent", messages=HELLO, stream=True
        )
        with pytest.raises(openai.APIError, match="key"):
            async for _ in stream:
                pass


async def test_a_client_that_goes_away_stops_its_turn_and_the_history_is_whole(home: Path) -> None:
    async with house(home) as at:
        hold, reached = threading.Event(), threading.Event()
        try:
            at.model.say(Reply(text="A long story.", chunks=2, hold=hold, reached=reached))
            async with at.http.stream(
                "POST", "/v1/chat/completions", json={"messages": HELLO, "stream": True}
            ) as answer:
                session_id = answer.headers["x-hermes-session-id"]
                async for line in answer.aiter_lines():
                    if '"content":"A "' in line:
                        break
            request = at.model.wait_for_model_requests(1)[0]
            await until(lambda: len(at.store.history(session_id)) == 2)
            assert [m.role for m in at.store.history(session_id)] == ["user", "assistant"]
            assert at.store.history(session_id)[1].finish == "interrupted"
            hold.set()
            await until(request.done.is_set)
            at.model.say(Reply(text="Here again."))
            again = await at.client.chat.completions.create(
                model="hermes-agent",
                messages=HELLO,
                extra_headers={"X-Hermes-Session-Id": session_id},
            )
            assert again.choices[0].message.content == "Here again."
        finally:
            hold.set()


async def test_the_same_key_and_body_give_the_same_answer_also_in_flight(home: Path) -> None:
    async with house(home) as at:
        hold, reached = threading.Event(), threading.Event()
        at.model.say(Reply(text="Once.", hold=hold, reached=reached))
        headers = {"idempotency-key": "k-1"}

        async def ask(body: Any) -> httpx2.Response:
            return await at.http.post("/v1/chat/completions", json=body, headers=headers)

        both = [asyncio.create_task(ask({"messages": HELLO})) for _ in range(2)]
        await until(reached.is_set)
        other = await ask({"messages": [{"role": "user", "content": "else"}]})
        assert other.status_code == 422
        hold.set()
        first, second = await asyncio.gather(*both)
        third = await ask({"messages": HELLO})
        assert first.status_code == 200
        assert first.content == second.content == third.content
        assert third.headers["idempotent-replayed"] == "true"
        assert third.headers["x-hermes-session-id"] == first.headers["x-hermes-session-id"]
        assert len(at.model.model_requests) == 1


async def test_a_keyed_stream_is_given_again_byte_by_byte(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="Streamed once.", chunks=3))
        body = {"messages": HELLO, "stream": True}
        answers = [
            await at.http.post(
                "/v1/chat/completions", json=body, headers={"idempotency-key": "stream"}
            )
            for _ in range(2)
        ]
        assert answers[0].content == answers[1].content
        assert answers[0].content.endswith(b"data: [DONE]\n\n")
        assert len(at.model.model_requests) == 1


async def test_a_failed_request_with_a_key_may_be_tried_again(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Fault.http(401, "bad key"), Reply(text="Now."))
        found = [
            await at.http.post(
                "/v1/chat/completions", json={"messages": HELLO}, headers={"idempotency-key": "k"}
            )
            for _ in range(2)
        ]
        assert [each.status_code for each in found] == [502, 200]


async def test_more_turns_than_are_allowed_are_told_to_come_again(home: Path) -> None:
    async with house(home, max_turns=1) as at:
        hold, reached = threading.Event(), threading.Event()
        at.model.say(Reply(text="slow", hold=hold, reached=reached), Reply(text="next"))
        first = asyncio.create_task(at.http.post("/v1/chat/completions", json={"messages": HELLO}))
        await until(reached.is_set)
        second = await at.http.post("/v1/chat/completions", json={"messages": HELLO})
        assert second.status_code == 429
        assert int(second.headers["retry-after"]) > 0
        hold.set()
        assert (await first).status_code == 200
        third = await at.http.post("/v1/chat/completions", json={"messages": HELLO})
        assert third.status_code == 200


async def test_two_turns_of_one_session_take_their_turns(home: Path) -> None:
    async with house(home) as at:
        at.model.always(Reply(text="ok"))
        headers = {"x-hermes-session-key": "same"}
        answers = await asyncio.gather(
            *(
                at.http.post(
                    "/v1/chat/completions",
                    json={"messages": [{"role": "user", "content": str(number)}]},
                    headers=headers,
                )
                for number in range(6)
            )
        )
        assert [each.status_code for each in answers] == [200] * 6
        session_id = answers[0].headers["x-hermes-session-id"]
        assert [m.role for m in at.store.history(session_id)] == ["user", "assistant"] * 6


async def test_64_clients_at_once_each_get_their_own_answer(home: Path) -> None:
    async with house(home) as at:
        at.model.always(lambda request: Reply(text=request.payload["messages"][-1]["content"]))

        async def ask(number: int) -> str:
            text = ""
            stream = await at.client.chat.completions.create(
                model="hermes-agent",
                messages=[{"role": "user", "content": f"number {number}"}],
                stream=True,
            )
            async for chunk in stream:
                text += chunk.choices[0].delta.content or ""
            return text

        answers = await asyncio.gather(*(ask(number) for number in range(64)))
        assert answers == [f"number {number}" for number in range(64)]


async def test_the_end_of_the_server_stops_turns_and_keeps_their_history_whole(home: Path) -> None:
    hold, reached = threading.Event(), threading.Event()
    try:
        async with house(home, grace=0.05) as at:
            at.model.say(Reply(text="A long story.", chunks=2, hold=hold, reached=reached))
            asking = asyncio.create_task(
                at.http.post("/v1/chat/completions", json={"messages": HELLO})
            )
            await until(reached.is_set)
            at.server.stop()
            await at.serving
            answer = await asking
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "stopped"
            session = at.store.list()[0]
            assert [m.role for m in at.store.history(session.id)] == ["user", "assistant"]
    finally:
        hold.set()
