"""A home, the model server, and the daemon's own gateway in this process, on `BenchPlatform`."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from bench.daemon.platform import BenchPlatform
from hermes_agent.config.load import load
from hermes_agent.gateway.app import Gateway
from hermes_agent.gateway.descriptors import ask_for_more
from hermes_agent.platforms.base import PlatformSettings

PROJECT = Path(__file__).parent.parent.parent
CONFIG = """\
model:
  provider: custom
  default: scripted-model
  base_url: {model}
# Nobody writes as fast as time is compressed here.
platforms: {{telegram: {{extra: {{messages_per_minute: 0, messages_per_hour: 0}}}}}}
"""


class House:
    """`gateway` runs, `platform` is connected to it, `model` is the model server's base URL."""

    def __init__(self, root: Path, model: str) -> None:
        self.model = model
        self.platform = BenchPlatform()
        self._environ = {
            "HERMES_HOME": str(root / "home"),
            "HOME": str(root),
            "PATH": os.environ["PATH"],
            "TELEGRAM_ALLOW_ALL_USERS": "true",
        }
        self._settings = PlatformSettings(
            name=self.platform.name, values={}, media_dir=root / "media"
        )
        self.gateway = self._gateway()

    def _gateway(self) -> Gateway:
        loaded = load(environ=self._environ)
        return Gateway(loaded, make=lambda _: self.platform, platforms=[self._settings])

    async def reload(self) -> None:
        """A new life on the same home, as after SIGHUP."""
        await self.gateway.drain(10)
        self.gateway = self._gateway()
        await self.gateway.start()

    async def ask_model(self, path: str) -> Any:
        """What the model server says at `path` (see there)."""
        address = self.model.removeprefix("http://").removesuffix("/v1")
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=100_000_000)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.rpartition(b"Content-Length: ")[2].split(b"\r\n")[0])
            return json.loads(await reader.readexactly(length))
        finally:
            writer.close()

    async def model_has(self, count: int) -> None:
        """Wait until the model server has so many requests."""
        async with asyncio.timeout(120):
            while await self.ask_model("/count") < count:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.05)

    async def settled(self) -> None:
        """Wait until nothing waits in either box."""
        async with asyncio.timeout(120):
            while not self.quiet:  # noqa: ASYNC110  the ledger tells nobody
                await asyncio.sleep(0.02)

    @property
    def quiet(self) -> bool:
        """Whether nothing waits in either box, and nobody is at work."""
        counts = self.gateway.ledger.counts()
        waiting = (counts.inbox.get("waiting", 0), counts.inbox.get("working", 0))
        sending = (counts.outbox.get("waiting", 0), counts.outbox.get("sending", 0))
        return not any((*waiting, *sending, self.gateway.pump.working))


@asynccontextmanager
async def house(root: Path) -> AsyncGenerator[House]:
    """Open for everybody who writes, in `root`, which gets a folder for scratch directories."""
    home, scratch = root / "home", root / "run"
    for folder in (home / "sessions", home / "logs", scratch):
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(scratch)
    ask_for_more()
    with _model_server() as model:
        (home / "config.yaml").write_text(CONFIG.format(model=model))
        place = House(root, model)
        await place.gateway.start()
        try:
            yield place
        finally:
            await place.gateway.drain(5)


@contextmanager
def _model_server() -> Generator[str]:
    program = [sys.executable, "-m", "bench.daemon.model"]
    with subprocess.Popen(program, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
