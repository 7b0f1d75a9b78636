"""Faults that nobody foresaw, in a real chat at a plain terminal."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.cli.app import Agent, open_agent
from hermes_agent.cli.terminal.chat import Chat
from hermes_agent.cli.wish import Wish
from tests.servers.model import ModelServer
from tests.servers.script import Reply


@pytest.fixture
def configured(home: Path) -> Iterator[None]:
    with ModelServer() as server:
        server.always(Reply(text="Fine again."))
        home.mkdir()
        (home / "config.yaml").write_text(
            f"model: {{provider: custom, base_url: {server.base_url}, default: m}}\n"
        )
        yield


@pytest.fixture
async def agent(configured: None) -> AsyncIterator[Agent]:
    agent = await open_agent(Wish(interactive=True))
    yield agent
    await agent.close()


async def settled(earlier: "set[asyncio.Task[Any]]") -> None:
    """Until every task is done that was not among the earlier ones."""
    _, late = await asyncio.wait(asyncio.all_tasks() - earlier, timeout=10)
    assert not late


async def test_a_fault_is_one_line_for_the_person_and_the_prompt_stays(
    agent: Agent,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(text: str) -> str:
        raise ZeroDivisionError("the fault\nitself")

    chat = Chat(agent, agent.open_session())
    earlier = asyncio.all_tasks()
    with monkeypatch.context() as patch:
        patch.setattr(agent, "expand", broken)
        chat.send("hello")
        await settled(earlier)
    said = capsys.readouterr().out
    assert "A fault of the program: ZeroDivisionError: the fault itself" in said
    assert "Traceback" not in said
    assert "Traceback" in (home / "logs" / "errors.log").read_text()
    chat.send("hello again")
    await settled(earlier)
    assert "Fine again." in capsys.readouterr().out
    chat.session.close()


async def test_a_message_sent_while_a_command_runs_waits_for_it(agent: Agent) -> None:
    chat = Chat(agent, agent.open_session())
    earlier = asyncio.all_tasks()
    before = chat.session.id
    chat.line("/new")
    chat.line("for the new session")
    await settled(earlier)
    assert chat.session.id != before
    assert chat.standing().queued == 1, "nothing is sent where nobody looks any more"
    chat.session.close()
