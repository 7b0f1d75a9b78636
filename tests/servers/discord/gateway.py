"""The gateway: sessions over WebSockets, with sequence numbers, replay and zlib-stream."""

import asyncio
import json
import zlib
from typing import Any

from aiohttp import WSMsgType, web

from tests.servers.discord.world import BOT, Json, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME = 0, 1, 2, 6
RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 7, 9, 10, 11
MESSAGE_CONTENT = 1 << 15


class Session:
    """One session: what was told to it, and the connection that it has now."""

    def __init__(self, ident: str, intents: int) -> None:
        self.id = ident
        self.intents = intents
        self.told: list[Json] = []
        self.wire: Wire | None = None

    async def tell(self, event: str, data: Any) -> None:
        frame = {"op": DISPATCH, "t": event, "s": len(self.told) + 1, "d": data}
        self.told.append(frame)
        if self.wire is not None:
            await self.wire.send(frame)


class Wire:
    """A WebSocket, compressed as its address asked."""

    def __init__(self, socket: web.WebSocketResponse, *, packed: bool) -> None:
        self.socket = socket
        self._packer = zlib.compressobj() if packed else None

    async def send(self, frame: Json) -> None:
        if self.socket.closed:
            return
        text = json.dumps(frame)
        if self._packer is None:
            await self.socket.send_str(text)
            return
        data = self._packer.compress(text.encode()) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        await self.socket.send_bytes(data)


class Gateway:
    """`identified` and `resumed` count. `closing` are codes with which the next IDENTIFYs are
    answered; `forgetful` refuses to resume. `granted` are the privileged intents."""

    def __init__(self, world: World, token: str) -> None:
        self.url = ""
        self.sessions: list[Session] = []
        self.identified = 0
        self.resumed = 0
        self.heartbeats = 0
        self.closing: list[int] = []
        self.forgetful = False
        self.granted = MESSAGE_CONTENT
        self.changed = asyncio.Condition()
        self._world = world
        self._token = token

    @property
    def connected(self) -> list[Session]:
        return [each for each in self.sessions if each.wire is not None]

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        compress = request.query.get("compress")
        if request.query.get("v") != "10" or compress not in (None, "zlib-stream"):
            await socket.close(code=4012)
            return socket
        wire = Wire(socket, packed=compress is not None)
        await wire.send({"op": HELLO, "s": None, "t": None, "d": {"heartbeat_interval": 41250}})
        session: Session | None = None
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                session = await self._take(wire, json.loads(message.data), session)
        finally:
            if session is not None and session.wire is wire:
                session.wire = None
            await self._tell()
        return socket

    async def tell(self, event: str, data: Any) -> None:
        """An event to everyone who has a session, connected or not."""
        for session in self.sessions:
            await session.tell(event, data)

    async def cut(self, code: int = 1006) -> None:
        """Break all connections; their sessions can be resumed."""
        for session in self.connected:
            wire, session.wire = session.wire, None
            assert wire is not None
            if code == 1006:
                transport = wire.socket._req.transport  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]  a broken line has no public name
                if transport is not None:
                    transport.abort()
            else:
                await wire.socket.close(code=code)

    async def ask(self, opcode: int, data: Any = None) -> None:
        """RECONNECT or INVALID_SESSION to all."""
        for session in self.connected:
            assert session.wire is not None
            await session.wire.send({"op": opcode, "s": None, "t": None, "d": data})

    async def wait(self, **counts: int) -> None:
        """Until so many have identified, resumed, or are connected."""

        def reached() -> bool:
            now = {
                "identified": self.identified,
                "resumed": self.resumed,
                "connected": len(self.connected),
            }
            return all(now[name] >= count for name, count in counts.items())

        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(reached)

    async def _take(self, wire: Wire, frame: Json, session: Session | None) -> Session | None:
        match frame["op"]:
            case 1:
                self.heartbeats += 1
                await wire.send({"op": HEARTBEAT_ACK, "s": None, "t": None, "d": None})
            case 2:
                session = await self._identify(wire, frame["d"])
            case 6:
                session = await self._resume(wire, frame["d"])
            case _:
                await wire.socket.close(code=4001)
        await self._tell()
        return session

    async def _identify(self, wire: Wire, asked: Json) -> Session | None:
        self.identified += 1
        if self.closing:
            await wire.socket.close(code=self.closing.pop(0))
            return None
        if asked["token"] != self._token:
            await wire.socket.close(code=4004)
            return None
        if asked["intents"] & MESSAGE_CONTENT & ~self.granted:
            await wire.socket.close(code=4014)
            return None
        session = Session(f"session-{self.identified}", asked["intents"])
        session.wire = wire
        guilds = list(self._world.guilds)
        await session.tell(
            "READY",
            {
                "v": 10,
                "user": self._world.users[BOT],
                "guilds": [{"id": str(each), "unavailable": True} for each in guilds],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "application": {"id": str(BOT), "flags": 0},
            },
        )
        for each in guilds:
            await session.tell("GUILD_CREATE", self._world.guild_json(each))
        self.sessions.append(session)
        return session

    async def _resume(self, wire: Wire, asked: Json) -> Session | None:
        found = [each for each in self.sessions if each.id == asked["session_id"]]
        if asked["token"] != self._token:
            await wire.socket.close(code=4004)
            return None
        if self.forgetful or not found:
            self.sessions = [each for each in self.sessions if each not in found]
            await wire.send({"op": INVALID_SESSION, "s": None, "t": None, "d": False})
            return None
        (session,) = found
        session.wire = wire
        for frame in session.told[asked["seq"] :]:
            await wire.send(frame)
        await session.tell("RESUMED", {})
        self.resumed += 1
        return session

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()
