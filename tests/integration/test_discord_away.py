"""Nothing that people write on Discord is lost while we are away, and nothing is taken twice."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from hermes_agent.platforms.base import PlatformDown, PlatformRefused
from hermes_agent.platforms.discord import connection, taking
from tests.integration.discord_house import ANNA, BERT, House, discord_house
from tests.integration.ledger_door import LedgerDoor, ledger_door, running
from tests.servers.discord.gateway import INVALID_SESSION, RECONNECT
from tests.servers.discord.world import BOT


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with discord_house(tmp_path / "home") as made:
        yield made


async def texts(door: LedgerDoor, count: int) -> list[str]:
    return [each.text for each in await door.wait(count)]


async def test_what_was_written_while_away_is_taken_in_order_and_before_anything_new(
    house: House,
) -> None:
    say = house.server.say
    async with house.life() as (_, door):
        await say(house.private, ANNA, "0")
        await door.wait(1)
    for number in range(1, 131):
        await say(house.private, ANNA, str(number), heard=False)
    async with ledger_door(house.home) as door:
        work = asyncio.create_task(house.platform().run(door, lambda: None))
        await house.server.gateway.wait(connected=1)
        await say(house.private, ANNA, "131")
        assert await texts(door, 132) == [str(number) for number in range(132)]
        work.cancel()
        await asyncio.wait([work])


async def test_mentions_while_away_are_taken_from_channels_that_nobody_used_before(
    house: House,
) -> None:
    world = house.server.world
    hidden, dull = world.channel(house.guild, "hidden"), world.channel(house.guild, "dull")
    thread = world.thread(house.hall, ANNA, "plans").id
    await house.server.say(dull, BERT, "long ago")
    async with house.life(auto_thread=False) as (_, door):
        await house.server.say(house.private, ANNA, "hello")
        await door.wait(1)
    for channel in (house.hall, thread, hidden):
        await house.server.say(channel, ANNA, "chatter", heard=False)
        await house.server.say(channel, ANNA, f"<@{BOT}> {channel}", mention=(BOT,), heard=False)
    world.channels[hidden].hidden = True
    async with house.life(auto_thread=False) as (_, door):
        assert set((await texts(door, 3))[1:]) == {str(house.hall), str(thread)}
    asked = {int(each.path.split("/")[2]) for each in house.server.rest.heard("GET", ".*/messages")}
    assert not asked & {dull, hidden}


async def test_a_channel_that_may_not_be_read_does_not_stop_the_others(house: House) -> None:
    other = house.server.world.channel(house.guild, "other")
    async with house.life(auto_thread=False) as (_, door):
        await house.server.say(house.private, ANNA, "hello")
        await door.wait(1)
    for channel in (house.hall, other):
        await house.server.say(channel, ANNA, f"<@{BOT}> {channel}", mention=(BOT,), heard=False)
    house.server.rest.fault(rf"GET /channels/{house.hall}/messages", 403, {"code": 50001})
    async with house.life(auto_thread=False) as (_, door):
        assert await texts(door, 2) == ["hello", str(other)]


async def test_the_first_start_takes_nothing_of_what_was_before(house: House) -> None:
    await house.server.say(house.hall, ANNA, f"<@{BOT}> old", mention=(BOT,), heard=False)
    async with house.life(auto_thread=False) as (_, door):
        await house.server.say(house.hall, ANNA, f"<@{BOT}> new", mention=(BOT,))
        assert await texts(door, 1) == ["new"]


async def test_somebody_whom_the_configuration_names_may_write_first_while_we_are_away(
    house: House,
) -> None:
    async with house.life() as (_, _):
        pass
    await house.server.say(house.private, ANNA, "first words", heard=False)
    async with house.life(allowed_users=f"{ANNA},777,name") as (_, door):
        assert await texts(door, 1) == ["first words"]
    assert len(house.server.rest.heard("POST", "/users/@me/channels")) == 2


async def test_a_stranger_who_was_let_in_meanwhile_is_heard(house: House) -> None:
    async with house.life() as (_, door):
        door.strangers = {str(ANNA)}
        await house.server.say(house.private, ANNA, "let me in")
        await door.wait_asked(1)
        await house.server.say(house.hall, BERT, f"<@{BOT}> hi", mention=(BOT,))
        await door.wait(1)
    await house.server.say(house.private, ANNA, "thank you", heard=False)
    async with house.life() as (_, door):
        assert await texts(door, 2) == ["hi", "thank you"]


async def test_a_message_in_hand_when_the_process_died_comes_again(house: House) -> None:
    async with house.life() as (_, door):
        await house.server.say(house.private, ANNA, "zero")
        await door.wait(1)
        door.slow[str(ANNA)] = asyncio.Event()
        await house.server.say(house.private, ANNA, "one")
        await door.wait_asked(2)
        # Meanwhile others go on, and their ids are larger.
        await house.server.say(house.hall, BERT, f"<@{BOT}> two", mention=(BOT,))
        await door.wait(2)
    async with house.life() as (_, door):
        assert await texts(door, 3) == ["zero", "two", "one"]


async def test_a_line_that_breaks_is_resumed(house: House) -> None:
    gateway = house.server.gateway
    async with house.life() as (_, door):
        await gateway.cut()
        await house.server.say(house.private, ANNA, "meanwhile")
        await gateway.wait(resumed=1)
        assert await texts(door, 1) == ["meanwhile"]
        await gateway.ask(RECONNECT)
        await gateway.wait(resumed=2)
        await house.server.say(house.private, ANNA, "after")
        assert await texts(door, 2) == ["meanwhile", "after"]
    assert gateway.identified == 1


async def test_a_session_that_is_gone_is_begun_anew_and_caught_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDENTIFY_PAUSE", 0)
    gateway = house.server.gateway
    async with house.life() as (_, door):
        await house.server.say(house.private, ANNA, "before")
        await door.wait(1)
        gateway.forgetful = True
        await gateway.cut()
        await house.server.say(house.private, ANNA, "meanwhile", heard=False)
        await gateway.wait(identified=2)
        assert await texts(door, 2) == ["before", "meanwhile"]
        await gateway.ask(INVALID_SESSION, data=False)
        await gateway.wait(identified=3)
        await house.server.say(house.private, ANNA, "after")
        assert await texts(door, 3) == ["before", "meanwhile", "after"]


async def test_a_history_that_cannot_be_had_at_once_is_asked_for_again(house: House) -> None:
    async with house.life() as (_, door):
        await house.server.say(house.private, ANNA, "before")
        await door.wait(1)
    await house.server.say(house.private, ANNA, "meanwhile", heard=False)
    route = rf"GET /channels/{house.private}/messages"
    house.server.rest.fault(route, 0)
    house.server.rest.fault(route, 503)
    house.server.rest.fault(
        route, 429, {"retry_after": 0.01, "message": "slow"}, retry_after="0.01"
    )
    async with house.life() as (_, door):
        await house.server.say(house.private, ANNA, "after")
        assert await texts(door, 3) == ["before", "meanwhile", "after"]


async def test_a_message_that_nobody_can_read_is_passed_over(house: House) -> None:
    async with house.life() as (_, door):
        await house.server.say(house.private, ANNA, "before")
        await door.wait(1)
    await house.server.say(house.private, ANNA, "odd", heard=False, type=9999, flags=1 << 62)
    await house.server.say(house.private, ANNA, "\ud800 half a letter", heard=False)
    await house.server.say(house.private, ANNA, "after", heard=False)
    async with house.life() as (_, door):
        assert await texts(door, 3) == ["before", "? half a letter", "after"]


async def test_more_than_can_be_stored_is_left_in_discord(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MAX_PENDING", 5)
    gate = asyncio.Event()
    async with ledger_door(house.home) as door:
        with pytest.raises(PlatformDown, match="can be stored"):
            async with running(house.platform(), door) as work:
                await house.server.say(house.private, ANNA, "0")
                await door.wait(1)
                door.slow[str(ANNA)] = gate
                for number in range(1, 20):
                    await house.server.say(house.private, ANNA, str(number))
                async with asyncio.timeout(10):
                    await work
        gate.set()
        async with running(house.platform(), door):
            assert await texts(door, 20) == [str(number) for number in range(20)]


@pytest.mark.parametrize(
    ("code", "error", "word"),
    [
        (4004, PlatformRefused, "DISCORD_BOT_TOKEN"),
        (4014, PlatformRefused, "Message Content Intent"),
        (4013, PlatformRefused, ""),
    ],
)
async def test_a_gateway_that_refuses_says_what_to_do(
    house: House, code: int, error: type[Exception], word: str
) -> None:
    house.server.gateway.closing = [code]
    async with ledger_door(house.home) as door:
        with pytest.raises(error) as raised:
            async with running(house.platform(), door):
                pass
    assert word in (getattr(raised.value, "hint", "") or "")


async def test_a_bot_without_the_content_intent_is_told_where_to_switch_it_on(
    house: House,
) -> None:
    house.server.gateway.granted = 0
    async with ledger_door(house.home) as door:
        with pytest.raises(PlatformRefused) as raised:
            async with running(house.platform(), door):
                pass
    assert raised.value.hint is not None
    assert "Message Content Intent" in raised.value.hint


async def test_a_gateway_that_throws_us_out_again_and_again_is_left_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDENTIFY_PAUSE", 0)
    house.server.gateway.closing = [4000] * 50
    async with ledger_door(house.home) as door:
        with pytest.raises(PlatformDown):
            async with running(house.platform(), door):
                pass
    assert house.server.gateway.identified <= connection.MAX_CONNECTS
