"""Messages to people on a real Synapse, and our account there."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import quote

import pytest

from hermes_agent.domain.chats import Attachment, Post, Target
from hermes_agent.platforms.base import MessageGone, PlatformDown, PlatformRefused, SendRefused
from hermes_agent.platforms.table import create
from tests.contract.platforms.door import RecordingDoor, until
from tests.contract.platforms.running import connected, ending
from tests.integration.matrix_house import House, matrix_house
from tests.servers.synapse import Json


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with matrix_house(tmp_path / "home") as made:
        yield made


def at(chat: str) -> Target:
    return Target(platform="matrix", chat_id=chat)


def words(text: str) -> Post:
    return Post(text=text, plain=text)


async def test_markup_travels_beside_the_plain_text(house: House) -> None:
    post = Post(text="<strong>Hello</strong> &amp; bye", plain="Hello & bye")
    async with house.life() as (platform, _):
        sent = await platform.send(at(house.private), post, "turn.0")
        await platform.edit(
            at(house.private), sent, Post(text="<em>Hello</em> again", plain="Hello again")
        )
        await until(lambda: any(e["edited"] for e in _seen(house)), "the edit is seen")
    (seen,) = _seen(house)
    assert seen["body"] == "Hello again"
    assert seen["formatted_body"] == "<em>Hello</em> again"
    original = next(each for each in house.anna.heard if each["event_id"] == sent)
    assert original["content"]["formatted_body"] == "<strong>Hello</strong> &amp; bye"
    assert original["content"]["m.mentions"] == {}


async def test_a_text_that_grows_too_large_with_its_markup_is_sent_without_it(
    house: House,
) -> None:
    post = Post(text="&amp;" * 3990 + "<b>!!</b>", plain="&" * 3990 + "!!")
    async with house.life() as (platform, _):
        sent = await platform.send(at(house.private), words("short"), "turn.0")
        await platform.edit(at(house.private), sent, post)
        wide = Post(text="<b>" + "🙂" * 3900 + "</b>" + "x" * 9000, plain="🙂" * 4000)
        await platform.edit(at(house.private), sent, wide)
        await until(lambda: _seen(house) and _seen(house)[0]["body"][0] == "🙂", "it is seen")
    assert _seen(house)[0]["body"] == "🙂" * 4000


async def test_an_answer_quotes_and_keeps_to_its_thread(house: House) -> None:
    root = await house.anna.say(house.private, "root")
    there = Target(platform="matrix", chat_id=house.private, thread_id=root)
    async with house.life() as (platform, _):
        await platform.send(there, Post(text="a", plain="a", quotes=root), "turn.0")
        await platform.send(at(house.private), Post(text="b", plain="b", quotes=root), "turn.1")
        await until(lambda: len(_seen(house)) == 2, "both are seen")
    threaded, quoting = (each["m.relates_to"] for each in _seen(house))
    assert threaded["rel_type"] == "m.thread"
    assert threaded["is_falling_back"] is False
    assert quoting == {"m.in_reply_to": {"event_id": root}}


async def test_files_go_as_what_they_are_and_missing_ones_are_told(
    house: House, tmp_path: Path
) -> None:
    picture, voice = tmp_path / "cat.png", tmp_path / "hello.ogg"
    picture.write_bytes(b"\x89PNG" * 100)
    voice.write_bytes(b"OggS" * 100)
    post = Post(
        text="Look",
        plain="Look",
        attachments=(
            Attachment(kind="image", path=str(picture)),
            Attachment(kind="voice", path=str(voice), media_type="audio/ogg"),
            Attachment(kind="document", path=str(tmp_path / "none.txt"), name="a<b>.txt"),
        ),
    )
    async with house.life() as (platform, _):
        await platform.send(at(house.private), post, "turn.0")
        again = await platform.send(at(house.private), post, "turn.0")
        await until(lambda: len(_seen(house)) == 3, "all are seen")
    text, first, second = _seen(house)
    assert text["body"] == "Look\n[the file a<b>.txt cannot be sent: No such file or directory]"
    assert (first["msgtype"], first["filename"]) == ("m.image", "cat.png")
    assert first["info"] == {"mimetype": "image/png", "size": 400}
    assert house.anna.files[first["url"]] == b"\x89PNG" * 100
    assert second["msgtype"] == "m.audio"
    assert "org.matrix.msc3245.voice" in second
    assert second["id"] == again


async def test_a_file_too_large_for_the_homeserver_is_told(house: House, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(b"\0" * 31 * 1024 * 1024)
    attachment = Attachment(kind="document", path=str(path))
    async with house.life(max_file_mb=40) as (platform, _):
        await platform.send(at(house.private), Post(attachments=(attachment,)), "turn.0")
        await until(lambda: _seen(house), "it is told")
    (seen,) = _seen(house)
    assert seen["body"] == "[the file large.bin is too large for Matrix]"


async def test_a_message_is_known_again_after_the_homeserver_was_restarted(house: House) -> None:
    async with house.life() as (platform, _):
        first = await platform.send(at(house.private), words("once"), "turn 7/ä.0")
    await asyncio.to_thread(house.server.stop)
    await asyncio.to_thread(house.server.start)
    async with house.life() as (platform, _):
        second = await platform.send(at(house.private), words("once"), "turn 7/ä.0")
        other = await platform.send(at(house.private), words("once"), "turn 7/ö.0")
        await until(lambda: len(_seen(house)) == 2, "both are seen")
    assert first == second != other


@pytest.mark.parametrize("chat", ["!none:test.example", "!none", "#none:test.example", "x", ""])
async def test_a_place_that_is_none_refuses(house: House, chat: str) -> None:
    async with house.life() as (platform, _):
        with pytest.raises(SendRefused):
            await platform.send(at(chat), words("hello"), "turn.0")
        with pytest.raises(SendRefused):
            await platform.edit(at(chat), "$x", words("hello"))
        await platform.typing(at(chat))


async def test_a_room_that_threw_us_out_refuses(house: House) -> None:
    async with house.life() as (platform, door):
        await house.anna.say(house.hall, "Hermes: hello")
        (inbound,) = await door.heard("hello")
        path = f"rooms/{quote(house.hall, safe='')}/kick"
        await house.anna.call("POST", path, {"user_id": house.us.id})
        with pytest.raises(SendRefused):
            await platform.send(inbound.origin.target, words("still there?"), "turn.0")


async def test_a_message_that_is_not_there_cannot_be_edited(house: House) -> None:
    gone = "$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    async with house.life() as (platform, _):
        for ident in ("999", gone):
            with pytest.raises(MessageGone):
                await platform.edit(at(house.private), ident, words("x"))


async def test_a_person_or_an_alias_may_stand_for_a_room(house: House) -> None:
    alias = f"#hall-{house.us.id[1:].partition(':')[0]}:test.example"
    path = f"directory/room/{quote(alias, safe='')}"
    await house.anna.call("PUT", path, {"room_id": house.hall})
    async with house.life() as (platform, _):
        await platform.send(at(alias), words("to all"), "turn.0")
        await until(lambda: house.anna.messages(house.hall, house.us.id), "it is seen")
        first = await platform.send(at(house.bert.id), words("to you"), "turn.1")
        second = await platform.send(at(house.bert.id), words("to you again"), "turn.2")
    assert first != second
    invites = (await house.bert.call("GET", "sync"))["rooms"]["invite"]
    assert len(invites) == 1, "one private chat is made, and found again"


async def test_a_limit_says_how_long_to_wait(house: House) -> None:
    await asyncio.to_thread(house.server.stop)
    limit = {"per_second": 0.01, "burst_count": 1}
    await asyncio.to_thread(house.server.start, rc_message=limit)
    try:
        async with house.life() as (platform, _):
            with pytest.raises(PlatformDown) as raised:
                for number in range(3):
                    await platform.send(at(house.private), words("hello"), f"turn.{number}")
    finally:
        await asyncio.to_thread(house.server.stop)
        await asyncio.to_thread(house.server.start)
    assert raised.value.retry_after is not None
    assert 1 < raised.value.retry_after < 1000


async def test_a_password_logs_the_same_device_in_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    values = {"access_token": None, "user_id": house.us.id, "password": house.us.password}
    async with house.life(**values) as (platform, door):
        await house.anna.say(house.private, "hello")
        await door.heard("hello")
        first = await platform.send(at(house.private), words("once"), "turn.0")
        shown = repr(vars(platform))
    async with house.life(**values) as (platform, _):
        assert await platform.send(at(house.private), words("once"), "turn.0") == first
    devices = (await house.us.call("GET", "devices"))["devices"]
    assert len(devices) == 2, "that of the test, and ours"
    assert "Hermes Agent" in {each.get("display_name") for each in devices}
    assert house.us.password not in caplog.text + shown + str(house.door.facts)
    assert "syt_" not in str(house.door.facts)


async def test_a_wrong_password_is_refused_with_a_hint(house: House) -> None:
    settings = house.settings(access_token=None, user_id=house.us.id, password="wrong-word")
    error = await ending(settings, RecordingDoor())
    assert isinstance(error, PlatformRefused)
    assert "MATRIX_PASSWORD" in (error.hint or "")
    assert "wrong-word" not in str(error) + repr(error)


async def test_the_token_of_somebody_else_is_refused(house: House) -> None:
    error = await ending(house.settings(user_id=house.anna.id), RecordingDoor())
    assert isinstance(error, PlatformRefused)


async def test_a_token_that_ends_meanwhile_ends_the_run_and_says_what_to_set(house: House) -> None:
    platform = create(house.settings())
    ready = asyncio.Event()
    running = asyncio.create_task(platform.run(house.door, ready.set))
    try:
        async with asyncio.timeout(20):
            await ready.wait()
            await house.us.call("POST", "logout")
            with pytest.raises(PlatformRefused, match="access token") as raised:
                await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert "MATRIX_ACCESS_TOKEN" in (raised.value.hint or "")


async def test_a_password_helps_when_the_homeserver_logs_us_out(house: House) -> None:
    values = {"access_token": None, "user_id": house.us.id, "password": house.us.password}
    error = None
    platform = create(house.settings(**values))
    ready = asyncio.Event()
    running = asyncio.create_task(platform.run(house.door, ready.set))
    try:
        async with asyncio.timeout(20):
            await ready.wait()
            await house.us.call("POST", "logout/all")
            await asyncio.wait((running,))
        error = running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert isinstance(error, PlatformDown)
    async with connected(house.settings(**values), house.door) as again:
        await again.send(at(house.private), words("back"), "turn.0")


def _seen(house: House) -> list[Json]:
    return house.anna.messages(house.private, house.us.id)
