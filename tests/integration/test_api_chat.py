"""Chat completions with the official client, the real host and a scripted model."""

from pathlib import Path

from tests.integration.api_house import house
from tests.servers.script import Reply, Usage


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
