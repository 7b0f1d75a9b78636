"""Sessions of a daemon that go on in a child while others wait for them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hermes_agent.agent.control import Control
from hermes_agent.config.load import load
from hermes_agent.domain.messages import Message
from hermes_agent.runtime.host import SessionHost
from hermes_agent.sessions.host import Opening
from hermes_agent.sessions.locks import SessionInUse, SessionLocks
from hermes_agent.store.journal import store_thread
from hermes_agent.store.opening import open_store
from hermes_agent.store.port import SessionStore
from tests.servers.model import ModelServer
from tests.servers.script import Reply


class Hotel:
    """A host over a real store and the scripted model server."""

    def __init__(self, host: SessionHost, store: SessionStore, model: ModelServer) -> None:
        self.host = host
        self.store = store
        self.model = model

    async def say(self, session_id: str, text: str) -> str:
        """One turn; returns the session it ended in."""
        async with self.host.open(Opening(session_id=session_id, source="telegram")) as live:
            await live.run(text, Control(), lambda _: None)
            return live.id


@asynccontextmanager
async def hotel(home: Path) -> AsyncGenerator[Hotel]:
    await asyncio.to_thread((home / "sessions").mkdir, parents=True, exist_ok=True)
    with ModelServer() as model:
        text = f"model:\n  provider: custom\n  default: m\n  base_url: {model.base_url}\n"
        await asyncio.to_thread((home / "config.yaml").write_text, text)
        environ = {"HERMES_HOME": str(home), "HOME": str(home.parent), "PATH": "/usr/bin:/bin"}
        store, thread = open_store(home), store_thread()
        host = SessionHost(load(environ=environ), store, cwd=home.parent, thread=thread)
        try:
            yield Hotel(host, store, model)
        finally:
            await host.close()
            thread.shutdown()
            store.close()


async def test_who_waited_for_the_parent_gets_the_child(home: Path) -> None:
    async with hotel(home) as place:
        place.model.always(Reply(text="Yes."))
        await place.say("parent", "hello")
        async with place.host.open(Opening(session_id="parent", source="telegram")) as live:
            waiting = [asyncio.create_task(place.say("parent", f"{n}?")) for n in range(3)]
            await asyncio.sleep(0)
            await live.succeed(live.history)
            child = live.id
            assert child != "parent"
        assert [await each for each in waiting] == [child] * 3
        said = [m.content for m in place.store.history(child) if m.role == "user"]
        assert said == ["hello", "0?", "1?", "2?"]
        assert [m.content for m in place.store.history("parent")] == ["hello", "Yes."]
        assert place.store.get("parent").end_reason == "compression"


async def test_the_place_where_commands_run_goes_along(home: Path, tmp_path: Path) -> None:
    async with hotel(home) as place:
        from tests.servers.script import Call

        folder = str(tmp_path)
        place.model.say(
            Reply(calls=(Call("terminal", {"command": f"cd {folder}; sleep 300 &"}),)),
            Reply(text="There."),
            Reply(calls=(Call("terminal", {"command": "pwd"}),)),
            Reply(text="Still there."),
        )
        await place.say("parent", "go there")
        async with place.host.open(Opening(session_id="parent", source="telegram")) as live:
            await live.succeed(live.history)
            child = live.id
        await place.say(child, "where?")
        result = place.model.model_requests[-1].json["messages"][-1]["content"]
        assert folder in result


async def test_another_process_gets_neither_parent_nor_child_meanwhile(home: Path) -> None:
    async with hotel(home) as place:
        place.model.always(Reply(text="Yes."))
        await place.say("parent", "hello")
        other = SessionLocks(home / "sessions")
        async with place.host.open(Opening(session_id="parent", source="telegram")) as live:
            await live.succeed(live.history)
            child = live.id
            for name in ("parent", child):
                with pytest.raises(SessionInUse):
                    other.take(name)
        for name in ("parent", child):
            other.take(name)
            other.release(name)


async def test_a_change_that_the_store_refuses_leaves_the_session_as_it_was(home: Path) -> None:
    async with hotel(home) as place:
        place.model.always(Reply(text="Yes."))
        await place.say("parent", "hello")
        async with place.host.open(Opening(session_id="parent", source="telegram")) as live:
            before = live.history
            place.store.delete("parent")
            with pytest.raises(Exception, match="parent"):
                await live.succeed([Message(role="user", content="notes", summary=True)])
            assert live.id == "parent"
            assert live.history == before


async def test_a_stop_in_the_middle_of_the_change_leaves_both_sides_agreed(home: Path) -> None:
    async with hotel(home) as place:
        place.model.always(Reply(text="Yes."))
        await place.say("parent", "hello")
        async with place.host.open(Opening(session_id="parent", source="telegram")) as live:
            changing = asyncio.create_task(live.succeed(live.history))
            await asyncio.sleep(0)
            changing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await changing
            assert live.id == place.store.tip("parent") != "parent"
            assert live.history == place.store.history(live.id)
            await live.run("and now?", Control(), lambda _: None)
            assert place.store.history(live.id)[-1].content == "Yes."
