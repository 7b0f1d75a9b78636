"""The REST routes that a bot uses, with Discord's own refusals."""

import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.servers.discord.gateway import Gateway
from tests.servers.discord.world import BOT, Channel, Json, World

MAX_CONTENT = 2000
MAX_FILE = 10 * 1024 * 1024
NONCE_SECONDS = 300.0


class Refused(Exception):
    """An answer in Discord's form of an error."""

    def __init__(self, status: int, code: int, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, **fields}


@dataclass
class Fault:
    """What the next call that fits gets instead; `done`: after it was carried out."""

    fits: str
    status: int
    body: Json
    headers: dict[str, str]
    done: bool = False


@dataclass
class Heard:
    """A call that came. `files` are names and sizes."""

    method: str
    path: str
    json: Any
    files: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


class Rest:
    """`calls` is everything that came; `answers` what was said to interactions."""

    def __init__(self, world: World, gateway: Gateway, token: str) -> None:
        self.calls: list[Heard] = []
        self.faults: list[Fault] = []
        self.commands: list[Json] = []
        self.answers: dict[int, Json] = {}
        self.interactions: dict[int, str] = {}
        self.reactions: dict[int, set[str]] = {}
        self.typings: list[int] = []
        self.files: dict[str, bytes] = {}
        self.threads_allowed = True
        self._sent: dict[int, list[tuple[str, bytes]]] = {}
        self._world = world
        self._gateway = gateway
        self._token = token
        self._nonces: dict[tuple[int, str], tuple[float, int]] = {}
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Awaitable[Any]]]] = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("GET", r"/users/@me", self._me),
                ("GET", r"/oauth2/applications/@me", self._application),
                ("POST", r"/users/@me/channels", self._open),
                ("PUT", r"/applications/(\d+)/commands", self._put_commands),
                ("GET", r"/channels/(\d+)/messages", self._history),
                ("POST", r"/channels/(\d+)/messages", self._post),
                ("GET", r"/channels/(\d+)/messages/(\d+)", self._get),
                ("PATCH", r"/channels/(\d+)/messages/(\d+)", self._patch),
                ("POST", r"/channels/(\d+)/messages/(\d+)/threads", self._thread),
                ("POST", r"/channels/(\d+)/typing", self._typing),
                ("PUT", r"/channels/(\d+)/messages/(\d+)/reactions/(.+)/@me", self._react),
                ("DELETE", r"/channels/(\d+)/messages/(\d+)/reactions/(.+)/@me", self._unreact),
                ("POST", r"/interactions/(\d+)/([^/]+)/callback", self._callback),
            )
        ]

    def heard(self, method: str, pattern: str) -> list[Heard]:
        """The calls of this kind."""
        return [
            each
            for each in self.calls
            if each.method == method and re.fullmatch(pattern, each.path)
        ]

    def sent_files(self, message: int) -> list[tuple[str, bytes]]:
        """Names and bytes of what the bot sent with a message."""
        return self._sent.get(message, [])

    def fault(
        self,
        fits: str,
        status: int,
        body: Json | None = None,
        *,
        done: bool = False,
        **headers: str,
    ) -> None:
        """The next call `METHOD /path` that fits the pattern fails. Status 0 breaks the line."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(fits, status, body or {"code": 0, "message": "no"}, named, done))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        path = request.path.removeprefix("/api")
        payload, files = await _read(request)
        self.calls.append(Heard(request.method, path, payload, files))
        fault = next(
            (each for each in self.faults if re.fullmatch(each.fits, f"{request.method} {path}")),
            None,
        )
        if fault is not None:
            self.faults.remove(fault)
        try:
            if fault is not None and not fault.done:
                return self._fail(request, fault)
            if request.headers.get("authorization") != f"Bot {self._token}" and not re.match(
                r"/interactions/", path
            ):
                raise Refused(401, 0, "401: Unauthorized")
            status, answer = await self._answer(request, path, payload, files)
        except Refused as refused:
            return _json(refused.body, status=refused.status)
        if fault is not None:
            return self._fail(request, fault)
        if answer is None:
            return web.Response(status=204)
        return _json(answer, status=status)

    def _fail(self, request: web.Request, fault: Fault) -> web.Response:
        if fault.status == 0:
            assert request.transport is not None
            request.transport.abort()
        return _json(fault.body, status=fault.status or 500, headers=fault.headers)

    async def _answer(
        self, request: web.Request, path: str, payload: Any, files: list[tuple[str, bytes]]
    ) -> tuple[int, Any]:
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(path)
            if method == request.method and found is not None:
                given = [int(each) if each.isdigit() else each for each in found.groups()]
                answer = await handler(*given, payload=payload, files=files, query=request.query)
                return 200, answer
        raise Refused(404, 0, f"404: Not Found {request.method} {path}")

    async def _me(self, **_: Any) -> Json:
        return self._world.users[BOT] | {"verified": True, "mfa_enabled": False}

    async def _application(self, **_: Any) -> Json:
        return {
            "id": str(BOT),
            "name": "hermes",
            "icon": None,
            "description": "",
            "summary": "",
            "verify_key": "0",
            "bot_public": False,
            "bot_require_code_grant": False,
            "owner": self._world.users[BOT],
            "team": None,
            "flags": 0,
        }

    async def _open(self, payload: Json, **_: Any) -> Json:
        user = int(payload["recipient_id"])
        if user not in self._world.users:
            raise Refused(400, 50033, "Invalid Recipient(s)")
        places = self._world.channels.values()
        found = next((each for each in places if each.recipient == user), None)
        place = found or self._world.channels[self._world.private(user)]
        return place.json(self._world.users)

    async def _put_commands(self, _: int, payload: Any, **__: Any) -> list[Json]:
        names = [each["name"] for each in payload]
        bad = [name for name in names if re.fullmatch(r"[-_a-z0-9]{1,32}", name) is None]
        empty = [each for each in payload if not 1 <= len(each["description"]) <= 100]
        if bad or empty or len(set(names)) != len(names) or len(names) > 100:
            raise Refused(400, 50035, "Invalid Form Body")
        self.commands = payload
        await self._gateway._tell()  # pyright: ignore[reportPrivateUsage]  the same server
        return [
            each | {"id": str(self._world.id()), "application_id": str(BOT), "version": "1"}
            for each in payload
        ]

    async def _history(self, channel: int, query: Any, **_: Any) -> list[Json]:
        place = self._channel(channel)
        after, before = int(query.get("after", 0)), int(query.get("before", 1 << 63))
        limit = int(query.get("limit", 50))
        if not 1 <= limit <= 100:
            raise Refused(400, 50035, "Invalid Form Body")
        found = sorted(ident for ident in place.messages if after < ident < before)
        chosen = found[:limit] if "after" in query else found[-limit:]
        return [place.messages[ident] for ident in reversed(chosen)]

    async def _get(self, channel: int, message: int, **_: Any) -> Json:
        found = self._message(channel, message)
        mine = self.reactions.get(message, set())
        return found | {
            "reactions": [
                {
                    "count": 1,
                    "count_details": {"burst": 0, "normal": 1},
                    "me": True,
                    "me_burst": False,
                    "emoji": {"id": None, "name": each},
                    "burst_colors": [],
                }
                for each in sorted(mine)
            ]
        }

    async def _post(
        self, channel: int, payload: Json, files: list[tuple[str, bytes]], **_: Any
    ) -> Json:
        place = self._channel(channel)
        _check(payload, files)
        nonce = str(payload.get("nonce", ""))
        if len(nonce) > 25:
            raise Refused(400, 50035, "Invalid Form Body")
        known = self._nonces.get((channel, nonce))
        if nonce and payload.get("enforce_nonce") and known is not None:
            when, ident = known
            if time.monotonic() - when < NONCE_SECONDS:
                return place.messages[ident]
        reference = payload.get("message_reference")
        if reference is not None and int(reference["message_id"]) not in place.messages:
            if reference.get("fail_if_not_exists", True):
                raise Refused(400, 50035, "Unknown message")
            reference = None
        attachments = [
            {
                "id": str(self._world.id()),
                "filename": name,
                "size": len(data),
                "url": "https://cdn.discordapp.com/x",
                "proxy_url": "https://media.discordapp.net/x",
            }
            for name, data in files
        ]
        made = self._world.message(
            channel,
            BOT,
            payload.get("content") or "",
            components=payload.get("components", []),
            attachments=attachments,
            nonce=nonce or None,
            **({"message_reference": reference, "type": 19} if reference else {}),
        )
        self._sent[int(made["id"])] = files
        if nonce:
            self._nonces[channel, nonce] = (time.monotonic(), int(made["id"]))
        await self._gateway.tell("MESSAGE_CREATE", made)
        return made

    async def _patch(
        self,
        channel: int,
        message: int,
        payload: Json,
        files: list[tuple[str, bytes]],
        **_: Any,
    ) -> Json:
        found = self._message(channel, message)
        if found["author"]["id"] != str(BOT):
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        _check(payload, files)
        found["content"] = payload.get("content", found["content"])
        found["components"] = payload.get("components", found["components"])
        found["edited_timestamp"] = "2026-01-01T00:00:01.000000+00:00"
        if files:
            self._sent[message] = files
        await self._gateway.tell("MESSAGE_UPDATE", found)
        return found

    async def _thread(self, channel: int, message: int, payload: Json, **_: Any) -> Json:
        found = self._message(channel, message)
        if not self.threads_allowed:
            raise Refused(403, 50013, "Missing Permissions")
        if message in self._world.channels:
            raise Refused(400, 160004, "A thread has already been created for this message")
        if not 1 <= len(payload["name"]) <= 100:
            raise Refused(400, 50035, "Invalid Form Body")
        found["flags"] |= 32
        made = self._world.thread(channel, BOT, payload["name"], message)
        data = made.json(self._world.users)
        await self._gateway.tell("THREAD_CREATE", data | {"newly_created": True})
        return data

    async def _typing(self, channel: int, **_: Any) -> None:
        self._channel(channel)
        self.typings.append(channel)

    async def _react(self, channel: int, message: int, emoji: str, **_: Any) -> None:
        self._message(channel, message)
        self.reactions.setdefault(message, set()).add(emoji)

    async def _unreact(self, channel: int, message: int, emoji: str, **_: Any) -> None:
        self._message(channel, message)
        self.reactions.setdefault(message, set()).discard(emoji)

    async def _callback(self, interaction: int, token: str, payload: Json, **_: Any) -> None:
        if self.interactions.get(interaction) != token:
            raise Refused(404, 10062, "Unknown interaction")
        if interaction in self.answers:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        if payload["type"] == 4:
            _check(payload["data"], [])
        self.answers[interaction] = payload
        await self._gateway._tell()  # pyright: ignore[reportPrivateUsage]  the same server

    def _channel(self, ident: int) -> Channel:
        place = self._world.channels.get(ident)
        if place is None:
            raise Refused(404, 10003, "Unknown Channel")
        if place.hidden:
            raise Refused(403, 50001, "Missing Access")
        return place

    def _message(self, channel: int, ident: int) -> Json:
        found = self._channel(channel).messages.get(ident)
        if found is None:
            raise Refused(404, 10008, "Unknown Message")
        return found


def _check(payload: Json, files: list[tuple[str, bytes]]) -> None:
    """https://discord.com/developers/docs/resources/message#create-message"""
    content = payload.get("content") or ""
    rows: list[Json] = payload.get("components") or []
    # In UTF-16, which is the strictest of what could be meant by a length.
    if len(content.encode("utf-16-le", "surrogatepass")) // 2 > MAX_CONTENT:
        raise Refused(400, 50035, "Must be 2000 or fewer in length.")
    if not content and not files and not rows:
        raise Refused(400, 50006, "Cannot send an empty message")
    if len(rows) > 5 or len(files) > 10:
        raise Refused(400, 50035, "Invalid Form Body")
    buttons: list[Json] = [each for row in rows for each in row["components"]]
    ids: list[str] = [each["custom_id"] for each in buttons]
    if (
        any(not 1 <= len(row["components"]) <= 5 for row in rows)
        or any(not 1 <= len(each) <= 100 for each in ids)
        or any(len(each.get("label") or "") > 80 for each in buttons)
        or len(set(ids)) != len(ids)
    ):
        raise Refused(400, 50035, "Invalid Form Body")
    if any(len(data) > MAX_FILE for _, data in files):
        raise Refused(413, 40005, "Request entity too large")


async def _read(request: web.Request) -> tuple[Any, list[tuple[str, bytes]]]:
    if request.content_type == "multipart/form-data":
        payload: Any = None
        files: list[tuple[str, bytes]] = []
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            data = bytes(await part.read())
            if part.name == "payload_json":
                payload = json.loads(data)
            else:
                files.append((str(part.filename), data))
        return payload, files
    text = await request.text()
    return (json.loads(text) if text else None), []


def _json(body: Any, *, status: int, headers: dict[str, str] | None = None) -> web.Response:
    """Discord names no character set, and clients look for just this type."""
    return web.Response(
        body=json.dumps(body).encode(),
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
    )
