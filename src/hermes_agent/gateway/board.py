"""The scheduled jobs as the API server sees them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

import msgspec

from hermes_agent.api.jobs import Job, JobChange, JobDraft
from hermes_agent.domain import jobs
from hermes_agent.domain.jobs import NewJob
from hermes_agent.ledger.jobs.documented import documented
from hermes_agent.ledger.jobs.port import JobBook

_T = TypeVar("_T")
_LAST = "9999"


class Board:
    """The port `JobsBoard` over the job book, its database used in `thread`. `changed` is called
    after each change."""

    def __init__(self, book: JobBook, thread: Executor, changed: Callable[[], None]) -> None:
        self._book = book
        self._thread = thread
        self._changed = changed

    async def list(self) -> list[Job]:
        """See `JobsBoard.list`."""
        found = await self._do(lambda: [self._shown(job) for job in self._book.list()])
        return sorted(found, key=lambda job: job.next_run_at or _LAST)

    async def get(self, job_id: str) -> Job:
        """See `JobsBoard.get`."""
        return await self._do(lambda: self._shown(self._book.get(job_id)))

    async def create(self, draft: JobDraft) -> Job:
        """See `JobsBoard.create`."""
        new = NewJob(
            schedule=draft.schedule,
            prompt=draft.prompt,
            name=draft.name or "",
            deliver=draft.deliver or "local",
            repeat_times=draft.repeat,
            skills=tuple(draft.skills),
            model=draft.model or "",
        )
        return await self._change(lambda: self._book.create(new))

    async def change(self, job_id: str, change: JobChange) -> Job:
        """See `JobsBoard.change`."""
        given: dict[str, Any] = {
            name: value
            for name in JobChange.__struct_fields__
            if (value := getattr(change, name)) is not msgspec.UNSET
        }
        if "repeat" in given:
            given["repeat_times"] = given.pop("repeat")
        if "skills" in given:
            given["skills"] = tuple(given["skills"])
        for name in ("deliver", "model"):
            if name in given and given[name] is None:
                given[name] = "local" if name == "deliver" else ""
        wanted = jobs.JobChange(**given)
        return await self._change(lambda: self._book.change(job_id, wanted))

    async def delete(self, job_id: str) -> None:
        """See `JobsBoard.delete`."""
        await self._change(lambda: self._book.remove(job_id))

    async def pause(self, job_id: str) -> Job:
        """See `JobsBoard.pause`."""
        return await self._change(lambda: self._book.pause(job_id))

    async def resume(self, job_id: str) -> Job:
        """See `JobsBoard.resume`."""
        return await self._change(lambda: self._book.resume(job_id))

    async def run(self, job_id: str) -> Job:
        """See `JobsBoard.run`."""
        return await self._change(lambda: self._book.run(job_id))

    async def _change(self, change: Callable[[], jobs.Job]) -> Job:
        shown = await self._do(lambda: self._shown(change()))
        self._changed()
        return shown

    def _shown(self, job: jobs.Job) -> Job:
        fields = documented(job, self._book.zone_of(job))
        known = {name: fields[name] for name in Job.__struct_fields__ if name in fields}
        return msgspec.convert(known, Job)

    async def _do(self, work: Callable[[], _T]) -> _T:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))
