"""End-to-end encryption, by matrix-nio and its keys in a database of their own.

https://spec.matrix.org/latest/client-server-api/#end-to-end-encryption. Devices of other people
are trusted without being verified, as most bots do it: what is protected is protected from
whoever reads along, not from a homeserver that invents devices.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformDown, PlatformRefused
from hermes_agent.platforms.matrix.account import Account
from hermes_agent.platforms.matrix.client import Client, Refused
from hermes_agent.platforms.matrix.configuration import Configuration
from hermes_agent.platforms.matrix.fields import Json, text

if TYPE_CHECKING:
    from nio import AsyncClient

ALGORITHM = "m.megolm.v1.aes-sha2"
_log = logging.getLogger(__name__)


class Encryption:
    """The keys of one device. Only what concerns them goes through nio's own connection."""

    def __init__(self, nio: "AsyncClient", client: Client) -> None:
        self._nio = nio
        self._client = client
        self._one_at_a_time = asyncio.Lock()

    async def begin(self) -> None:
        """Show our keys, so that others can encrypt for us. Raises `PlatformDown`."""
        async with _reaching():
            if self._nio.should_upload_keys:
                await self._nio.keys_upload()

    async def heard(self, answer: Json) -> None:
        """Take the keys and the members of rooms out of the answer to a sync."""
        from nio import SyncResponse

        found = SyncResponse.from_dict(answer)
        if not isinstance(found, SyncResponse):
            _log.warning("matrix: the keys in an answer could not be read")
            return
        async with self._one_at_a_time, _reaching():
            await self._nio.receive_response(found)
            await self._exchange()

    async def opened(self, room: str, event: Json) -> Json | None:
        """The event in this one; None where there is no key for it."""
        from nio import EncryptionError, MegolmEvent
        from nio.events import Event

        try:
            sealed = Event.parse_event(event)
        except (KeyError, TypeError, ValueError):
            return None
        if not isinstance(sealed, MegolmEvent):
            return None
        sealed.room_id = room
        try:
            plain: Json | None = getattr(self._nio.decrypt_event(sealed), "source", None)
        except EncryptionError:
            return None
        return plain

    async def sealed(self, room: str, kind: str, content: Json) -> tuple[str, Json]:
        """See `Sealing.sealed`."""
        if not await self._is_encrypted(room):
            return kind, content
        async with self._one_at_a_time, _reaching():
            if not self._nio.rooms[room].members_synced:
                await self._nio.joined_members(room)
            if self._nio.should_query_keys:
                await self._nio.keys_query()
            if self._nio.olm is not None and self._nio.olm.should_share_group_session(room):
                await self._nio.share_group_session(room, ignore_unverified_devices=True)
            kind, sealed = self._nio.encrypt(room, kind, content)
        return kind, dict(sealed)

    async def locked(self, room: str, data: bytes) -> tuple[bytes, Json] | None:
        """See `Sealing.locked`."""
        if not await self._is_encrypted(room):
            return None
        from nio.crypto.attachments import encrypt_attachment

        return await asyncio.to_thread(encrypt_attachment, data)

    async def _is_encrypted(self, room: str) -> bool:
        """Nothing is sent open into a room that nio only does not know yet."""
        known = self._nio.rooms.get(room)
        if known is not None and known.encrypted:
            return True
        try:
            state = await self._client.call("GET", "rooms", room, "state", "m.room.encryption")
        except Refused as error:
            if error.status == 404:
                return False
            raise
        if text(state, "algorithm") != ALGORITHM:
            raise PlatformRefused(f"matrix: {room} is encrypted in a way that is not known.")
        raise PlatformDown(f"The members of {room} are not known yet.", retry_after=2.0)

    async def _exchange(self) -> None:
        nio = self._nio
        if nio.should_upload_keys:
            await nio.keys_upload()
        if nio.should_query_keys:
            await nio.keys_query()
        if nio.should_claim_keys:
            await nio.keys_claim({**nio.get_users_for_key_claiming()})
        await nio.send_to_device_messages()


def unlocked(data: bytes, lock: Json) -> bytes:
    """A file decrypted. Raises `ValueError`."""
    from nio import EncryptionError
    from nio.crypto.attachments import decrypt_attachment

    try:
        return decrypt_attachment(
            data, text(lock, "key", "k"), text(lock, "hashes", "sha256"), text(lock, "iv")
        )
    except EncryptionError as error:
        raise ValueError(str(error)) from error


@asynccontextmanager
async def encryption(
    configuration: Configuration, account: Account, client: Client
) -> AsyncGenerator[Encryption]:
    """The keys of this device, until the block ends. Raises `ConfigError`."""
    from nio import AsyncClient, AsyncClientConfig

    # They log what they decrypt, and keys as they store them.
    for name in ("nio", "peewee"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if not account.device_id:
        raise PlatformRefused(
            "Matrix's access token belongs to no device, so that nothing can be encrypted for it.",
            hint="Log in with MATRIX_USER_ID and MATRIX_PASSWORD instead.",
        )
    folder = configuration.store
    nio = AsyncClient(
        configuration.homeserver,
        account.user_id,
        device_id=account.device_id,
        store_path=str(folder),
        config=AsyncClientConfig(
            encryption_enabled=True, max_limit_exceeded=0, max_timeouts=0, request_timeout=60
        ),
    )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        nio.restore_login(account.user_id, account.device_id, account.token.reveal())
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(
            f"The keys of Matrix cannot be kept in {folder}: {error}.",
            hint="Set platforms.matrix.extra.store to a folder of the agent's own.",
        ) from error
    try:
        made = Encryption(nio, client)
        await made.begin()
        yield made
    finally:
        await nio.close()
        _close_store(nio)


@asynccontextmanager
async def _reaching() -> AsyncGenerator[None]:
    import aiohttp
    from nio import LocalProtocolError, OlmUnverifiedDeviceError

    try:
        yield
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise PlatformDown(f"Matrix cannot be reached: {type(error).__name__}.") from error
    except (LocalProtocolError, OlmUnverifiedDeviceError) as error:
        raise PlatformDown(f"Matrix's keys are not ready: {error}.", retry_after=5.0) from error


def _close_store(nio: "AsyncClient") -> None:
    database: Any = getattr(nio.store, "database", None)
    if database is not None and not database.is_closed():
        database.close()
