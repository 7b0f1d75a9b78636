"""A real Matrix homeserver on loopback: Synapse, in an environment of its own, and people on it.

It takes seconds to start, so one serves all tests of a process: `shared()`. Tests have accounts of
their own, by new names.
"""

import asyncio
import atexit
import base64
import functools
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

LIMIT = 60.0
_SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare-synapse"
# The tests have a HOME of their own; what was prepared lies in the real one.
_ENVIRONMENT = dict(os.environ)
_SECRET = "shared-secret-of-the-tests"
# Reading all certificates anew for each client would take longer than the call.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_NO_LIMIT = {"per_second": 100_000, "burst_count": 100_000}
Json = dict[str, Any]


class Synapse:
    """Runs between `start` and `stop`, at the same address each time. Blocks while it starts."""

    def __init__(self, python: str, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._python = python
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._configure()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, **changes: object) -> None:
        """Begin, and wait until it answers. `changes` are settings of its configuration."""
        self._configure(**changes)
        with (self._folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"],
                cwd=self._folder,
                env={**_ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + LIMIT
        while not _is_well(self.url):
            said = (self._folder / "output.log").read_text()[-2000:]
            assert self.running, f"Synapse ended: {said}"
            assert time.monotonic() < deadline, f"Synapse does not answer: {said}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    async def person(self, name: str) -> "Person":
        """A new account, whose name begins so."""
        return await asyncio.to_thread(self._person, name)

    def _person(self, name: str) -> "Person":
        path = f"{self.url}/_synapse/admin/v1/register"
        nonce = _fetched(path)["nonce"]
        user, password = f"{name}-{uuid.uuid4().hex[:8]}", f"password-of-{uuid.uuid4().hex}"
        words = "\0".join((nonce, user, password, "notadmin")).encode()
        made = _fetched(
            path,
            {
                "nonce": nonce,
                "username": user,
                "displayname": name.capitalize(),
                "password": password,
                "mac": hmac.new(_SECRET.encode(), words, hashlib.sha1).hexdigest(),
            },
        )
        return Person(self.url, made, password)

    def _configure(self, **changes: object) -> None:
        key = self._folder / "signing.key"
        if not key.exists():
            seed = base64.b64encode(os.urandom(32)).decode().rstrip("=")
            key.write_text(f"ed25519 a_test {seed}\n")
        (self._folder / "log.yaml").write_text(
            json.dumps({"version": 1, "root": {"level": "ERROR"}})
        )
        configuration: Json = {
            "server_name": "test.example",
            "pid_file": str(self._folder / "pid"),
            "listeners": [
                {
                    "port": int(self.url.rpartition(":")[2]),
                    "bind_addresses": ["127.0.0.1"],
                    "type": "http",
                    "tls": False,
                    "resources": [{"names": ["client", "media"], "compress": False}],
                }
            ],
            "database": {
                "name": "sqlite3",
                "args": {"database": str(self._folder / "homeserver.db")},
            },
            "log_config": str(self._folder / "log.yaml"),
            "media_store_path": str(self._folder / "media"),
            "signing_key_path": str(key),
            "registration_shared_secret": _SECRET,
            "macaroon_secret_key": _SECRET,
            "form_secret": _SECRET,
            "report_stats": False,
            "suppress_key_server_warning": True,
            "trusted_key_servers": [],
            "bcrypt_rounds": 4,
            "max_upload_size": "30M",
            "presence": {"enabled": False},
            "rc_message": _NO_LIMIT,
            "rc_joins": {"local": _NO_LIMIT, "remote": _NO_LIMIT},
            "rc_invites": {
                "per_room": _NO_LIMIT,
                "per_user": _NO_LIMIT,
                "per_issuer": _NO_LIMIT,
            },
            "rc_login": {
                "address": _NO_LIMIT,
                "account": _NO_LIMIT,
                "failed_attempts": _NO_LIMIT,
            },
            "rc_room_creation": _NO_LIMIT,
            "rc_media_create": _NO_LIMIT,
            **changes,
        }
        (self._folder / "homeserver.yaml").write_text(json.dumps(configuration))


@functools.cache
def shared() -> Synapse:
    """The one of this process, running; it ends with it. Skips where there is none to be had."""
    made = subprocess.run([_SCRIPT], capture_output=True, text=True, env=_ENVIRONMENT, check=False)
    if made.returncode:
        pytest.skip(f"NOT TESTED: no Synapse can be had: {made.stderr.strip()[-300:]}")
    # Its many small transactions wait for a disk otherwise.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="synapse-", dir=memory))
    server = Synapse(made.stdout.strip(), folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    server.start()
    return server


class Person:
    """Somebody with an account. `heard` are all events that they see, from `listen` on, `passing`
    those that are not kept: who types, who has read."""

    def __init__(self, url: str, made: Json, password: str) -> None:
        self.id: str = made["user_id"]
        self.token: str = made["access_token"]
        self.device: str = made["device_id"]
        self.password = password
        self.heard: list[Json] = []
        self.passing: list[Json] = []
        self.files: dict[str, bytes] = {}
        self._url = url
        self._listening: asyncio.Task[None] | None = None

    async def call(
        self, method: str, path: str, body: Json | None = None, *, timeout: float = LIMIT
    ) -> Json:
        """Call `/_matrix/client/v3/<path>` on a connection of its own."""
        async with self._client(timeout) as client:
            answer = await client.request(method, f"/_matrix/client/v3/{path}", json=body or {})
            answer.raise_for_status()
            return answer.json()

    async def room(self, *others: "Person", direct: bool = False, name: str = "") -> str:
        """A new room that the others are invited to."""
        made = await self.call(
            "POST",
            "createRoom",
            {
                "preset": "trusted_private_chat" if direct else "private_chat",
                "is_direct": direct,
                "invite": [each.id for each in others],
                **({"name": name} if name else {}),
            },
        )
        return made["room_id"]

    async def join(self, room: str) -> None:
        await self.call("POST", f"join/{quote(room, safe='')}")

    async def say(self, room: str, text: str, **content: object) -> str:
        """Send a message; its id."""
        return await self.event(
            room, "m.room.message", {"msgtype": "m.text", "body": text} | content
        )

    async def event(self, room: str, kind: str, content: Json) -> str:
        path = f"rooms/{quote(room, safe='')}/send/{kind}/{uuid.uuid4().hex}"
        return (await self.call("PUT", path, content))["event_id"]

    async def upload(self, data: bytes, media_type: str) -> str:
        async with self._client() as client:
            answer = await client.post(
                "/_matrix/media/v3/upload", content=data, headers={"content-type": media_type}
            )
            answer.raise_for_status()
            return answer.json()["content_uri"]

    async def download(self, address: str) -> bytes:
        async with self._client() as client:
            answer = await client.get(
                f"/_matrix/client/v1/media/download/{address.removeprefix('mxc://')}"
            )
            answer.raise_for_status()
            return answer.content

    def listen(self) -> None:
        """Hear everything from now on, until `close`."""
        self._listening = asyncio.create_task(self._listen(), name=f"{self.id} listens")

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait((self._listening,))

    def messages(self, room: str, sender: str) -> list[Json]:
        """The contents of this sender's messages as they stand now, each with its `id` and
        whether it was `edited`."""
        shown: dict[str, Json] = {}
        for event in self.heard:
            content = event.get("content", {})
            if (event["room"], event["sender"]) != (room, sender):
                continue
            if event["type"] != "m.room.message" or not content:
                continue
            relates = content.get("m.relates_to", {})
            if relates.get("rel_type") == "m.replace":
                ident = relates["event_id"]
                if ident in shown:
                    shown[ident] = content["m.new_content"] | {"id": ident, "edited": True}
            else:
                shown[event["event_id"]] = content | {"id": event["event_id"], "edited": False}
        return list(shown.values())

    def reactions(self, sender: str, message: str) -> list[str]:
        """This sender's reactions on a message, those that were not taken back."""
        gone = {event.get("redacts") or event["content"].get("redacts") for event in self.heard}
        found: list[str] = []
        for event in self.heard:
            relates = event["content"].get("m.relates_to", {})
            if (
                event["type"] == "m.reaction"
                and event["sender"] == sender
                and relates.get("event_id") == message
                and event["event_id"] not in gone
            ):
                found.append(relates["key"])
        return found

    async def _listen(self) -> None:
        since = ""
        while True:
            wait = "&since=" + since if since else ""
            try:
                async with self._client() as client:
                    while True:
                        answer = await client.get(
                            f"/_matrix/client/v3/sync?timeout=20000{wait}", timeout=LIMIT
                        )
                        answer.raise_for_status()
                        found = answer.json()
                        await self._take(found)
                        wait = f"&since={found['next_batch']}"
                        since = found["next_batch"]
            except httpx2.HTTPError:
                await asyncio.sleep(0.1)

    async def _take(self, answer: Json) -> None:
        for room, joined in answer.get("rooms", {}).get("join", {}).items():
            for event in joined["timeline"]["events"]:
                address = event.get("content", {}).get("url")
                if event["type"] == "m.room.message" and address:
                    self.files[address] = await self.download(address)
                self.heard.append(event | {"room": room})
            passing = joined.get("ephemeral", {}).get("events", [])
            self.passing += [event | {"room": room} for event in passing]

    def _client(self, timeout: float = LIMIT) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self._url,
            headers={"authorization": f"Bearer {self.token}"},
            timeout=timeout,
            trust_env=False,
            verify=_NO_TLS,
        )


def _fetched(url: str, body: Json | None = None) -> Json:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.loads(answer.read())


def _is_well(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]
