"""Long polling through conflicts, outages and full disks."""

import asyncio
import logging
import re
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from hermes_agent.config.secret import Secret
from hermes_agent.platforms.base import PlatformDown, PlatformRefused
from hermes_agent.platforms.telegram.client import Client
from hermes_agent.platforms.telegram.configuration import Configuration
from hermes_agent.platforms.telegram.intake import Intake
from hermes_agent.platforms.telegram.polling import SEQUENTIAL, Pauses, Poller
from hermes_agent.platforms.telegram.wire import Me
from tests.contract.platforms.door import RecordingDoor, until
from tests.contract.platforms.running import connected, ending
from tests.integration.telegram_place import Place, opened
from tests.servers.telegram.server import TOKEN, body, hang_up, refusal, too_many

QUICK = Pauses(first=0.001, most=0.01)
CONFLICT = "Conflict: terminated by other getUpdates request"


@pytest.fixture
def place(tmp_path: Path) -> Generator[Place]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()


async def polling(
    place: Place, door: RecordingDoor, pauses: Pauses = QUICK, *, token: str = TOKEN
) -> BaseException:
    """What a poller ends with by itself."""
    client = Client(Secret(token), place.server.base_url)
    configuration = Configuration(token=Secret(token), media_dir=Path("/nowhere"))
    me = Me(4242, "hermes_test_bot")
    poller = Poller(
        client,
        Intake(client, me, configuration, door),
        door,
        bot_id=me.id,
        timeout=1,
        pauses=pauses,
    )
    try:
        await asyncio.wait_for(poller.run(lambda: None), 20)
    except Exception as error:  # noqa: BLE001  whatever it is, it is looked at
        return error
    finally:
        await client.close()
    raise AssertionError("a poller does not end without an error")


async def test_an_update_is_confirmed_only_after_it_was_stored(
    place: Place, door: RecordingDoor
) -> None:
    door.stuck = True
    async with connected(place.settings(), door):
        place.world.say(place.alice, "keep me")
        await until(lambda: door.attempts, "the message reaches the door")
        assert len(place.world.queue) == 1
        offsets = [each.get("offset") for each in place.server.called("getUpdates")]
    assert set(offsets) == {None}


async def test_two_pollers_that_fight_end_with_a_refusal_that_says_what_to_do(
    place: Place, door: RecordingDoor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    place.server.misbehave("getUpdates", *[refusal(409, CONFLICT)] * 6)
    error = await polling(place, door)
    assert isinstance(error, PlatformRefused)
    assert "terminated by other getUpdates" in str(error)
    assert "stop the other one" in (error.hint or "")
    assert len([each for each in caplog.records if "Conflict" in each.getMessage()]) == 1


async def test_a_conflict_that_passes_is_borne(place: Place, door: RecordingDoor) -> None:
    place.server.misbehave("getUpdates", refusal(409, CONFLICT), refusal(409, CONFLICT))
    async with connected(place.settings(), door):
        place.world.say(place.alice, "hello")
        await door.heard("hello")


async def test_somebody_elses_webhook_is_reported_and_left_alone(
    place: Place, door: RecordingDoor
) -> None:
    place.world.webhook = {"url": "http://127.0.0.1:9/elsewhere"}
    error = await polling(place, door)
    assert isinstance(error, PlatformRefused)
    assert "webhook is active" in str(error)
    assert "deleteWebhook" in (error.hint or "")
    assert place.world.webhook is not None


async def test_a_token_that_is_taken_back_ends_the_polling(
    place: Place, door: RecordingDoor
) -> None:
    error = await polling(place, door, token="1:AAtaken-back")
    assert isinstance(error, PlatformRefused)
    assert "TELEGRAM_BOT_TOKEN" in (error.hint or "")


async def test_an_outage_is_logged_once_and_its_end_once(
    place: Place, door: RecordingDoor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    place.server.misbehave(
        "getUpdates",
        *[hang_up] * 5,
        *[body(b"<html>Bad Gateway</html>", 502, "text/html")] * 5,
        *[refusal(500, "Internal Server Error")] * 5,
    )
    place.world.say(place.alice, "hello")
    poller = asyncio.create_task(polling(place, door))
    try:
        await door.heard("hello")
        await until(lambda: "works again" in caplog.text, "the end is logged")
    finally:
        poller.cancel()
        with suppress(asyncio.CancelledError):
            await poller
    ours = [each.getMessage() for each in caplog.records if "hermes_agent" in each.name]
    assert len(ours) == 2
    assert re.search(r"works again after 15 failures", ours[1])


async def test_an_outage_that_does_not_end_is_given_up_so_that_it_shows(
    place: Place, door: RecordingDoor
) -> None:
    place.server.stop()
    error = await polling(place, door, Pauses(first=0.001, most=0.01, patience=0.05))
    assert isinstance(error, PlatformDown)
    assert error.retry_after is not None
    assert error.retry_after <= 0.01


async def test_who_cannot_connect_at_all_is_told_when_to_try_again(
    place: Place, door: RecordingDoor
) -> None:
    place.server.stop()
    error = await ending(place.settings(), door)
    assert isinstance(error, PlatformDown)
    assert error.retry_after is not None
    assert 5 <= error.retry_after <= 30


async def test_a_full_disk_is_waited_out_and_nothing_is_lost(
    place: Place, door: RecordingDoor
) -> None:
    door.faults = 40
    for number in range(5):
        place.world.say(place.alice, f"message {number}")
    poller = asyncio.create_task(polling(place, door))
    try:
        await door.heard(*(f"message {number}" for number in range(5)))
    finally:
        poller.cancel()
        with suppress(asyncio.CancelledError):
            await poller


async def test_the_flood_limit_of_polling_is_kept(place: Place, door: RecordingDoor) -> None:
    place.server.misbehave("getUpdates", too_many(1))
    place.world.say(place.alice, "hello")
    async with connected(place.settings(), door):
        await door.heard("hello")
    assert len(place.server.called("getUpdates")) <= 4


async def test_where_it_was_is_remembered_for_this_bot_and_not_for_too_long(
    place: Place, door: RecordingDoor
) -> None:
    async with connected(place.settings(), door):
        place.world.say(place.alice, "hello")
        await door.heard("hello")
        await until(lambda: not place.world.queue, "it is confirmed")
    (kept,) = door.facts.values()
    bot, offset, moved_at = kept.split()
    assert (bot, offset) == ("4242", "10001")
    stale = f"{bot} {offset} {float(moved_at) - SEQUENTIAL - 1:.0f}"
    for facts, expected in ((kept, 10_001), (stale, None), (f"1 {offset} {moved_at}", None)):
        later = RecordingDoor({"next update": facts})
        place.server.calls.clear()
        async with connected(place.settings(), later):
            await until(lambda: len(place.server.called("getUpdates")) == 2, "it polls")
        assert place.server.called("getUpdates")[0].get("offset") == expected


async def test_a_webhook_of_our_own_is_taken_away_before_polling(
    place: Place, door: RecordingDoor
) -> None:
    place.world.webhook = {"url": "http://127.0.0.1:9/ours"}
    door.facts["webhook"] = "http://127.0.0.1:9/ours"
    async with connected(place.settings(), door):
        place.world.say(place.alice, "hello")
        await door.heard("hello")
    assert place.world.webhook is None


async def test_the_menu_of_commands_is_set_and_its_refusal_stops_nothing(
    place: Place, door: RecordingDoor
) -> None:
    settings = place.settings(commands=["stop - End the turn", "new - Begin anew"])
    async with connected(settings, door):
        assert [each["command"] for each in place.world.commands] == ["stop", "new"]
    place.server.misbehave("setMyCommands", refusal(400, "Bad Request: BOT_COMMAND_INVALID"))
    async with connected(settings, door):
        place.world.say(place.alice, "hello")
        await door.heard("hello")
