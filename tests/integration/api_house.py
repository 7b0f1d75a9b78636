"""A running API server over the real host and the scripted model server, for tests."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import openai

from hermes_agent.api.health import Health
from hermes_agent.api.jobs import JobsBoard
from hermes_agent.api.metrics import gauge
from hermes_agent.api.server import ApiServer
from hermes_agent.api.settings import ApiSettings
from hermes_agent.config.load import load
from hermes_agent.config.secret import Secret
from hermes_agent.runtime.host import SessionHost
from hermes_agent.store.journal import store_thread
from hermes_agent.store.opening import open_store
from hermes_agent.store.port import SessionStore
from tests.servers.model import ModelServer

KEY = "test-key-0123456789"


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Until a condition holds. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  threads of the fakes set no asyncio event
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class House:
    """Everything that runs. `client` is the official one, `http` plain and with the key."""

    server: ApiServer
    model: ModelServer
    store: SessionStore
    client: openai.AsyncOpenAI
    http: httpx2.AsyncClient
    serving: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


@asynccontextmanager
async def house(
    home: Path, *, jobs: JobsBoard | None = None, config: str = "", **settings: Any
) -> AsyncGenerator[House]:
    """Serve on a free port until the block ends."""
    for folder in (home, home / "sessions"):
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with ModelServer() as model:
        (home / "config.yaml").write_text(
            "model:\n  provider: custom\n  default: scripted-model\n"
            f"  base_url: {model.base_url}\n{config}"
        )
        environ = {"HERMES_HOME": str(home), "HOME": str(home.parent), "PATH": os.environ["PATH"]}
        store, thread = open_store(home), store_thread()
        host = SessionHost(load(environ=environ), store, cwd=home.parent, thread=thread)
        chosen: dict[str, Any] = {"key": Secret(KEY), "port": 0, "grace": 1.0} | settings
        server = ApiServer(
            ApiSettings(home=home, **chosen),
            host=host,
            store=store,
            jobs=jobs,
            health=Health,
            metrics=lambda: [gauge("hermes_up", "Whether it runs.", 1)],
        )
        ready = asyncio.Event()
        serving = asyncio.create_task(server.serve(ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            waiting.cancel()
            await serving
        try:
            url = f"http://127.0.0.1:{server.port}"
            async with (
                openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0) as client,
                httpx2.AsyncClient(
                    base_url=url, headers={"authorization": f"Bearer {KEY}"}, timeout=30
                ) as http,
            ):
                yield House(server, model, store, client, http, serving)
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            await host.close()
            thread.shutdown()
            store.close()
