"""Encrypted rooms of a real Synapse, with matrix-nio as the other person's client."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.chats import Attachment, Post
from tests.contract.platforms.door import until
from tests.integration.matrix_house import House, matrix_house

pytest.importorskip("nio", reason="NOT TESTED: the extra 'matrix' is not installed")

LOCKED = {
    "type": "m.room.encryption",
    "state_key": "",
    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with matrix_house(tmp_path / "home") as made:
        yield made


@asynccontextmanager
async def secretive(house: House, folder: Path) -> AsyncGenerator[Any]:
    """Anna with a client that encrypts."""
    from nio import AsyncClient, AsyncClientConfig

    await asyncio.to_thread(folder.mkdir)
    client = AsyncClient(
        house.server.url,
        house.anna.id,
        device_id=house.anna.device,
        store_path=str(folder),
        config=AsyncClientConfig(encryption_enabled=True),
    )
    client.restore_login(house.anna.id, house.anna.device, house.anna.token)
    await client.sync(timeout=0, full_state=True)
    running = asyncio.create_task(client.sync_forever(timeout=1000))
    try:
        yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
        store: Any = client.store
        store.database.close()


async def knows_us(anna: Any, house: House) -> None:
    """Anna's client has heard of our keys."""
    await until(
        lambda: list(anna.device_store.active_user_devices(house.us.id)), "our keys are known"
    )


async def say(anna: Any, room: str, content: dict[str, Any]) -> None:
    await anna.room_send(room, "m.room.message", content, ignore_unverified_devices=True)


async def locked_room(house: House) -> str:
    made = await house.anna.call(
        "POST",
        "createRoom",
        {"preset": "private_chat", "invite": [house.us.id], "initial_state": [LOCKED]},
    )
    await house.us.join(made["room_id"])
    return made["room_id"]


async def test_words_and_files_are_read_and_answered_in_an_encrypted_room(
    house: House, tmp_path: Path
) -> None:
    import nio
    from nio.crypto.attachments import decrypt_attachment, encrypt_attachment

    room = await locked_room(house)
    path = tmp_path / "secret.txt"
    path.write_bytes(b"very secret" * 100)
    heard: list[Any] = []
    async with (
        house.life(encryption="true") as (platform, door),
        secretive(house, tmp_path / "anna") as anna,
    ):

        def hear(_: Any, event: Any) -> None:
            heard.append(event)

        anna.add_event_callback(hear, nio.Event)
        await knows_us(anna, house)
        await say(anna, room, {"msgtype": "m.text", "body": "psst"})
        (inbound,) = await door.heard("psst")
        sealed, keys = encrypt_attachment(b"her file" * 50)
        address = await house.anna.upload(sealed, "application/octet-stream")
        content = {"msgtype": "m.file", "body": "hers.txt", "file": keys | {"url": address}}
        await say(anna, room, content)
        await until(lambda: len(door.accepted) == 2, "the file is accepted")
        attachment = Attachment(kind="document", path=str(path))
        post = Post(text="<b>yes</b>", plain="yes", attachments=(attachment,))
        sent = await platform.send(inbound.origin.target, post, "turn.0")
        assert sent == await platform.send(inbound.origin.target, post, "turn.0")
        await until(
            lambda: [e for e in heard if isinstance(e, nio.RoomEncryptedFile)], "the file is seen"
        )
    (hers,) = door.accepted[1].attachments
    assert await asyncio.to_thread(Path(hers.path).read_bytes) == b"her file" * 50
    (words,) = [e for e in heard if isinstance(e, nio.RoomMessageText) and e.sender == house.us.id]
    assert words.body == "yes"
    assert words.decrypted
    (file,) = [e for e in heard if isinstance(e, nio.RoomEncryptedFile) and e.sender == house.us.id]
    stored = await house.anna.download(file.url)
    assert b"secret" not in stored
    plain = decrypt_attachment(stored, file.key["k"], file.hashes["sha256"], file.iv)
    assert plain == b"very secret" * 100
    open_ones = [e for e in house.anna.heard if e["room"] == room and e["type"] == "m.room.message"]
    assert open_ones == [], "nothing was sent without encryption"
    assert (house.media.parent.parent / "matrix").stat().st_mode & 0o077 == 0


async def test_keys_outlive_the_process(house: House, tmp_path: Path) -> None:
    room = await locked_room(house)
    async with secretive(house, tmp_path / "anna") as anna:
        async with house.life(encryption="true") as (_, door):
            await knows_us(anna, house)
            await say(anna, room, {"msgtype": "m.text", "body": "one"})
            await door.heard("one")
        await say(anna, room, {"msgtype": "m.text", "body": "two"})
        async with house.life(encryption="true") as (platform, door):
            _, inbound = await door.heard("one", "two")
            await platform.send(inbound.origin.target, Post(text="a", plain="a"), "turn.0")


async def test_a_message_whose_key_comes_later_is_read_then(house: House, tmp_path: Path) -> None:
    room = await locked_room(house)
    async with (
        house.life(encryption="true") as (_, door),
        secretive(house, tmp_path / "anna") as anna,
    ):
        await knows_us(anna, house)
        await anna.joined_members(room)
        held: list[Any] = []
        send = anna._send

        async def slow(kind: Any, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
            if "sendToDevice" in path:
                held.append((kind, method, path, args, kwargs))
                return None
            return await send(kind, method, path, *args, **kwargs)

        anna._send = slow
        await say(anna, room, {"msgtype": "m.text", "body": "one"})
        await house.anna.say(house.private, "after")
        await door.heard("after")
        anna._send = send
        for kind, method, path, args, kwargs in held:
            await send(kind, method, path, *args, **kwargs)
        await door.heard("after", "one")


async def test_without_encryption_an_encrypted_message_is_named_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    room = await locked_room(house)
    async with house.life() as (_, door):
        await house.anna.event(
            room, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"}
        )
        await house.anna.say(house.private, "after")
        await door.heard("after")
        await until(lambda: "MATRIX_ENCRYPTION is off" in caplog.text, "it is told")
