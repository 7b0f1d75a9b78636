"""The whole server, with what people do on it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.servers.discord.gateway import Gateway
from tests.servers.discord.rest import Rest
from tests.servers.discord.world import BOT, MEMBER, Json, World

TOKEN = "bot-token.for.tests"


class DiscordServer:
    """`url` and `gateway.url` are where it is. People speak through `say`, `press`, `command`."""

    def __init__(self) -> None:
        self.world = World()
        self.gateway = Gateway(self.world, TOKEN)
        self.rest = Rest(self.world, self.gateway, TOKEN)
        self.url = ""
        self._host = ""
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Be there, at the same address as before."""
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_get("/gateway/", self.gateway.handle)
        application.router.add_get("/files/{name}", self._file)
        application.router.add_route("*", "/api/{rest:.*}", self.rest.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = int(runner.addresses[0][1])
        self._host = f"127.0.0.1:{self._port}"
        self.url = f"http://{self._host}/api"
        self.gateway.url = f"ws://{self._host}/gateway/"

    async def stop(self) -> None:
        """Be gone; what is known stays."""
        await self.gateway.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def say(
        self,
        channel: int,
        author: int,
        text: str = "",
        *,
        mention: tuple[int, ...] = (),
        files: tuple[tuple[str, str, bytes], ...] = (),
        reply_to: int | None = None,
        heard: bool = True,
        **fields: Any,
    ) -> int:
        """Somebody writes; the id. `files` are name, type and bytes. Not `heard`: it is only in
        the history, as for whoever is away."""
        place = self.world.channels[channel]
        if reply_to is not None:
            fields |= {
                "type": 19,
                "message_reference": {"message_id": str(reply_to), "channel_id": str(channel)},
                "referenced_message": place.messages.get(reply_to),
            }
        made = self.world.message(
            channel,
            author,
            text,
            mentions=[self.world.users[each] for each in mention],
            attachments=[self._attachment(*each) for each in files],
            **fields,
        )
        if heard:
            await self.gateway.tell("MESSAGE_CREATE", made)
        return int(made["id"])

    async def press(self, channel: int, message: int, value: str, user: int) -> int:
        """Somebody presses a button; the interaction's id."""
        found = self.world.channels[channel].messages[message]
        data = {"custom_id": value, "component_type": 2}
        return await self._interact(channel, user, 3, data, message=found)

    async def command(self, channel: int, name: str, args: str, user: int) -> int:
        """Somebody gives a command; the interaction's id."""
        options = [{"name": "args", "type": 3, "value": args}] if args else []
        data = {"id": "1", "name": name, "type": 1, "options": options}
        return await self._interact(channel, user, 2, data)

    async def answered(self, interaction: int) -> Json:
        """What was said to it, once something was."""
        async with asyncio.timeout(15), self.gateway.changed:
            await self.gateway.changed.wait_for(lambda: interaction in self.rest.answers)
        return self.rest.answers[interaction]

    async def _interact(self, channel: int, user: int, kind: int, data: Json, **fields: Any) -> int:
        ident = self.world.id()
        place = self.world.channels[channel]
        token = secrets.token_hex(8)
        self.rest.interactions[ident] = token
        person = self.world.users[user]
        if place.guild is None:
            who: Json = {"user": person}
        else:
            who = {
                "member": {"user": person, "permissions": "0", **MEMBER},
                "guild_id": str(place.guild),
            }
        await self.gateway.tell(
            "INTERACTION_CREATE",
            {
                "id": str(ident),
                "application_id": str(BOT),
                "type": kind,
                "token": token,
                "version": 1,
                "channel_id": str(channel),
                "channel": place.json(self.world.users),
                "data": data,
                "locale": "en-US",
                "entitlements": [],
                "authorizing_integration_owners": {},
                "attachment_size_limit": 10485760,
                **who,
                **fields,
            },
        )
        return ident

    def _attachment(self, name: str, kind: str, data: bytes) -> Json:
        ident = str(self.world.id())
        self.rest.files[ident] = data
        return {
            "id": ident,
            "filename": name,
            "size": len(data),
            "content_type": kind,
            "url": f"http://{self._host}/files/{ident}",
            "proxy_url": f"http://{self._host}/files/{ident}",
        }

    async def _file(self, request: web.Request) -> web.Response:
        data = self.rest.files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)


@asynccontextmanager
async def discord_server() -> AsyncGenerator[DiscordServer]:
    """A server that runs until the block ends."""
    server = DiscordServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
