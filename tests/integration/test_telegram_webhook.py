"""Updates by webhook: Telegram calls us."""

import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformRefused, PlatformSettings
from hermes_agent.platforms.telegram.calling import HEADER
from tests.contract.platforms.door import RecordingDoor, until
from tests.contract.platforms.running import connected, ending, nothing_left
from tests.integration.telegram_place import Place, opened
from tests.servers.telegram.server import refusal


@pytest.fixture
def place(tmp_path: Path) -> Generator[Place]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def settings(place: Place, port: int) -> PlatformSettings:
    return place.settings(
        webhook_url=f"http://127.0.0.1:{port}/telegram/hook",
        webhook_port=port,
        webhook_secret="a-secret_of-mine",
    )


async def test_messages_come_and_answers_go(
    place: Place, door: RecordingDoor, settings: PlatformSettings
) -> None:
    async with connected(settings, door):
        place.world.say(place.alice, "one")
        place.world.say(place.alice, "two")
        await door.heard("one", "two")
        await until(lambda: not place.world.queue, "all are confirmed")
    assert place.world.webhook is not None
    assert place.world.webhook["secret_token"] == "a-secret_of-mine"


async def test_what_could_not_be_stored_is_sent_again(
    place: Place, door: RecordingDoor, settings: PlatformSettings
) -> None:
    door.faults = 3
    async with connected(settings, door):
        place.world.say(place.alice, "one")
        await door.heard("one")
    assert len(door.attempts) == 4


async def test_what_was_written_between_two_runs_arrives(
    place: Place, door: RecordingDoor, settings: PlatformSettings
) -> None:
    async with connected(settings, door):
        pass
    place.world.say(place.alice, "while you were away")
    async with connected(settings, door):
        await door.heard("while you were away")


async def test_nobody_else_can_bring_messages(
    place: Place, door: RecordingDoor, settings: PlatformSettings, port: int
) -> None:
    update = {"update_id": 1, "message": _message(place)}
    url = f"http://127.0.0.1:{port}/telegram/hook"
    right = {HEADER: "a-secret_of-mine"}
    tries: list[tuple[str, str, dict[str, str], Any, int]] = [
        ("POST", url, {}, update, 401),
        ("POST", url, {HEADER: "a-secret_of-min"}, update, 401),
        ("POST", url, {HEADER: ""}, update, 401),
        ("POST", url, {HEADER: "ü"}, update, 401),
        ("GET", url, right, None, 405),
        ("POST", f"http://127.0.0.1:{port}/", right, update, 404),
        ("POST", f"{url}/../x", right, update, 404),
    ]
    async with connected(settings, door), httpx2.AsyncClient(trust_env=False) as client:
        for method, where, headers, body, status in tries:
            sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            answer = await client.request(method, where, headers=sent, json=body)
            assert answer.status_code == status, (method, where, headers)
        assert door.asked == []
        right_answer = await client.post(url, headers=right, json=update)
        assert right_answer.status_code == 200
    assert [each.text for each in door.accepted] == ["hello"]


async def test_bodies_that_are_no_updates_are_refused_or_passed_over(
    place: Place, door: RecordingDoor, settings: PlatformSettings, port: int
) -> None:
    url = f"http://127.0.0.1:{port}/telegram/hook"
    bodies: list[tuple[bytes, int]] = [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'"\\ud800"', 200),
        (b"[]", 200),
        (b"{}", 200),
        (b'{"update_id": "x"}', 200),
        (b'{"update_id": 1, "message": 5}', 200),
        (b" " * 1_100_000, 413),
    ]
    async with connected(settings, door), httpx2.AsyncClient(trust_env=False) as client:
        for body, status in bodies:
            answer = await client.post(url, headers={HEADER: "a-secret_of-mine"}, content=body)
            assert answer.status_code == status, body[:40]
        place.world.say(place.alice, "still here")
        await door.heard("still here")


async def test_a_secret_is_made_when_none_is_set_and_another_at_every_start(
    place: Place, door: RecordingDoor, port: int
) -> None:
    settings = place.settings(webhook_url=f"http://127.0.0.1:{port}/", webhook_port=port)
    secrets: list[str] = []
    for _ in range(2):
        async with connected(settings, door):
            assert place.world.webhook is not None
            secrets.append(place.world.webhook["secret_token"])
            place.world.say(place.alice, "hello")
            await until(lambda: not place.world.queue, "it is taken")
    assert secrets[0] != secrets[1]
    assert all(len(each) >= 32 for each in secrets)


async def test_an_address_that_telegram_does_not_take_is_refused(
    place: Place, door: RecordingDoor, settings: PlatformSettings
) -> None:
    place.server.misbehave(
        "setWebhook", refusal(400, "Bad Request: bad webhook: HTTPS URL must be provided")
    )
    async with nothing_left():
        error = await ending(settings, door)
    assert isinstance(error, PlatformRefused)
    assert "HTTPS" in str(error)
    assert error.hint


async def test_a_port_that_is_taken_is_a_fault_of_the_configuration(
    place: Place, door: RecordingDoor, settings: PlatformSettings, port: int
) -> None:
    with socket.create_server(("127.0.0.1", port)):
        error = await ending(settings, door)
    assert isinstance(error, ConfigError)


async def test_nothing_is_left_behind(
    place: Place, door: RecordingDoor, settings: PlatformSettings
) -> None:
    async with connected(settings, door):
        place.world.say(place.alice, "one")
        await door.heard("one")
    async with nothing_left(), connected(settings, door):
        place.world.say(place.alice, "two")
        await door.heard("one", "two")


def _message(place: Place) -> dict[str, Any]:
    chat = place.world.chats[place.alice["id"]]
    return {"message_id": 1, "chat": chat, "from": place.alice, "text": "hello"}
