"""The adapter: one account at one homeserver."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Post, Target
from hermes_agent.platforms.base import Door, PlatformDown
from hermes_agent.platforms.matrix.account import Account, entered
from hermes_agent.platforms.matrix.client import Client, TokenGone
from hermes_agent.platforms.matrix.configuration import Configuration
from hermes_agent.platforms.matrix.files import Files
from hermes_agent.platforms.matrix.invitations import Invitations
from hermes_agent.platforms.matrix.rooms import Rooms
from hermes_agent.platforms.matrix.sending import Sending
from hermes_agent.platforms.matrix.syncing import Syncing
from hermes_agent.platforms.matrix.taking import Taking

if TYPE_CHECKING:
    from hermes_agent.platforms.matrix.encryption import Encryption

CAPABILITIES = Capabilities(
    dialect="matrix",
    max_length=4000,
    unit="characters",
    edits=True,
    edit_interval=1.5,
    threads=True,
    reactions=True,
    typing=True,
    media=frozenset(("image", "voice", "audio", "video", "document", "sticker")),
    max_media=10,
    once="key",
    window=(
        "The homeserver knows a message again by its transaction id and our device for some time "
        "only, Synapse for 24 hours: what is sent again later than that, because the process was "
        "down for so long, may stand there twice."
    ),
)


class Matrix:
    """One account. Made again by the gateway when its connection is lost for good."""

    name = "matrix"
    capabilities = CAPABILITIES

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._sending: Sending | None = None

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        """See `Platform.run`."""
        configuration = self._configuration
        account = await entered(configuration, door)
        me = account.user_id
        client = Client(configuration.homeserver, account.token)
        try:
            async with self._encryption(account, client) as keys:
                syncing = self._wired(client, door, me, keys)
                with self._logged_out():
                    await syncing.run(ready)
        finally:
            self._sending = None
            await asyncio.shield(client.close())

    def _wired(self, client: Client, door: Door, me: str, keys: "Encryption | None") -> Syncing:
        configuration = self._configuration
        rooms = Rooms(client, me)
        invitations = Invitations(client, rooms, door, me)
        sending = self._sending = Sending(
            client, rooms, invitations, me, max_file=configuration.max_file, sealing=keys
        )
        unlock = None
        if keys is not None:
            from hermes_agent.platforms.matrix.encryption import unlocked as unlock
        files = Files(client, configuration.media_dir, configuration.max_file, unlock)
        taking = Taking(configuration, client, rooms, files, sending, door, me, keys)
        wait = configuration.sync_wait
        return Syncing(client, rooms, invitations, taking, door, me, wait=wait, hearing=keys)

    @asynccontextmanager
    async def _encryption(
        self, account: Account, client: Client
    ) -> "AsyncGenerator[Encryption | None]":
        if not self._configuration.encryption:
            yield None
            return
        from hermes_agent.platforms.matrix.encryption import encryption

        async with encryption(self._configuration, account, client) as keys:
            yield keys

    async def send(self, target: Target, post: Post, key: str) -> str:
        """See `Platform.send`."""
        with self._logged_out():
            return await self._connected.send(target, post, key)

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """See `Platform.edit`."""
        with self._logged_out():
            await self._connected.edit(target, message_id, post)

    async def typing(self, target: Target) -> None:
        """See `Platform.typing`."""
        if self._sending is not None:
            await self._sending.typing(target)

    async def react(self, target: Target, message_id: str, emoji: str) -> None:
        """See `Platform.react`."""
        with self._logged_out():
            await self._connected.react(target, message_id, emoji)

    async def close(self) -> None:
        """`run` has given everything back when it ends."""

    @property
    def _connected(self) -> Sending:
        if self._sending is None:
            raise PlatformDown("Matrix is not connected.")
        return self._sending

    @contextmanager
    def _logged_out(self) -> Generator[None]:
        """A token that a password gave can be had again."""
        try:
            yield
        except TokenGone as error:
            if self._configuration.password:
                raise PlatformDown("Matrix has logged us out.") from error
            raise
