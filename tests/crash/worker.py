"""The process that is killed: the real daemon on a real home, with one adapter of the harness.

python -m tests.crash.worker URL key|nothing
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Literal

import httpx2

from hermes_agent.config import home
from hermes_agent.config.load import Loaded, load
from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Inbound, Origin, Post, Target
from hermes_agent.gateway.app import Gateway
from hermes_agent.gateway.daemon import Daemon
from hermes_agent.gateway.lock import hold
from hermes_agent.platforms.base import Door, PlatformDown, PlatformSettings


class HttpPlatform:
    """The port `Platform` over the harness's HTTP."""

    name = "telegram"

    def __init__(self, url: str, once: Literal["key", "nothing"]) -> None:
        self.capabilities = Capabilities(edits=True, edit_interval=0.02, once=once)
        self._client = httpx2.AsyncClient(base_url=url, timeout=10, trust_env=False)

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        ready()
        offset = 1
        while True:
            answer = await self._client.get("/updates", params={"offset": offset})
            for update in answer.json():
                origin = Origin(platform=self.name, chat_id=update["chat"], user_id="1")
                if await door.admits(origin, addressed=True):
                    await door.accept(
                        Inbound(key=str(update["id"]), origin=origin, text=update["text"])
                    )
                offset = update["id"] + 1

    async def send(self, target: Target, post: Post, key: str) -> str:
        return await self._post("/send", chat=target.chat_id, text=post.plain, key=key)

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        await self._post("/edit", id=message_id, text=post.plain)

    async def _post(self, path: str, **body: str) -> str:
        try:
            answer = await self._client.post(path, json=body)
        except httpx2.HTTPError as error:
            raise PlatformDown(str(error)) from error
        found: str = answer.json()["id"]
        return found

    async def typing(self, target: Target) -> None: ...

    async def react(self, target: Target, message_id: str, emoji: str) -> None: ...

    async def close(self) -> None:
        await self._client.aclose()


def main(url: str, keys: str) -> int:
    loaded = load()
    home.prepare(loaded.paths)
    settings = PlatformSettings(name="telegram", values={}, media_dir=loaded.paths.home / "media")

    once = "key" if keys == "key" else "nothing"

    def open_(now: Loaded, changed: Callable[[Gateway], None]) -> Gateway:
        return Gateway(
            now, changed=changed, make=lambda _: HttpPlatform(url, once), platforms=[settings]
        )

    lock = hold(loaded.paths.home)
    return asyncio.run(Daemon(loaded, open_=open_).run(lock))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
