"""A board of jobs in memory, for tests of the API server alone."""

import secrets

import msgspec

from hermes_agent.api.jobs import Job, JobChange, JobDraft
from hermes_agent.domain.errors import NotFoundError, UsageError


class BoardOfCards:
    """The port `JobsBoard`; nothing ever runs. The schedule `never` makes no sense."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.ran: list[str] = []

    async def list(self) -> list[Job]:
        return [*self.jobs.values()]

    async def get(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise NotFoundError("There is no such job.", hint="hermes cron list shows them.")
        return self.jobs[job_id]

    async def create(self, draft: JobDraft) -> Job:
        if draft.schedule == "never":
            raise UsageError("'never' is no schedule.")
        job = Job(
            id=secrets.token_hex(6),
            name=draft.name or "",
            prompt=draft.prompt,
            schedule={"kind": "cron", "expr": draft.schedule, "display": draft.schedule},
            schedule_display=draft.schedule,
            enabled=True,
            state="scheduled",
        )
        self.jobs[job.id] = job
        return job

    async def change(self, job_id: str, change: JobChange) -> Job:
        told = {
            name: value
            for name, value in msgspec.structs.asdict(change).items()
            if value is not msgspec.UNSET and name in ("prompt", "name")
        }
        return self._put(msgspec.structs.replace(await self.get(job_id), **told))

    async def delete(self, job_id: str) -> None:
        del self.jobs[(await self.get(job_id)).id]

    async def pause(self, job_id: str) -> Job:
        return self._put(msgspec.structs.replace(await self.get(job_id), state="paused"))

    async def resume(self, job_id: str) -> Job:
        return self._put(msgspec.structs.replace(await self.get(job_id), state="scheduled"))

    async def run(self, job_id: str) -> Job:
        self.ran.append(job_id)
        return await self.get(job_id)

    def _put(self, job: Job) -> Job:
        self.jobs[job.id] = job
        return job
