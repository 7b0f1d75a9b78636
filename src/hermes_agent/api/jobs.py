"""The board of scheduled jobs, as this server needs it; wiring puts the scheduler behind it."""

from typing import Annotated, Any, Literal, Protocol

import msgspec

Words = Annotated[str, msgspec.Meta(min_length=1)]
Name = Annotated[str, msgspec.Meta(max_length=200)]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job, with the documented fields of `cron/jobs.json`. Times are ISO 8601."""

    id: str
    name: str
    prompt: str
    schedule: dict[str, Any]
    schedule_display: str
    enabled: bool
    state: str
    created_at: str | None = None
    next_run_at: str | None = None
    last_run_at: str | None = None
    last_status: str | None = None
    last_error: str | None = None
    paused_reason: str | None = None
    deliver: str | None = None
    repeat: dict[str, int | None] | None = None
    skills: list[str] = msgspec.field(default_factory=list[str])
    model: str | None = None
    object: Literal["hermes.job"] = "hermes.job"


class JobDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A new job. `schedule` is what a person would say: `every 2h`, `0 9 * * 1-5`, a time."""

    prompt: Words
    schedule: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    name: Name | None = None
    deliver: Name | None = None
    repeat: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    skills: list[Name] = msgspec.field(default_factory=list[Name])
    model: Name | None = None


class JobChange(msgspec.Struct, frozen=True, kw_only=True):
    """What of a job is to be another; what is left out stays."""

    prompt: Words | msgspec.UnsetType = msgspec.UNSET
    schedule: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    name: Name | msgspec.UnsetType = msgspec.UNSET
    deliver: Name | msgspec.UnsetType | None = msgspec.UNSET
    repeat: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )
    skills: list[Name] | msgspec.UnsetType = msgspec.UNSET
    model: Name | msgspec.UnsetType | None = msgspec.UNSET


class JobsBoard(Protocol):
    """Jobs by id. An unknown id raises `NotFoundError`; a schedule, a target or a model that
    makes no sense raises `UsageError`."""

    async def list(self) -> list[Job]:
        """All, next run first."""
        ...

    async def get(self, job_id: str) -> Job: ...

    async def create(self, draft: JobDraft) -> Job: ...

    async def change(self, job_id: str, change: JobChange) -> Job: ...

    async def delete(self, job_id: str) -> None: ...

    async def pause(self, job_id: str) -> Job: ...

    async def resume(self, job_id: str) -> Job: ...

    async def run(self, job_id: str) -> Job:
        """Let it run now, besides its schedule; returns before it is done."""
        ...
