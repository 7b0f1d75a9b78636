"""The tool that schedules jobs, over a real book."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from hermes_agent.domain.chats import Origin
from hermes_agent.environments.enclosure import Place
from hermes_agent.environments.local import LocalEnvironment
from hermes_agent.ledger.jobs.opening import open_jobs
from hermes_agent.ledger.jobs.port import JobBook
from hermes_agent.tools.call import SessionToolbox
from hermes_agent.tools.contract import ToolContext
from tests.unit.tools.room import Bench, Fence, Person, allow

CHAT = Origin(platform="telegram", chat_id="42", user_id="7")


@asynccontextmanager
async def bench(home: Path, chat: Origin | None = CHAT) -> AsyncGenerator[tuple[Bench, JobBook]]:
    book = open_jobs(home, "UTC")
    environment = LocalEnvironment(Place(cwd=str(home), variables=dict(os.environ)))
    context = ToolContext(
        environment=environment,
        asker=Person(),
        guard=Fence(),
        approve_command=allow,
        jobs=book,
        chat=chat,
    )
    try:
        yield Bench(SessionToolbox(tools=["cronjob"], context=context), home), book
    finally:
        await environment.close()
        book.close()


async def test_a_job_made_in_a_chat_answers_there(home: Path) -> None:
    async with bench(home) as (call, book):
        made = await call("cronjob", action="create", schedule="daily at 9", prompt="Say hello")
        (job,) = book.list()
        assert made["job"]["job_id"] == job.id
        assert (job.deliver, job.origin) == ("origin", CHAT)


async def test_a_job_made_in_a_terminal_answers_into_a_file(home: Path) -> None:
    async with bench(home, None) as (call, book):
        await call("cronjob", action="create", schedule="2h", prompt="Look", repeat=3)
        (job,) = book.list()
        assert (job.deliver, job.repeat_times) == ("local", 3)


async def test_a_job_is_listed_changed_paused_resumed_asked_for_and_removed(home: Path) -> None:
    async with bench(home) as (call, book):
        made = await call("cronjob", action="create", schedule="2h", prompt="Look")
        name: str = made["job"]["job_id"]
        await call("cronjob", action="update", job_id=name, schedule="daily at 7", prompt="Up")
        listed = await call("cronjob", action="list")
        assert [job["schedule"] for job in listed["jobs"]] == ["every day at 07:00"]
        await call("cronjob", action="pause", job_id=name[:6])
        assert book.get(name).state == "paused"
        await call("cronjob", action="resume", job_id=name)
        assert book.get(name).state == "scheduled"
        await call("cronjob", action="run", job_id=name)
        assert book.get(name).requested_at is not None
        assert book.get(name).prompt == "Up"
        await call("cronjob", action="remove", job_id=name)
        assert list(book.list()) == []


async def test_what_is_missing_or_makes_no_sense_is_told_to_the_model(home: Path) -> None:
    async with bench(home) as (call, book):
        for arguments, word in (
            ({"action": "create", "prompt": "x"}, "schedule"),
            ({"action": "create", "schedule": "2h"}, "prompt"),
            ({"action": "create", "schedule": "whenever", "prompt": "x"}, "Examples"),
            ({"action": "create", "schedule": "2h", "prompt": "x" * 5000}, "at most"),
            ({"action": "pause"}, "job_id"),
            ({"action": "remove", "job_id": "nobody"}, "no job"),
        ):
            result = await call.result("cronjob", **arguments)
            assert result.status == "error"
            assert word in result.content
        assert list(book.list()) == []


async def test_without_a_book_the_tool_is_not_offered(home: Path) -> None:
    environment = LocalEnvironment(Place(cwd=str(home.parent), variables=dict(os.environ)))
    context = ToolContext(
        environment=environment, asker=Person(), guard=Fence(), approve_command=allow
    )
    assert SessionToolbox(tools=["cronjob", "todo"], context=context).specs()[0].name == "todo"
    await environment.close()
