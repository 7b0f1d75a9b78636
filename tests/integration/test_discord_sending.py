"""Messages to Discord, commands and buttons, and what is left of it all."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.chats import Attachment, Button, Post, Target
from hermes_agent.platforms.base import (
    MessageGone,
    PlatformDown,
    PlatformRefused,
    SendRefused,
)
from tests.integration.discord_house import ANNA, BERT, House, at, discord_house
from tests.integration.ledger_door import ledger_door, running
from tests.servers.discord.world import BOT, Json


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with discord_house(tmp_path / "home") as made:
        yield made


def messages(house: House) -> list[Json]:
    """Ours in the private channel."""
    found = house.server.world.channels[house.private].messages.values()
    return [each for each in found if each["author"]["id"] == str(BOT)]


def file(folder: Path, name: str, data: bytes) -> Attachment:
    path = folder / name
    path.write_bytes(data)
    return Attachment(kind="document", path=str(path), name=name, size=len(data))


async def test_a_message_whose_answer_was_lost_is_not_sent_again(house: House) -> None:
    async with house.life() as (platform, _):
        place = at(house.private)
        house.server.rest.fault(r"POST .*/messages", 0, done=True)
        with pytest.raises(PlatformDown):
            await platform.send(place, Post(text="once"), "turn.0")
    async with house.life() as (platform, _):
        sent = await platform.send(place, Post(text="once"), "turn.0")
        other = await platform.send(place, Post(text="once"), "turn.1")
    assert [each["id"] for each in messages(house)] == [sent, other]


async def test_nobody_is_notified_by_what_a_model_writes(house: House) -> None:
    async with house.life() as (platform, _):
        said = await house.server.say(house.private, ANNA, "hi")
        post = Post(text=f"@everyone <@{BERT}> <@&7>", quotes=str(said))
        sent = await platform.send(at(house.private), post, "turn.0")
        await platform.edit(at(house.private), sent, Post(text="@everyone"))
    for call in (
        *house.server.rest.heard("POST", ".*/messages"),
        *house.server.rest.heard("PATCH", ".*"),
    ):
        assert call.json["allowed_mentions"]["parse"] == []
        assert not call.json["allowed_mentions"].get("replied_user")


async def test_an_answer_quotes_its_question_while_that_is_there(house: House) -> None:
    async with house.life() as (platform, _):
        said = await house.server.say(house.private, ANNA, "hi")
        for number, quotes in enumerate((str(said), "12345", "no id")):
            await platform.send(at(house.private), Post(text="x", quotes=quotes), f"turn.{number}")
    references = [str(each.get("message_reference", "")) for each in messages(house)]
    assert [str(said) in each for each in references] == [True, False, False]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"code": 0, "message": "401: Unauthorized"}, PlatformRefused),
        (403, {"code": 50013, "message": "Missing Permissions"}, SendRefused),
        (403, {"code": 50007, "message": "Cannot send messages to this user"}, SendRefused),
        (404, {"code": 10003, "message": "Unknown Channel"}, SendRefused),
        (400, {"code": 50035, "message": "Invalid Form Body"}, SendRefused),
        (503, {"code": 0, "message": "down"}, PlatformDown),
        (0, None, PlatformDown),
    ],
)
async def test_faults_say_who_can_mend_them(
    house: House, status: int, body: Json | None, error: type[Exception]
) -> None:
    async with house.life() as (platform, _):
        house.server.rest.fault(r"POST .*/messages", status, body)
        with pytest.raises(error):
            await platform.send(at(house.private), Post(text="x"), "turn.0")
        await platform.send(at(house.private), Post(text="x"), "turn.1")


async def test_a_long_wait_is_left_to_the_courier_and_a_short_one_is_waited_out(
    house: House,
) -> None:
    async with house.life() as (platform, _):
        limit: Any = {"message": "slow down", "global": False}
        house.server.rest.fault(
            r"POST .*/messages", 429, limit | {"retry_after": 64.5}, retry_after="65", via="1.1 x"
        )
        with pytest.raises(PlatformDown) as raised:
            await platform.send(at(house.private), Post(text="x"), "turn.0")
        assert raised.value.retry_after == 64.5
        # Without the header that Discord's own answers have, it is the network in front of it.
        house.server.rest.fault(r"POST .*/messages", 429, limit, retry_after="30")
        with pytest.raises(PlatformDown) as raised:
            await platform.send(at(house.private), Post(text="x"), "turn.1")
        assert raised.value.retry_after == 30
        house.server.rest.fault(
            r"POST .*/messages", 429, limit | {"retry_after": 0.01}, retry_after="1", via="1.1 x"
        )
        assert await platform.send(at(house.private), Post(text="x"), "turn.2")


@pytest.mark.parametrize("chat", ["", "general", "12x", "-5", "1" * 30, "²"])
async def test_what_is_no_id_is_never_sent_to(house: House, chat: str) -> None:
    async with house.life() as (platform, _):
        target = Target(platform="discord", chat_id=chat)
        with pytest.raises(SendRefused):
            await platform.send(target, Post(text="x"), "turn.0")
        await platform.typing(target)
    assert house.server.rest.heard("POST", ".*/messages") == []


async def test_edits_replace_text_and_buttons(house: House) -> None:
    async with house.life() as (platform, _):
        place = at(house.private)
        post = Post(text="May I?", buttons=(Button("Yes", "q:1:0"), Button("No", "q:1:1")))
        sent = await platform.send(place, post, "turn.0")
        assert [len(row["components"]) for row in messages(house)[0]["components"]] == [2]
        await platform.edit(place, sent, Post(text="Done."))
        (message,) = messages(house)
        assert (message["content"], message["components"]) == ("Done.", [])
        with pytest.raises(MessageGone):
            await platform.edit(place, "777", Post(text="x"))
        other = await house.server.say(house.private, ANNA, "mine")
        with pytest.raises(SendRefused):
            await platform.edit(place, str(other), Post(text="x"))


async def test_many_buttons_stand_in_rows(house: House) -> None:
    async with house.life() as (platform, _):
        buttons = tuple(Button(f"{n} {'x' * 100}", f"q:1:{n}") for n in range(30))
        await platform.send(at(house.private), Post(text="Which?", buttons=buttons), "turn.0")
    (message,) = messages(house)
    assert [len(row["components"]) for row in message["components"]] == [5] * 5


async def test_a_pressed_button_is_stored_and_then_acknowledged(house: House) -> None:
    async with house.life() as (platform, door):
        sent = await platform.send(
            at(house.hall), Post(text="May I?", buttons=(Button("Yes", "q:1:0"),)), "turn.0"
        )
        pressed = await house.server.press(house.hall, int(sent), "q:1:0", BERT)
        answer = await house.server.answered(pressed)
        (inbound,) = door.taken
    assert answer["type"] == 6
    assert (inbound.press, inbound.text) == ("q:1:0", "")
    assert inbound.key == f"interaction:{pressed}"
    assert inbound.message_id == sent
    assert inbound.origin.user_id == str(BERT)
    assert inbound.origin.chat_id == str(house.hall)
    assert inbound.origin.chat_type == "group"


async def test_a_press_that_cannot_be_stored_is_told_and_not_taken(house: House) -> None:
    async with house.life() as (platform, door):
        sent = await platform.send(
            at(house.private), Post(text="?", buttons=(Button("Yes", "q:1:0"),)), "turn.0"
        )
        door.broken = 10_000
        pressed = await house.server.press(house.private, int(sent), "q:1:0", ANNA)
        answer = await house.server.answered(pressed)
        assert "try again" in answer["data"]["content"]
        assert answer["data"]["flags"] == 64
        assert door.taken == []


async def test_a_slash_command_becomes_its_text(house: House) -> None:
    async with house.life() as (_, door):
        given = await house.server.command(house.hall, "model", "small one", ANNA)
        answer = await house.server.answered(given)
        bare = await house.server.command(house.private, "new", "", ANNA)
        await house.server.answered(bare)
        first, second = door.taken
    assert (first.text, first.press) == ("/model small one", None)
    assert (second.text, second.origin.chat_type) == ("/new", "dm")
    assert second.origin.chat_id == str(house.private)
    assert answer["type"] == 4
    assert answer["data"]["flags"] == 64


async def test_a_command_in_a_thread_belongs_to_the_thread(house: House) -> None:
    thread = house.server.world.thread(house.hall, BOT, "talk").id
    async with house.life() as (_, door):
        await house.server.answered(await house.server.command(thread, "status", "", ANNA))
        (inbound,) = door.taken
    assert inbound.origin.chat_id == str(house.hall)
    assert inbound.origin.thread_id == str(thread)


async def test_a_strangers_command_is_answered_and_not_taken(house: House) -> None:
    async with house.life() as (_, door):
        door.strangers = {str(BERT)}
        given = await house.server.command(house.hall, "status", "", BERT)
        answer = await house.server.answered(given)
        assert answer["data"]["flags"] == 64
        assert door.taken == []


async def test_an_acknowledgement_that_comes_too_late_loses_nothing(house: House) -> None:
    async with house.life() as (_, door):
        house.server.rest.fault(r"POST .*/callback", 404, {"code": 10062, "message": "Unknown"})
        await house.server.command(house.private, "status", "", ANNA)
        await house.server.say(house.private, ANNA, "and")
        assert {each.text for each in await door.wait(2)} == {"/status", "and"}


async def test_the_commands_are_made_known_once_and_again_when_they_change(house: House) -> None:
    commands = ["new - Start anew", "Model - Choose " + "x" * 200, "bad name - x", "stop - "]
    rest, gateway = house.server.rest, house.server.gateway
    for _ in range(2):
        async with house.life(commands=commands), asyncio.timeout(10), gateway.changed:
            await gateway.changed.wait_for(lambda: rest.commands)
    assert [each["name"] for each in rest.commands] == ["new", "model", "stop"]
    assert len(rest.heard("PUT", ".*/commands")) == 1
    async with house.life(commands=["new - Start"]), asyncio.timeout(10), gateway.changed:
        await gateway.changed.wait_for(lambda: len(rest.commands) == 1)


async def test_commands_that_discord_refuses_do_not_stop_messages(house: House) -> None:
    house.server.rest.fault(r"PUT .*/commands", 400)
    async with house.life(commands=["new - Start"]) as (_, door):
        await house.server.say(house.private, ANNA, "hello")
        await door.wait(1)


async def test_files_are_sent_and_those_that_cannot_be_are_named(
    house: House, tmp_path: Path
) -> None:
    few = tuple(file(tmp_path, f"{n}.txt", b"%d" % n) for n in range(12))
    gone = Attachment(kind="document", path=str(tmp_path / "gone.txt"), name="gone.txt")
    large = file(tmp_path, "large.bin", b"x" * 200_000)
    async with house.life(max_upload_mb=0.1) as (platform, _):
        last = await platform.send(
            at(house.private), Post(text="Here", attachments=(gone, large, *few)), "turn.0"
        )
    first, second = messages(house)
    assert last == second["id"]
    assert first["content"].splitlines() == [
        "Here",
        "[the file gone.txt cannot be sent: No such file or directory]",
        "[the file large.bin is too large for Discord]",
    ]
    sent = house.server.rest.sent_files
    names = [name for each in (first, second) for name, _ in sent(int(each["id"]))]
    assert names == [each.name for each in few]


async def test_a_file_that_discord_finds_too_large_does_not_take_the_text_with_it(
    house: House, tmp_path: Path
) -> None:
    attachment = file(tmp_path, "film.mp4", b"x" * (10 * 1024 * 1024 + 1))
    async with house.life(max_upload_mb=50) as (platform, _):
        await platform.send(
            at(house.private), Post(text="Here", attachments=(attachment,)), "turn.0"
        )
    (message,) = messages(house)
    assert message["content"] == "Here\n[the file film.mp4 is too large for Discord]"


async def test_typing_never_fails(house: House) -> None:
    async with house.life() as (platform, _):
        await platform.typing(at(house.private))
        house.server.rest.fault(r"POST .*/typing", 403)
        await platform.typing(at(house.private))
        await platform.typing(at(404))
    await platform.typing(at(house.private))
    assert house.server.rest.typings == [house.private]


async def test_the_message_of_a_thread_is_reacted_to_in_its_channel(house: House) -> None:
    async with house.life() as (platform, door):
        said = await house.server.say(house.hall, ANNA, f"<@{BOT}> hi", mention=(BOT,))
        (inbound,) = await door.wait(1)
        await platform.react(inbound.origin.target, str(said), "👀")
        assert house.server.rest.reactions == {said: {"👀"}}


async def test_without_a_connection_nothing_is_sent(house: House) -> None:
    platform = house.platform()
    with pytest.raises(PlatformDown):
        await platform.send(at(house.private), Post(text="x"), "turn.0")
    with pytest.raises(PlatformDown):
        await platform.edit(at(house.private), "1", Post(text="x"))
    await platform.close()


async def test_a_wrong_token_is_named_and_not_shown(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ledger_door(house.home) as door:
        with pytest.raises(PlatformRefused) as raised:
            async with running(house.platform(token="wr0ng.t0ken"), door):
                pass
    assert raised.value.hint is not None
    assert "DISCORD_BOT_TOKEN" in raised.value.hint
    assert "wr0ng" not in caplog.text + repr(raised.value)


async def test_a_life_leaves_no_tasks_threads_or_sockets(house: House) -> None:
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    async with house.life(commands=["new - Start"]) as (platform, door):
        await house.server.say(house.private, ANNA, "hi")
        await door.wait(1)
        await platform.send(at(house.private), Post(text="x"), "turn.0")
        await house.server.gateway.cut()
        await house.server.gateway.wait(resumed=1)
    async with asyncio.timeout(10), house.server.gateway.changed:
        await house.server.gateway.changed.wait_for(lambda: not house.server.gateway.connected)
    left = {each for each in asyncio.all_tasks() - tasks if "aiohttp/web" not in repr(each)}
    assert left == set()
    alive = {
        each
        for each in set(threading.enumerate()) - threads
        if not each.name.startswith("asyncio_")
    }
    for each in alive:
        await asyncio.to_thread(each.join, 10)
        assert not each.is_alive(), each
    gc.collect()
