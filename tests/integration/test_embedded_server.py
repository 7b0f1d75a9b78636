"""The real server process: shared, warm, private, and started anew when it was killed."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from hermes_agent.domain.errors import ModelError
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Finished, Request
from hermes_agent.providers.embedded.address import Meeting, started
from hermes_agent.providers.embedded.offline import Installed, open_model
from hermes_agent.providers.embedded.places import Places
from hermes_agent.providers.embedded.server import ensure_server, running, stop
from tests.integration.embedded_weights import weights_file

pytestmark = [pytest.mark.local_model, pytest.mark.timeout(900)]
pytest.importorskip(
    "xllamacpp",
    reason="NOT TESTED: the extra `local` is not installed, or the system lacks libgomp",
    exc_type=ImportError,
)


@pytest.fixture(scope="session")
def gguf() -> Path:
    return weights_file("0.5b")


@pytest.fixture
async def places(tmp_path: Path) -> AsyncIterator[Places]:
    made = Places(tmp_path / "cache")
    yield made
    await stop(places=made)


async def gone(pid: int, began: str) -> None:
    deadline = time.monotonic() + 60
    while started(pid) == began:
        assert time.monotonic() < deadline, "the server lives on"
        await asyncio.sleep(0.05)


def _environment(pid: int) -> bytes:
    file = Path(f"/proc/{pid}/environ")
    if not file.exists():
        pytest.skip("needs /proc")
    return file.read_bytes()


async def test_commands_that_start_at_once_share_one_server(gguf: Path, places: Places) -> None:
    several = [ensure_server(gguf, context=2048, places=places) for _ in range(3)]
    addresses = await asyncio.gather(*several)
    assert len({address.pid for address in addresses}) == 1
    assert Meeting(places.server).state.stat().st_mode & 0o777 == 0o600
    assert places.server.stat().st_mode & 0o777 == 0o700


async def test_nobody_gets_an_answer_without_the_key(gguf: Path, places: Places) -> None:
    address = await ensure_server(gguf, context=2048, places=places)
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    async with httpx2.AsyncClient(trust_env=False) as client:
        response = await client.post(f"{address.url}/v1/chat/completions", json=body)
        assert response.status_code == 401
        assert (await client.get(f"{address.url}/slots")).status_code == 401


async def test_the_server_sees_no_keys_of_the_persons(
    gguf: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-you")
    address = await ensure_server(gguf, context=2048, places=places)
    environment = _environment(address.pid)
    assert b"PATH=" in environment
    assert b"sk-not-for-you" not in environment


async def test_a_killed_server_is_started_anew_in_the_middle_of_a_conversation(
    gguf: Path, places: Places
) -> None:
    installed = Installed(name="tiny", path=gguf, bytes=1, context=2048)
    model = open_model(installed, cwd="/", places=places)
    request = Request(system="", messages=(Message(role="user", content="Say hello."),))
    try:
        before = await ensure_server(gguf, context=2048, places=places)
        os.kill(before.pid, signal.SIGKILL)
        await gone(before.pid, before.started)
        assert Meeting(places.server).state.exists()
        assert running(places=places) is None
        deltas = [delta async for delta in model.stream(request)]
    finally:
        await model.close()
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].message.content
    after = running(places=places)
    assert after is not None
    assert after.pid != before.pid


async def test_an_idle_server_leaves_by_itself(gguf: Path, places: Places) -> None:
    address = await ensure_server(gguf, context=2048, idle=1.0, places=places)
    await gone(address.pid, address.started)
    assert not Meeting(places.server).state.exists()


async def test_another_model_takes_the_place_of_the_one_before(
    gguf: Path, places: Places, tmp_path: Path
) -> None:
    other = tmp_path / "other.gguf"
    other.symlink_to(gguf)
    first = await ensure_server(gguf, context=2048, places=places)
    second = await ensure_server(other, context=2048, places=places)
    assert second.model == str(other)
    assert started(first.pid) != first.started
    assert running(places=places) == second


async def test_a_broken_model_is_an_error_that_says_what_to_do(
    places: Places, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(5000))
    with pytest.raises(ModelError, match=r"ended while it loaded") as caught:
        await ensure_server(broken, context=2048, places=places)
    assert "hermes setup" in (caught.value.hint or "")
    assert running(places=places) is None


async def test_stopping_what_does_not_run_is_no_error(places: Places) -> None:
    assert await stop(places=places) is False
