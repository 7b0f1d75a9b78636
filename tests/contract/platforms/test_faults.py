"""When the server is wrong, gone, or the text is hostile."""

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hermes_agent.domain.chats import Post
from hermes_agent.domain.errors import HermesError
from hermes_agent.platforms.base import PlatformDown, PlatformRefused, PlatformSettings, SendRefused
from hermes_agent.platforms.table import create
from tests.contract.platforms.door import RecordingDoor, until
from tests.contract.platforms.harness import Harness
from tests.contract.platforms.running import connected, ending, nothing_left

HOSTILE = (
    "\x00\x01\x02\x1b[2J\x07 bell \x7f\x9b",
    "line one\r\nPRIVMSG #other :injected\r\nQUIT :bye\nMAIL FROM:<x@example>\r\n.\r\n",
    "</b></a><script>alert(1)</script> <pre> & &nosuch; <b>never closed",
    "﷽" * 50 + "\u202e reversed \u2066 isolated \u200d\u200d\u200d",
    '{"ok": false, "error_code": 401} %s %n {0} {text} ${HOME} `id` $(id)',
    "A: header\r\nBcc: everyone@example\r\n\r\nbody",
)


@pytest.mark.needs("credentials")
async def test_wrong_credentials_are_refused_with_a_hint(
    harness: Harness, wrong_settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with nothing_left():
        error = await ending(wrong_settings, door)
    assert isinstance(error, PlatformRefused)
    assert error.hint, "it says what to do next"


@pytest.mark.needs("outages")
async def test_a_server_that_is_not_there_is_reported_as_down(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    await harness.vanish()
    platform = create(settings)
    try:
        with pytest.raises(PlatformDown):
            await platform.send(harness.origin.target, Post(text="hi", plain="hi"), "t.0")
    finally:
        await platform.close()


@pytest.mark.needs("outages")
async def test_messages_flow_again_when_the_server_is_back(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    ready = asyncio.Event()
    supervising = asyncio.create_task(_keep_connected(settings, door, ready.set))
    try:
        await until(ready.is_set, "be ready")
        await harness.say("before")
        await door.heard("before")
        await harness.vanish()
        await harness.come_back()
        await harness.say("after")
        await door.heard("before", "after")
    finally:
        supervising.cancel()
        await asyncio.wait((supervising,))


@pytest.mark.needs("sees")
async def test_hostile_answers_neither_escape_their_message_nor_break_the_connection(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door) as platform:
        await harness.say("ping")
        (heard,) = await door.heard("ping")
        for number, text in enumerate(HOSTILE):
            post = Post(text=text, plain=text)
            try:
                await platform.send(heard.origin.target, post, f"turn-{number}.0")
            except SendRefused as error:
                assert str(error)
        fine = Post(text="still here", plain="still here")
        await platform.send(heard.origin.target, fine, "turn-x.0")
        await until(
            lambda: any("still here" in each.text for each in harness.seen()), "the last is seen"
        )
        await harness.say("and you?")
        await door.heard("ping", "and you?")


async def test_hostile_messages_harm_nobody(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door):
        for text in HOSTILE:
            await harness.say(text)
        await harness.say("x" * 1_000_000)
        await harness.say("the end")
        await until(
            lambda: door.accepted and door.accepted[-1].text == "the end", "the last is heard"
        )
    for each in door.accepted:
        assert each.origin.user_id == harness.origin.user_id


@pytest.mark.needs("credentials")
async def test_no_secret_shows_in_logs_errors_or_representations(
    harness: Harness,
    settings: PlatformSettings,
    wrong_settings: PlatformSettings,
    door: RecordingDoor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    async with connected(settings, door) as platform:
        await harness.say("ping")
        (heard,) = await door.heard("ping")
        shown += [repr(platform), str(platform), repr(vars(platform))]
        await platform.send(heard.origin.target, Post(text="pong", plain="pong"), "t.0")
        elsewhere = type(heard.origin.target)(platform=settings.name, chat_id="no-such-chat-0")
        shown += await _failure(platform.send(elsewhere, Post(text="x", plain="x"), "t.1"))
        if "edits" in harness.features:
            gone = platform.edit(heard.origin.target, "999999", Post(text="x", plain="x"))
            shown += await _failure(gone)
        if "outages" in harness.features:
            await harness.vanish()
            shown += await _failure(
                platform.send(heard.origin.target, Post(text="x", plain="x"), "t.2")
            )
            await harness.come_back()
    shown += _all(await ending(wrong_settings, door))
    for record in caplog.records:
        shown += [record.getMessage(), repr(record.args), repr(record.msg)]
        if record.exc_info and record.exc_info[1]:
            shown += _all(record.exc_info[1])
    wrong = [value for value in wrong_settings.values.values() if isinstance(value, str)]
    right = [value for value in settings.values.values() if isinstance(value, str)]
    secrets = {*harness.secrets, *(set(wrong) - set(right))}
    assert secrets
    for text in shown:
        assert not [each for each in secrets if each in text], text[:400]


async def test_an_adapter_that_is_closed_leaves_nothing_behind(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door):
        await harness.say("warm up")
        await door.heard("warm up")
    async with nothing_left(), connected(settings, door):
        await harness.say("goodbye")
        await door.heard("warm up", "goodbye")


async def _keep_connected(
    settings: PlatformSettings, door: RecordingDoor, ready: Callable[[], None]
) -> None:
    """Start the adapter again whenever it gives up, as the gateway does, without its pauses."""
    while True:
        platform = create(settings)
        try:
            with contextlib.suppress(PlatformDown):
                await platform.run(door, ready)
        finally:
            await platform.close()


async def _failure(doing: Coroutine[Any, Any, object]) -> list[str]:
    """What a failure shows of itself; nothing when it did not fail."""
    try:
        await doing
    except HermesError as error:
        return _all(error)
    return []


def _all(error: BaseException) -> list[str]:
    hint = error.hint if isinstance(error, HermesError) else ""
    return [str(error), repr(error), hint or "", *traceback.format_exception(error)]
