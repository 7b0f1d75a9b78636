"""Being asked into rooms of a real Synapse."""

from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import quote

import pytest

from hermes_agent.domain.chats import Post, Target
from hermes_agent.platforms.base import SendRefused
from tests.contract.platforms.door import RecordingDoor, until
from tests.integration.matrix_house import House, matrix_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with matrix_house(tmp_path / "home") as made:
        yield made


async def joined(house: House) -> list[str]:
    return (await house.us.call("GET", "joined_rooms"))["joined_rooms"]


async def test_who_is_admitted_is_followed_and_heard_from_the_invitation_on(house: House) -> None:
    anna = house.anna
    async with house.life() as (_, door):
        room = await anna.room(house.bert, name="Plans")
        await anna.say(room, "Hermes: said before you were asked in")
        path = f"rooms/{quote(room, safe='')}/invite"
        await anna.call("POST", path, {"user_id": house.us.id})
        await anna.say(room, "Hermes: said before you came")
        await house.bert.join(room)
        await until(lambda: door.accepted, "it is heard")
    (inbound,) = door.accepted
    assert inbound.text == "said before you came"
    assert inbound.origin.chat_id == room
    asked, addressed = door.asked[0]
    assert addressed
    assert (asked.user_id, asked.chat_type, asked.chat_name) == (anna.id, "group", "Plans")


async def test_a_private_chat_is_remembered_as_one_at_the_homeserver(house: House) -> None:
    async with house.life() as (platform, door):
        room = await house.bert.room(house.us, direct=True)
        await house.bert.say(room, "psst")
        (inbound,) = await door.heard("psst")
        assert inbound.origin.chat_type == "dm"
        there = Target(platform="matrix", chat_id=house.bert.id)
        await platform.send(there, Post(text="yes?", plain="yes?"), "turn.0")
    path = f"user/{quote(house.us.id)}/account_data/m.direct"
    assert await house.us.call("GET", path) == {house.bert.id: [room]}
    messages = await house.bert.call("GET", f"rooms/{quote(room, safe='')}/messages?dir=b")
    assert next(e["content"].get("body") for e in messages["chunk"]) == "yes?"


async def test_a_stranger_is_not_followed_until_something_is_sent_there(house: House) -> None:
    house.door.admitted = False
    async with house.life() as (platform, door):
        room = await house.anna.room(house.us, direct=True)
        other = await house.anna.room(house.us)
        await until(lambda: len(door.asked) == 2, "the door is asked")
        assert not {room, other} & set(await joined(house))
        there = Target(platform="matrix", chat_id=room)
        await platform.send(there, Post(text="your code", plain="your code"), "pairing.0")
        await until(lambda: house.anna.messages(room, house.us.id), "the code is seen")
        await house.anna.say(room, "let me in")
        await until(lambda: len(door.asked) == 3, "the door is asked again")
    assert room in await joined(house)
    assert other not in await joined(house)
    assert house.door.accepted == []


async def test_who_is_admitted_later_is_followed_after_a_restart(house: House) -> None:
    house.door.admitted = False
    async with house.life() as (_, door):
        room = await house.anna.room(house.us, direct=True)
        await until(lambda: "invites" in door.facts, "the invitation is kept")
    house.door = RecordingDoor(house.door.facts)
    async with house.life() as (_, door):
        await house.anna.say(room, "now?")
        await door.heard("now?")


async def test_an_invitation_that_is_taken_back_is_forgotten(house: House) -> None:
    house.door.admitted = False
    async with house.life() as (platform, door):
        room = await house.anna.room(house.us)
        await until(lambda: room in door.facts.get("invites", ""), "the invitation is kept")
        path = f"rooms/{quote(room, safe='')}/kick"
        await house.anna.call("POST", path, {"user_id": house.us.id})
        await until(lambda: room not in door.facts["invites"], "the invitation is forgotten")
        with pytest.raises(SendRefused):
            there = Target(platform="matrix", chat_id=room)
            await platform.send(there, Post(text="x", plain="x"), "turn.0")


async def test_a_private_chat_that_a_third_person_joins_is_one_no_more(house: House) -> None:
    anna, bert, private = house.anna, house.bert, house.private
    async with house.life() as (_, door):
        await anna.say(private, "alone")
        await door.heard("alone")
        path = f"rooms/{quote(private, safe='')}"
        await anna.call("POST", f"{path}/invite", {"user_id": bert.id})
        await bert.join(private)
        await anna.say(private, "nobody is addressed")
        await anna.say(private, "Hermes: you are")
        await door.heard("alone", "you are")
        await anna.call("POST", f"{path}/kick", {"user_id": bert.id})
        await anna.say(private, "alone again")
        heard = await door.heard("alone", "you are", "alone again")
    assert [each.origin.chat_type for each in heard] == ["dm", "group", "dm"]
