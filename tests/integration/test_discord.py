"""Messages from Discord through its real client library, off our own server of its protocols."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.chats import Post, Target
from tests.integration.discord_house import ANNA, BERT, House, at, discord_house
from tests.servers.discord.world import BOT


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with discord_house(tmp_path / "home") as made:
        yield made


async def test_a_private_message_is_stored(house: House) -> None:
    async with house.life() as (_, door):
        said = await house.server.say(house.private, ANNA, "Good morning")
        (inbound,) = await door.wait(1)
    assert inbound.key == str(said)
    assert inbound.text == "Good morning"
    assert inbound.origin.chat_type == "dm"
    assert inbound.origin.chat_id == str(house.private)
    assert inbound.origin.user_id == str(ANNA)
    assert inbound.message_id == str(said)


async def test_an_answer_is_sent(house: House) -> None:
    async with house.life() as (platform, _):
        target = Target(platform="discord", chat_id=str(house.private))
        sent = await platform.send(target, Post(text="**Hello**", plain="Hello"), "turn.0")
    message = house.server.world.channels[house.private].messages[int(sent)]
    assert message["content"] == "**Hello**"
    assert message["author"]["id"] == str(BOT)


async def test_what_is_not_meant_for_us_is_left_alone(house: House) -> None:
    server, hall = house.server, house.hall
    robot = server.world.user(500, "robot", bot=True)
    async with house.life(auto_thread=False) as (platform, door):
        await server.say(hall, ANNA, "hello everybody")
        await server.say(hall, ANNA, "@everyone look", mention_everyone=True)
        await server.say(hall, robot, f"<@{BOT}> beep", mention=(BOT,))
        await server.say(hall, ANNA, f"<@{BOT}>", mention=(BOT,), webhook_id="7")
        await server.say(hall, ANNA, f"<@{BOT}> joined", mention=(BOT,), type=7)
        await platform.send(at(hall), Post(text=f"<@{BOT}>"), "turn.0")
        await server.say(hall, ANNA, f"<@{BOT}> you there?", mention=(BOT,))
        (inbound,) = await door.wait(1)
    assert inbound.text == "you there?"
    assert [origin.user_id for origin, _, _ in door.asked] == [str(ANNA)]


async def test_a_mention_in_a_channel_is_answered_in_a_thread_of_its_own(house: House) -> None:
    async with house.life() as (platform, door):
        said = await house.server.say(
            house.hall, ANNA, f"<@{BOT}> What is for\nlunch?", mention=(BOT,)
        )
        (inbound,) = await door.wait(1)
        assert inbound.origin.chat_type == "group"
        assert inbound.origin.chat_id == str(house.hall)
        assert inbound.origin.thread_id == str(said)
        assert inbound.text == "What is for\nlunch?"
        assert house.server.world.channels[said].name == "What is for"
        post = Post(text="Soup", quotes=inbound.message_id)
        sent = await platform.send(inbound.origin.target, post, "turn.0")
        assert int(sent) in house.server.world.channels[said].messages
        # In a thread of ours nobody needs to mention us, and no thread is made in it.
        await house.server.say(said, BERT, "With bread?")
        second = (await door.wait(2))[1]
    assert second.origin.thread_id == str(said)
    assert second.origin.chat_id == str(house.hall)
    assert second.origin.user_id == str(BERT)


async def test_threads_of_others_need_a_mention(house: House) -> None:
    thread = house.server.world.thread(house.hall, ANNA, "plans").id
    async with house.life() as (_, door):
        await house.server.say(thread, ANNA, "between us")
        await house.server.say(thread, ANNA, f"<@{BOT}> and you?", mention=(BOT,))
        (inbound,) = await door.wait(1)
    assert inbound.text == "and you?"
    assert inbound.origin.thread_id == str(thread)


async def test_where_no_thread_can_be_made_the_channel_is_used(house: House) -> None:
    house.server.rest.threads_allowed = False
    async with house.life() as (_, door):
        await house.server.say(house.hall, ANNA, f"<@{BOT}> hi", mention=(BOT,))
        (inbound,) = await door.wait(1)
    assert inbound.origin.thread_id is None


async def test_a_thread_that_was_made_before_a_crash_is_used_again(house: House) -> None:
    said = await house.server.say(house.hall, ANNA, f"<@{BOT}> hi", mention=(BOT,), heard=False)
    house.server.world.thread(house.hall, BOT, "hi", said)
    async with house.life() as (_, door):
        await house.server.gateway.tell(
            "MESSAGE_CREATE", house.server.world.channels[house.hall].messages[said]
        )
        (inbound,) = await door.wait(1)
    assert inbound.origin.thread_id == str(said)


async def test_a_stranger_causes_nothing(house: House) -> None:
    async with house.life() as (_, door):
        door.strangers = {str(BERT)}
        files = (("a.txt", "text/plain", b"hello"),)
        await house.server.say(house.hall, BERT, f"<@{BOT}> hi", mention=(BOT,), files=files)
        await door.wait_asked(1)
        await house.server.say(house.hall, ANNA, f"<@{BOT}> hi", mention=(BOT,))
        await door.wait(1)
        assert not (house.home / "media").exists()
        assert len(house.server.rest.heard("POST", ".*/threads")) == 1
        assert door.asked[0][2] == "bert"


@pytest.mark.parametrize("given", ["list", "text"])
async def test_in_free_channels_no_mention_is_needed(house: House, given: str) -> None:
    free: Any = str(house.hall) if given == "text" else [str(house.hall)]
    async with house.life(free_response_channels=free) as (_, door):
        await house.server.say(house.hall, ANNA, "anybody?")
        (inbound,) = await door.wait(1)
    assert inbound.origin.thread_id is None


async def test_mentions_can_be_made_needless(house: House) -> None:
    async with house.life(require_mention="false") as (_, door):
        await house.server.say(house.hall, ANNA, "anybody?")
        assert (await door.wait(1))[0].text == "anybody?"


async def test_a_reply_to_us_is_meant_for_us_and_carries_what_it_quotes(house: House) -> None:
    async with house.life(auto_thread=False) as (platform, door):
        sent = await platform.send(at(house.hall), Post(text="Soup."), "turn.0")
        await house.server.say(house.hall, ANNA, "Which one?", reply_to=int(sent))
        (inbound,) = await door.wait(1)
    assert inbound.text == "Which one?"
    assert inbound.quoted == "Soup."


async def test_ids_in_a_text_get_names(house: House) -> None:
    async with house.life(auto_thread=False) as (_, door):
        text = f"<@!{BOT}> ask <@{BERT}> about <#{house.hall}> and <#1>"
        await house.server.say(house.hall, ANNA, text, mention=(BOT, BERT))
        (inbound,) = await door.wait(1)
    assert inbound.text == "ask @Bert about #hall and <#1>"


async def test_forwarded_messages_and_stickers_are_told(house: House) -> None:
    async with house.life() as (_, door):
        await house.server.say(
            house.private,
            ANNA,
            "",
            message_reference={"type": 1, "message_id": "5", "channel_id": str(house.hall)},
            message_snapshots=[
                {
                    "message": {
                        "content": "the old news",
                        "attachments": [],
                        "embeds": [],
                        "timestamp": "2026-01-01T00:00:00+00:00",
                        "edited_timestamp": None,
                        "flags": 0,
                        "mentions": [],
                        "mention_roles": [],
                        "type": 0,
                    }
                }
            ],
            sticker_items=[{"id": "77", "name": "wave", "format_type": 1}],
        )
        (inbound,) = await door.wait(1)
    assert inbound.text == "[forwarded]\nthe old news\n[sticker: wave]"


async def test_files_are_fetched_under_safe_names(house: House) -> None:
    files = (
        ("../../etc/passwd", "text/plain", b"root"),
        ("photo.png", "image/png", b"\x89PNG"),
        ("big.bin", "application/octet-stream", b"x" * 300_000),
    )
    async with house.life(max_download_mb=0.25) as (_, door):
        await house.server.say(house.private, ANNA, "see", files=files)
        (inbound,) = await door.wait(1)
    passwd, photo = inbound.attachments
    assert Path(passwd.path).parent == house.home / "media"
    assert await asyncio.to_thread(Path(passwd.path).read_bytes) == b"root"
    assert (passwd.kind, photo.kind) == ("document", "image")
    assert (photo.name, photo.media_type, photo.size) == ("photo.png", "image/png", 4)
    assert inbound.text == "see\n[file big.bin: too large (300000 bytes)]"


async def test_a_file_larger_than_it_says_is_cut_off(house: House) -> None:
    async with house.life(max_download_mb=0.1) as (_, door):
        said = house.server.say(
            house.private, ANNA, "see", files=(("a.bin", "x/y", b"x" * 200_000),), heard=False
        )
        message = house.server.world.channels[house.private].messages[await said]
        message["attachments"][0]["size"] = 10
        await house.server.gateway.tell("MESSAGE_CREATE", message)
        (inbound,) = await door.wait(1)
    assert inbound.attachments == ()
    assert inbound.text == "see\n[file a.bin: too large]"
    assert list((house.home / "media").iterdir()) == []


async def test_files_come_from_discord_alone(house: House) -> None:
    async with house.life() as (_, door):
        said = await house.server.say(
            house.private, ANNA, "see", files=(("a.txt", "text/plain", b"x"),), heard=False
        )
        message = house.server.world.channels[house.private].messages[said]
        message["attachments"][0]["url"] = "http://169.254.169.254/latest/meta-data"
        await house.server.gateway.tell("MESSAGE_CREATE", message)
        (inbound,) = await door.wait(1)
    assert inbound.attachments == ()
    assert "not on Discord's own server" in inbound.text


async def test_a_file_that_is_gone_is_named(house: House) -> None:
    async with house.life() as (_, door):
        house.server.rest.files.clear()
        said = await house.server.say(
            house.private, ANNA, "see", files=(("a.txt", "text/plain", b"x"),), heard=False
        )
        house.server.rest.files.clear()
        message = house.server.world.channels[house.private].messages[said]
        await house.server.gateway.tell("MESSAGE_CREATE", message)
        (inbound,) = await door.wait(1)
    assert inbound.text == "see\n[file a.txt: could not be fetched (404)]"


async def test_a_voice_message_is_one(house: House) -> None:
    files = (("voice.ogg", "audio/ogg", b"OggS"),)
    async with house.life() as (_, door):
        await house.server.say(house.private, ANNA, "", files=files, flags=1 << 13)
        (inbound,) = await door.wait(1)
    assert [each.kind for each in inbound.attachments] == ["voice"]


async def test_the_same_message_twice_is_stored_once(house: House) -> None:
    async with house.life() as (_, door):
        said = await house.server.say(house.private, ANNA, "once")
        message = house.server.world.channels[house.private].messages[said]
        await house.server.gateway.tell("MESSAGE_CREATE", message)
        await house.server.say(house.private, ANNA, "twice")
        taken = await door.wait(2)
    assert [each.text for each in taken] == ["once", "twice"]


async def test_an_older_message_that_comes_late_is_not_lost(house: House) -> None:
    async with house.life() as (_, door):
        first = await house.server.say(house.private, ANNA, "first", heard=False)
        await house.server.say(house.private, ANNA, "second")
        await door.wait(1)
        message = house.server.world.channels[house.private].messages[first]
        await house.server.gateway.tell("MESSAGE_CREATE", message)
        assert {each.text for each in await door.wait(2)} == {"first", "second"}


async def test_what_cannot_be_stored_is_tried_again_in_order(house: House) -> None:
    async with house.life() as (_, door):
        door.broken = 2
        for text in ("one", "two", "three"):
            await house.server.say(house.private, ANNA, text)
        taken = await door.wait(3)
    assert [each.text for each in taken] == ["one", "two", "three"]


async def test_a_chat_that_waits_does_not_hold_up_another(house: House) -> None:
    other = house.server.world.private(BERT)
    async with house.life() as (_, door):
        gate = door.slow[str(ANNA)] = asyncio.Event()
        await house.server.say(house.private, ANNA, "first here")
        await house.server.say(house.private, ANNA, "second here")
        await house.server.say(other, BERT, "there")
        assert [each.text for each in await door.wait(1)] == ["there"]
        gate.set()
        taken = await door.wait(3)
    assert [each.text for each in taken] == ["there", "first here", "second here"]
