"""The Responses API with the official client."""

from pathlib import Path

import openai
import pytest

from tests.integration.api_house import house
from tests.servers.script import Call, Fault, Reply


async def test_a_stored_response_can_be_looked_up_gone_on_from_and_deleted(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="Blue."), Reply(text="You asked about the sky."))
        first = await at.client.responses.create(model="hermes-agent", input="The sky's colour?")
        assert first.output_text == "Blue."
        assert first.usage is not None
        again = await at.client.responses.retrieve(first.id)
        assert again.output_text == "Blue."
        second = await at.client.responses.create(
            model="hermes-agent", input="What did I ask?", previous_response_id=first.id
        )
        assert second.previous_response_id == first.id
        sent = at.model.model_requests[-1].payload["messages"]
        assert [m["content"] for m in sent if m["role"] == "user"] == [
            "The sky's colour?",
            "What did I ask?",
        ]
        await at.client.responses.delete(first.id)
        with pytest.raises(openai.NotFoundError):
            await at.client.responses.retrieve(first.id)


async def test_going_on_from_an_older_response_branches_off_there(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="one"), Reply(text="two"), Reply(text="other two"))
        first = await at.client.responses.create(model="hermes-agent", input="a")
        await at.client.responses.create(
            model="hermes-agent", input="b", previous_response_id=first.id
        )
        await at.client.responses.create(
            model="hermes-agent", input="c", previous_response_id=first.id
        )
        sent = at.model.model_requests[-1].payload["messages"]
        assert [m["content"] for m in sent if m["role"] != "system"] == ["a", "one", "c"]


async def test_a_conversation_goes_on_under_its_name(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="one"), Reply(text="two"))
        for word in ("a", "b"):
            await at.client.responses.create(
                model="hermes-agent", input=word, conversation="my talk"
            )
        sent = at.model.model_requests[-1].payload["messages"]
        assert [m["content"] for m in sent if m["role"] != "system"] == ["a", "one", "b"]


async def test_earlier_items_of_the_input_are_part_of_the_stored_session(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="yes"), Reply(text="sure"))
        first = await at.client.responses.create(
            model="hermes-agent",
            input=[
                {"role": "user", "content": "I am Ada."},
                {"role": "assistant", "content": "Hello Ada."},
                {"role": "user", "content": [{"type": "input_text", "text": "Am I?"}]},
            ],
        )
        await at.client.responses.create(
            model="hermes-agent", input="Really?", previous_response_id=first.id
        )
        sent = at.model.model_requests[-1].payload["messages"]
        assert [m["content"] for m in sent if m["role"] != "system"] == [
            "I am Ada.",
            "Hello Ada.",
            "Am I?",
            "yes",
            "Really?",
        ]


async def test_the_official_client_assembles_the_stream_of_a_turn_with_tools(home: Path) -> None:
    async with house(home) as at:
        at.model.say(
            Reply(text="Let me look.", calls=[Call("todo", {"todos": []})]),
            Reply(text="All done here.", chunks=4),
        )
        async with at.client.responses.stream(model="hermes-agent", input="go") as stream:
            names = [event.type async for event in stream]
            final = await stream.get_final_response()
        assert final.status == "completed"
        assert [item.type for item in final.output] == ["message", "message"]
        assert final.output_text == "Let me look.All done here."
        assert names[:2] == ["response.created", "response.in_progress"]
        assert names[-1] == "response.completed"
        assert names.count("hermes.tool.progress") == 2
        again = await at.client.responses.retrieve(final.id)
        assert again.output_text == final.output_text


async def test_a_response_that_is_not_to_be_stored_is_not(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="x"))
        made = await at.client.responses.create(model="hermes-agent", input="a", store=False)
        with pytest.raises(openai.NotFoundError):
            await at.client.responses.retrieve(made.id)


async def test_an_answer_is_not_lost_where_it_cannot_be_stored(home: Path) -> None:
    async with house(home) as at:
        (home / "response_store.db").write_bytes(b"no database at all" * 100)
        at.model.say(Reply(text="Here."))
        made = await at.client.responses.create(model="hermes-agent", input="a")
        assert made.output_text == "Here."
        assert made.model_dump()["store"] is False


async def test_a_response_that_fails_within_its_stream_says_so(home: Path) -> None:
    async with house(home) as at:
        at.model.always(Fault.http(400, "no"))
        stream = await at.client.responses.create(model="hermes-agent", input="a", stream=True)
        events = [event async for event in stream]
        assert events[-1].type == "response.failed"
        assert events[-1].response.error is not None
        assert "no" in events[-1].response.error.message
        with pytest.raises(openai.NotFoundError):
            await at.client.responses.retrieve(events[-1].response.id)
