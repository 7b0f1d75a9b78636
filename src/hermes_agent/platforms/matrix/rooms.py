"""What is known of rooms: who is in them, what they are called, which are private chats."""

from collections import OrderedDict

from hermes_agent.domain.chats import ChatType, Target
from hermes_agent.platforms.base import SendRefused
from hermes_agent.platforms.matrix.client import Client, Refused
from hermes_agent.platforms.matrix.fields import Json, items, mapping, text

MAX_KNOWN = 500
DIRECT = "m.direct"


class Room:
    """`members` are the display names of those who joined, by user id."""

    def __init__(self, ident: str, name: str, members: dict[str, str]) -> None:
        self.id = ident
        self.name = name
        self.members = members

    @property
    def chat_type(self) -> ChatType:
        """A private chat is one where nobody else reads, whatever it was called when it began."""
        return "dm" if len(self.members) <= 2 else "group"


class Rooms:
    """Asked for when they are first needed, and kept up to date by what happens in them."""

    def __init__(self, client: Client, me: str) -> None:
        self._client = client
        self._me = me
        self._known: OrderedDict[str, Room] = OrderedDict()

    async def get(self, ident: str) -> Room:
        """The room. Raises `SendRefused` where we are not in it, and `PlatformDown`."""
        room = self._known.get(ident)
        if room is None:
            joined = mapping(
                await self._client.call("GET", "rooms", ident, "joined_members"), "joined"
            )
            names = {user: text(joined, user, "display_name") for user in joined}
            room = self._known[ident] = Room(ident, await self._name(ident), names)
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        self._known.move_to_end(ident)
        return room

    def happened(self, ident: str, event: Json) -> None:
        """Something that changes a room, in order."""
        room = self._known.get(ident)
        if room is None:
            return
        content = mapping(event, "content")
        match text(event, "type"):
            case "m.room.member":
                user = text(event, "state_key")
                if text(content, "membership") == "join":
                    room.members[user] = text(content, "displayname")
                elif user == self._me:
                    del self._known[ident]
                else:
                    room.members.pop(user, None)
            case "m.room.name":
                room.name = text(content, "name")
            case _:
                pass

    def forget(self, ident: str) -> None:
        """Ask again when it is needed."""
        self._known.pop(ident, None)

    async def place(self, target: Target) -> str:
        """The id of the room: `#name:server` and `@person:server` are looked up, and a private
        chat is made where there is none."""
        chat = target.chat_id
        if chat.startswith("@"):
            return await self._private(chat)
        if chat.startswith("#"):
            return text(await self._client.call("GET", "directory", "room", chat), "room_id")
        if not chat.startswith("!"):
            raise SendRefused(f"{chat[:60]!r} is no room of Matrix's.")
        return chat

    async def note_private(self, user: str, room: str) -> None:
        """Remember at the server, for all clients of this account, that this is a private chat."""
        direct = await self._direct()
        rooms = [each for each in items(direct, user) if isinstance(each, str)]
        if room in rooms:
            return
        await self._client.call(
            "PUT", "user", self._me, "account_data", DIRECT, body=direct | {user: [*rooms, room]}
        )

    async def _private(self, user: str) -> str:
        for ident in reversed(items(await self._direct(), user)):
            try:
                room = await self.get(ident if isinstance(ident, str) else "")
            except Refused:
                continue
            if room.chat_type == "dm" and self._me in room.members:
                return room.id
        made = await self._client.call(
            "POST",
            "createRoom",
            body={"preset": "trusted_private_chat", "invite": [user], "is_direct": True},
        )
        ident = text(made, "room_id")
        await self.note_private(user, ident)
        return ident

    async def _direct(self) -> Json:
        try:
            return await self._client.call("GET", "user", self._me, "account_data", DIRECT)
        except Refused as error:
            if error.status == 404:
                return {}
            raise

    async def _name(self, ident: str) -> str:
        try:
            return text(
                await self._client.call("GET", "rooms", ident, "state", "m.room.name"), "name"
            )
        except Refused:
            return ""
