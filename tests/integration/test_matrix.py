"""Messages from people on a real Synapse."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hermes_agent.domain.chats import Post
from tests.contract.platforms.door import RecordingDoor, until
from tests.integration.matrix_house import House, matrix_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with matrix_house(tmp_path / "home") as made:
        yield made


async def test_a_private_message_says_who_where_and_when(house: House) -> None:
    async with house.life() as (_, door):
        said = await house.anna.say(house.private, "Good morning")
        (inbound,) = await door.heard("Good morning")
    assert (inbound.key, inbound.message_id) == (said, said)
    assert inbound.origin.chat_type == "dm"
    assert inbound.origin.user_name == "Anna"
    assert inbound.origin.thread_id is None
    assert inbound.received_at > 1_700_000_000


async def test_in_a_room_every_way_of_naming_us_addresses_us(house: House) -> None:
    anna, hall, me = house.anna, house.hall, house.us.id
    name = me[1:].partition(":")[0]
    pill = f'<a href="https://matrix.to/#/{quote(me, safe="")}">Hermes</a>: by pill'
    html = {"format": "org.matrix.custom.html", "formatted_body": pill}
    async with house.life() as (platform, door):
        await anna.say(hall, "hello everybody")
        await anna.say(hall, "Hermes: by display name")
        await anna.say(hall, f"hermes is what {house.bert.id} spoke of")
        await anna.say(hall, f"@{name} by user name")
        await anna.say(hall, f"What about you, {me}?")
        await anna.say(hall, "by mention", **{"m.mentions": {"user_ids": [me]}})
        await anna.say(hall, "Hermes: by pill", **html)
        await anna.say(hall, "@room everybody", **{"m.mentions": {"room": True}})
        heard = await door.heard(
            *("by display name", "by user name", f"What about you, {me}?", "by mention", "by pill")
        )
        assert {each.origin.chat_type for each in heard} == {"group"}
        assert heard[0].origin.chat_name == "The hall"
        post = Post(text="Soup", plain="Soup")
        ours = await platform.send(heard[0].origin.target, post, "turn.0")
        theirs = await house.bert.say(hall, "Bread")
        for answered in (theirs, ours):
            await anna.say(hall, f"And to {answered}?", **_reply(answered))
        await until(lambda: len(door.accepted) == 6, "the answer to us is accepted")
    assert door.accepted[5].text == f"And to {ours}?"
    assert door.accepted[5].quoted == "Soup"


async def test_where_no_mention_is_needed_all_is_heard(house: House) -> None:
    async with house.life(free_response_rooms=house.hall) as (_, door):
        await house.bert.say(house.hall, "hello everybody")
        (inbound,) = await door.heard("hello everybody")
    assert inbound.origin.user_id == house.bert.id


async def test_notices_changes_reactions_and_our_own_words_are_left_alone(house: House) -> None:
    anna, private = house.anna, house.private
    async with house.life() as (platform, door):
        said = await anna.say(private, "first")
        (inbound,) = await door.heard("first")
        await anna.say(private, "beep", msgtype="m.notice")
        change: dict[str, Any] = {
            "m.new_content": {"msgtype": "m.text", "body": "second"},
            "m.relates_to": {"rel_type": "m.replace", "event_id": said},
        }
        await anna.say(private, "* second", **change)
        reaction = {"rel_type": "m.annotation", "event_id": said, "key": "👍"}
        await anna.event(private, "m.reaction", {"m.relates_to": reaction})
        await platform.send(inbound.origin.target, Post(text="ours", plain="ours"), "turn.0")
        await house.us.say(private, "ours, written elsewhere")
        await anna.event(private, "org.example.unknown", {"body": "x"})
        await anna.say(private, "third")
        await door.heard("first", "third")


async def test_a_thread_is_known_and_answered_in(house: House) -> None:
    anna, private = house.anna, house.private
    async with house.life() as (platform, door):
        root = await anna.say(private, "root")
        falling = {"m.in_reply_to": {"event_id": root}, "is_falling_back": True}
        relates = {"rel_type": "m.thread", "event_id": root, **falling}
        await anna.say(private, "in the thread", **{"m.relates_to": relates})
        _, inbound = await door.heard("root", "in the thread")
        assert inbound.origin.thread_id == root
        assert inbound.quoted == ""
        await platform.send(inbound.origin.target, Post(text="answer", plain="answer"), "turn.0")
        await until(lambda: anna.messages(private, house.us.id), "the answer is seen")
    (answer,) = anna.messages(private, house.us.id)
    assert answer["m.relates_to"]["rel_type"] == "m.thread"
    assert answer["m.relates_to"]["event_id"] == root


async def test_the_quote_in_an_answer_is_told_apart_from_its_text(house: House) -> None:
    anna, private = house.anna, house.private
    async with house.life() as (_, door):
        said = await anna.say(private, "one\ntwo")
        body = f"> <{anna.id}> one\n> two\n\nthree"
        await anna.say(private, body, **_reply(said))
        await anna.say(private, f"> <{anna.id}> what is gone\n\nfour", **_reply("$gone"))
        await anna.say(private, "> no answer, a quotation\n\nfive")
        heard = await door.heard("one\ntwo", "three", "four", "> no answer, a quotation\n\nfive")
    assert [each.quoted for each in heard] == ["", "one\ntwo", "what is gone", ""]


async def test_emotes_and_places_are_told_in_words(house: House) -> None:
    async with house.life() as (_, door):
        await house.anna.say(house.private, "waves", msgtype="m.emote")
        await house.anna.say(
            house.private, "Home", msgtype="m.location", geo_uri="geo:52.5,13.4;u=9"
        )
        await door.heard("* Anna waves", "Home\ngeo:52.5,13.4;u=9")


@pytest.mark.parametrize(
    ("kind", "extra", "expected"),
    [
        ("m.image", {}, "image"),
        ("m.video", {}, "video"),
        ("m.audio", {}, "audio"),
        ("m.audio", {"org.matrix.msc3245.voice": {}}, "voice"),
    ],
)
async def test_files_are_what_they_are_called(
    house: House, kind: str, extra: dict[str, Any], expected: str
) -> None:
    anna = house.anna
    async with house.life() as (_, door):
        address = await anna.upload(b"\x89PNG" * 10, "image/png")
        await anna.say(house.private, "holiday.png", msgtype=kind, url=address, **extra)
        await until(lambda: door.accepted, "the file is accepted")
    (inbound,) = door.accepted
    (attachment,) = inbound.attachments
    assert attachment.kind == expected
    assert attachment.name == "holiday.png"
    path = Path(attachment.path)
    assert await asyncio.to_thread(path.read_bytes) == b"\x89PNG" * 10
    assert path.suffix == ".png"
    assert inbound.text == ""


async def test_files_that_cannot_be_had_are_told(house: House) -> None:
    anna, private = house.anna, house.private
    async with house.life(max_file_mb=0.001) as (_, door):
        large = await anna.upload(b"x" * 5000, "text/plain")
        lies = {"info": {"size": 10}}
        await anna.say(private, "large.txt", msgtype="m.file", url=large, **lies)
        await anna.say(private, "hers.txt", msgtype="m.file", url="mxc://test.example/none")
        await anna.say(private, "bad.txt", msgtype="m.file", url="mxc://test.example/../../x")
        await anna.say(private, "worse.txt", msgtype="m.file", url="http://127.0.0.1:9/x")
        await anna.say(private, "shut.txt", msgtype="m.file", file={"url": large})
        await until(lambda: len(door.accepted) == 5, "all are accepted")
    told = house.texts()
    assert told[0] == "[document large.txt: too large]"
    assert told[1] == "[document hers.txt: could not be fetched]"
    assert told[2] == "[document bad.txt: has no address of Matrix's]"
    assert told[3] == "[document worse.txt: has no address of Matrix's]"
    assert told[4] == "[document shut.txt: is encrypted, and MATRIX_ENCRYPTION is off]"
    assert not [path for path in house.media.rglob("*") if path.is_file()]


async def test_what_was_said_before_the_first_start_is_not_answered(house: House) -> None:
    await house.anna.say(house.private, "long ago")
    async with house.life() as (_, door):
        await house.anna.say(house.private, "now")
        await door.heard("now")


async def test_more_than_one_answer_of_the_server_holds_is_taken_in_order(house: House) -> None:
    async with house.life() as (_, door):
        await house.anna.say(house.private, "before")
        await door.heard("before")
    texts = [f"message {number}" for number in range(180)]
    for text in texts:
        await house.anna.say(house.private, text)
    await house.bert.say(house.hall, "Hermes: and this")
    async with house.life() as (_, door):
        await until(lambda: len(door.accepted) == 182, "all are accepted")
        await house.anna.say(house.private, "after")
        await until(lambda: len(door.accepted) == 183, "the last is accepted")
    said = [each.text for each in door.accepted if each.origin.chat_id == house.private]
    assert said == ["before", *texts, "after"]


async def test_a_message_that_fills_a_gap_is_kept_when_it_cannot_be_stored(house: House) -> None:
    async with house.life() as (_, door):
        await house.anna.say(house.private, "before")
        await door.heard("before")
    for number in range(60):
        await house.anna.say(house.private, f"message {number}")
    house.door.stuck = True
    async with house.life() as (_, door):
        await until(lambda: len(door.attempts) == 2, "the first of them is tried")
    house.door = RecordingDoor(house.door.facts)
    async with house.life() as (_, door):
        await door.heard(*(f"message {number}" for number in range(60)))


async def test_where_the_place_in_the_stream_is_gone_it_goes_on_from_now(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.door.facts["since"] = f"{house.us.id} no-such-place"
    await house.anna.say(house.private, "lost")
    async with house.life() as (_, door):
        await house.anna.say(house.private, "now")
        await door.heard("now")
    assert "the place in the stream is gone" in caplog.text


async def test_another_accounts_place_in_the_stream_is_not_taken_for_ours(house: House) -> None:
    async with house.life() as (_, door):
        await house.anna.say(house.private, "before")
        await door.heard("before")
    await house.anna.say(house.hall, "for nobody", **{"m.mentions": {"user_ids": [house.bert.id]}})
    async with house.life(access_token=house.bert.token) as (_, door):
        await house.anna.say(house.hall, "Bert: you")
        await until(lambda: len(door.accepted) == 2, "it is accepted")
    assert door.accepted[1].text == "you"


async def test_who_writes_sees_that_we_have_read_and_that_we_write(house: House) -> None:
    async with house.life() as (platform, door):
        said = await house.anna.say(house.private, "hello")
        (inbound,) = await door.heard("hello")
        await platform.typing(inbound.origin.target)
        await until(lambda: _ephemeral(house, "m.typing"), "typing shows")
        assert house.us.id in _ephemeral(house, "m.typing")[-1]["user_ids"]
        await until(lambda: _ephemeral(house, "m.receipt"), "it is read")
        assert house.us.id in _ephemeral(house, "m.receipt")[-1][said]["m.read"]
        await platform.send(inbound.origin.target, Post(text="yes", plain="yes"), "turn.0")
        await until(
            lambda: not _ephemeral(house, "m.typing")[-1]["user_ids"], "typing ends with the answer"
        )


def _ephemeral(house: House, kind: str) -> list[dict[str, Any]]:
    return [
        each["content"]
        for each in house.anna.passing
        if each["type"] == kind and each["room"] == house.private
    ]


def _reply(event: str) -> dict[str, Any]:
    return {"m.relates_to": {"m.in_reply_to": {"event_id": event}}}
