"""Rooms that others ask us into."""

import logging

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.errors import StoreError
from hermes_agent.platforms.base import Door, SendRefused
from hermes_agent.platforms.matrix.client import Client
from hermes_agent.platforms.matrix.fields import Json, events, mapping, text
from hermes_agent.platforms.matrix.rooms import Rooms

INVITES = "invites"
MAX_OPEN = 50
_log = logging.getLogger(__name__)


class Invite(msgspec.Struct, frozen=True):
    """`direct` is whether the inviter calls it a private chat."""

    sender: str
    direct: bool
    name: str = ""


class Invitations:
    """We follow those whom the door admits. The others' stay open: what the gateway itself sends
    there, such as the code by which a stranger can be let in, takes us in."""

    def __init__(self, client: Client, rooms: Rooms, door: Door, me: str) -> None:
        self._client = client
        self._rooms = rooms
        self._door = door
        self._me = me
        self._open: dict[str, Invite] = {}
        self._kept: dict[str, Invite] = {}

    async def begin(self) -> None:
        """Those of earlier lives, asked about anew: their senders may be known by now."""
        kept = await self._door.recall(INVITES)
        try:
            self._open = msgspec.json.decode(kept or b"{}", type=dict[str, Invite])
        except msgspec.DecodeError:
            self._open = {}
        self._kept = dict(self._open)
        for room, invite in tuple(self._open.items()):
            await self._answer(room, invite)
        await self._keep()

    async def take(self, invited: Json, left: Json) -> None:
        """The `invite` and `leave` of a sync."""
        for room in left:
            self._open.pop(room, None)
        for room in invited:
            state = events(invited, room, "invite_state", "events")
            invite = _invite(state, self._me)
            if invite is not None:
                await self._answer(room, invite)
        await self._keep()

    async def enter(self, room: str) -> None:
        """Join a room that we were asked into, because something is sent there. Raises as
        `Client.call` does."""
        if room in self._open:
            await self._join(room, self._open[room])

    async def _answer(self, room: str, invite: Invite) -> None:
        origin = Origin(
            platform="matrix",
            chat_id=room,
            chat_type="dm" if invite.direct else "group",
            user_id=invite.sender,
            chat_name=invite.name,
        )
        self._open[room] = invite
        while len(self._open) > MAX_OPEN:
            self._open.pop(next(iter(self._open)))
        if not await self._door.admits(origin, addressed=True, private_name=invite.sender):
            return
        try:
            await self._join(room, invite)
        except SendRefused as error:
            self._open.pop(room, None)
            _log.warning("matrix: an invitation to %s could not be followed: %s", room, error)

    async def _join(self, room: str, invite: Invite) -> None:
        server = invite.sender.partition(":")[2]
        await self._client.call("POST", "join", room, query={"server_name": server, "via": server})
        self._open.pop(room, None)
        if invite.direct:
            await self._rooms.note_private(invite.sender, room)

    async def _keep(self) -> None:
        if self._open == self._kept:
            return
        try:
            await self._door.remember(INVITES, msgspec.json.encode(self._open).decode())
        except StoreError as error:
            _log.warning("matrix: open invitations could not be kept: %s", error)
        else:
            self._kept = dict(self._open)


def _invite(state: list[Json], me: str) -> Invite | None:
    ours = [
        each
        for each in state
        if text(each, "type") == "m.room.member" and text(each, "state_key") == me
    ]
    if not ours or not text(ours[-1], "sender"):
        return None
    named = [text(each, "content", "name") for each in state if text(each, "type") == "m.room.name"]
    direct = mapping(ours[-1], "content").get("is_direct") is True
    return Invite(text(ours[-1], "sender"), direct, (named or [""])[-1])
