"""Scheduled jobs: what runs when, and where its answer goes. Times are Unix seconds."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hermes_agent.domain.chats import Origin

ScheduleKind = Literal["once", "interval", "cron"]
JobState = Literal["scheduled", "paused", "completed"]
JobStatus = Literal["ok", "error"]
Missed = Literal["grace", "skip", "once", "all"]
"""What becomes of runs that were due while nothing ran. `grace`: a run that is late by less than
half its period (two minutes to two hours) is made up for, older ones are not; `skip`: none is;
`once`: one for all that were missed; `all`: each, at most ten."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When: once at `run_at`, every `minutes`, or by the five fields of `expr` in the job's time
    zone. `display` says it in words."""

    kind: ScheduleKind
    run_at: float | None = None
    minutes: int = 0
    expr: str = ""
    display: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job and how it went.

    `deliver` is `origin`, `local`, a platform or `platform:chat[:thread]`, or several with commas.
    `script` is a file in HERMES_HOME/scripts: its output stands before the prompt, or, with
    `no_agent`, is all there is. `repeat_times` None is without end. `failures` counts those in a
    row, `counted_run` is the run that was counted last. `requested_at`: somebody wants it run now.
    `timezone` empty is the configured one, `missed` None too. `extra` keeps what other programs
    wrote.
    """

    id: str
    name: str
    schedule: Schedule
    prompt: str = ""
    skills: tuple[str, ...] = ()
    model: str = ""
    provider: str = ""
    base_url: str = ""
    deliver: str = "local"
    origin: Origin | None = None
    script: str = ""
    no_agent: bool = False
    workdir: str = ""
    enabled_toolsets: tuple[str, ...] = ()
    timezone: str = ""
    missed: Missed | None = None
    repeat_times: int | None = None
    repeat_completed: int = 0
    state: JobState = "scheduled"
    paused_at: float | None = None
    paused_reason: str = ""
    created_at: float = 0.0
    next_run_at: float | None = None
    requested_at: float | None = None
    last_run_at: float | None = None
    last_status: JobStatus | None = None
    last_error: str = ""
    failures: int = 0
    counted_run: str = ""
    extra: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job to be made. `schedule` is text such as `every weekday at 9`; the fields are those of
    `Job`."""

    schedule: str
    prompt: str = ""
    name: str = ""
    skills: tuple[str, ...] = ()
    model: str = ""
    provider: str = ""
    deliver: str = "local"
    origin: Origin | None = None
    script: str = ""
    no_agent: bool = False
    workdir: str = ""
    enabled_toolsets: tuple[str, ...] = ()
    timezone: str = ""
    missed: Missed | None = None
    repeat_times: int | None = None


class JobChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    schedule: str | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    skills: tuple[str, ...] | UnsetType = UNSET
    model: str | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    deliver: str | UnsetType = UNSET
    script: str | UnsetType = UNSET
    no_agent: bool | UnsetType = UNSET
    workdir: str | UnsetType = UNSET
    enabled_toolsets: tuple[str, ...] | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    missed: Missed | UnsetType | None = UNSET
    repeat_times: int | UnsetType | None = UNSET
