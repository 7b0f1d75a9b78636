"""Voice in chats: understood, and spoken where a chat asked for it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import openai

from hermes_agent.config.load import load
from hermes_agent.domain.chats import Attachment
from hermes_agent.providers.audio import Audio
from tests.gateway.house import House, house
from tests.gateway.scripted import ScriptedPlatform
from tests.servers.audio import SOUND, AudioServer
from tests.servers.script import Reply

CONFIG = "stt: {provider: openai}\ntts: {provider: openai}\n"


def speaking() -> ScriptedPlatform:
    return ScriptedPlatform(media=frozenset({"voice"}), max_media=1)


def voice(folder: Path) -> Attachment:
    path = folder / "voice.ogg"
    path.write_bytes(SOUND)
    return Attachment(kind="voice", path=str(path), media_type="audio/ogg", size=len(SOUND))


@asynccontextmanager
async def with_voice(
    home: Path, audio: AudioServer, person: ScriptedPlatform | None = None
) -> AsyncGenerator[House]:
    async with house(
        home,
        config=CONFIG,
        person=person,
        VOICE_TOOLS_OPENAI_KEY=audio.key,
        STT_OPENAI_BASE_URL=audio.url,
        TTS_OPENAI_BASE_URL=audio.url,
    ) as place:
        yield place


async def test_what_is_said_is_read_by_the_model(home: Path, tmp_path: Path) -> None:
    with AudioServer() as audio:
        async with with_voice(home, audio) as place:
            place.model.say(Reply(text="They are off."))
            await place.person.say(attachments=(voice(tmp_path),))
            await place.person.sees("They are off.")
            said = place.model.model_requests[-1].json["messages"][-1]["content"]
            assert '[voice message: "turn the lights off"]' in said


async def test_an_answer_to_a_voice_message_is_spoken_where_the_chat_wants_it(
    home: Path, tmp_path: Path
) -> None:
    with AudioServer() as audio:
        async with with_voice(home, audio, speaking()) as place:
            place.model.always(Reply(text="They are **off**."))
            await place.person.say("/voice on")
            await place.person.sees("Voice: voice_only.")
            await place.person.say("written")
            await place.person.sees("They are off.")
            await place.settled()
            assert not any(each.post.attachments for each in place.person.shown)
            await place.person.say(attachments=(voice(tmp_path),))
            await place.person.until(lambda: bool(place.person.shown[-1].post.attachments))
            (sound,) = place.person.shown[-1].post.attachments
            assert sound.size == len(SOUND)
            assert b"They are off." in audio.asked[-1][1]


async def test_what_cannot_be_understood_says_why_and_is_answered(
    home: Path, tmp_path: Path
) -> None:
    with AudioServer(refuse=500) as audio:
        async with with_voice(home, audio) as place:
            place.model.say(Reply(text="I could not hear you."))
            await place.person.say(attachments=(voice(tmp_path),))
            await place.person.sees("I could not hear you.")
            said = place.model.model_requests[-1].json["messages"][-1]["content"]
            assert "not understood" in said
            assert audio.key not in said


async def test_a_voice_that_nothing_is_configured_for_is_said_at_once(home: Path) -> None:
    async with house(home, person=speaking()) as place:
        await place.person.say("/voice all")
        await place.person.sees("tts.provider")


async def test_the_loopback_server_speaks_as_the_vendors_client_expects() -> None:
    with AudioServer() as audio:
        async with openai.AsyncOpenAI(api_key=audio.key, base_url=audio.url) as client:
            heard = await client.audio.transcriptions.create(
                model="whisper-1", file=("v.ogg", SOUND)
            )
            assert heard.text == audio.heard
            spoken = await client.audio.speech.create(model="m", voice="alloy", input="x")
            assert spoken.content == SOUND


def test_a_key_for_speech_never_goes_to_the_server_of_the_models(home: Path) -> None:
    environ = {
        "HERMES_HOME": str(home),
        "VOICE_TOOLS_OPENAI_KEY": "voice-key-12345",
        "OPENAI_BASE_URL": "https://models.example/v1",
    }
    home.mkdir()
    (home / "config.yaml").write_text(CONFIG)
    audio = Audio(load(environ=environ), httpx2.AsyncClient)
    assert audio.listener().url == audio.speaker().url == "https://api.openai.com/v1"
