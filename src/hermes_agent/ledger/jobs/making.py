"""From what was asked for to a job, and how a job goes on. Pure."""

import secrets
from datetime import tzinfo

import msgspec
from msgspec import UNSET

from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.jobs import Job, JobChange, JobStatus, NewJob
from hermes_agent.ledger.jobs.calendar import next_after
from hermes_agent.ledger.jobs.phrases import schedule_of

MAX_PROMPT = 20_000
MAX_NAME = 100
_MAX_DELIVER = 500
_PLAIN_FIELDS = (
    "prompt", "name", "skills", "model", "provider", "deliver", "script", "no_agent", "workdir",
    "enabled_toolsets", "timezone", "missed", "repeat_times",
)  # fmt: skip


def made(new: NewJob, now: float, where: tzinfo) -> Job:
    """The job. Raises `UsageError`."""
    job = Job(
        id=secrets.token_hex(6),
        name=new.name.strip() or _name(new),
        schedule=schedule_of(new.schedule, now, where),
        prompt=new.prompt,
        skills=new.skills,
        model=new.model,
        provider=new.provider,
        deliver=new.deliver.strip() or "local",
        origin=new.origin,
        script=new.script,
        no_agent=new.no_agent,
        workdir=new.workdir,
        enabled_toolsets=new.enabled_toolsets,
        timezone=new.timezone,
        missed=new.missed,
        repeat_times=new.repeat_times,
        created_at=now,
    )
    return waiting(checked(job), now, where)


def changed(job: Job, change: JobChange, now: float, where: tzinfo) -> Job:
    """The job with the change, its next run where the schedule says. Raises `UsageError`."""
    given = {name: value for name in _PLAIN_FIELDS if (value := getattr(change, name)) is not UNSET}
    after = msgspec.structs.replace(job, **given)
    if change.schedule is not UNSET:
        schedule = schedule_of(change.schedule, now, where)
        state = "scheduled" if job.state == "completed" else job.state
        after = msgspec.structs.replace(
            after, schedule=schedule, state=state, created_at=now, repeat_completed=0
        )
    after = checked(after)
    if change.schedule is not UNSET or change.timezone is not UNSET:
        after = waiting(after, now, where)
    return after


def waiting(job: Job, now: float, where: tzinfo) -> Job:
    """The job as it waits for the first instant after `now`."""
    if job.state != "scheduled":
        return msgspec.structs.replace(job, next_run_at=None)
    moment = next_after(job.schedule, now, where, job.created_at)
    return msgspec.structs.replace(job, next_run_at=moment)


def resumed(job: Job, now: float, where: tzinfo) -> Job:
    """The job as it runs again. Raises `UsageError` where there is nothing left to run."""
    after = msgspec.structs.replace(
        job, state="scheduled", paused_at=None, paused_reason="", failures=0
    )
    if after.repeat_times is not None and after.repeat_completed >= after.repeat_times:
        after = msgspec.structs.replace(after, repeat_completed=0)
    after = waiting(after, now, where)
    if after.next_run_at is None:
        raise UsageError(
            f"The time of job {job.id} ({job.schedule.display}) is over.",
            hint=f"Give it another: hermes cron edit {job.id} --schedule 'tomorrow at 9'",
        )
    return after


def paused(job: Job, now: float, reason: str) -> Job:
    """The job as it rests."""
    return msgspec.structs.replace(
        job, state="paused", paused_at=now, paused_reason=reason[:500], next_run_at=None
    )


def advanced(job: Job, now: float, runs: int, where: tzinfo) -> Job:
    """The job after its due instant was dealt with."""
    completed = job.repeat_completed + runs
    after = msgspec.structs.replace(job, repeat_completed=completed)
    moment = next_after(job.schedule, max(now, job.next_run_at or now), where, job.created_at)
    if moment is None or (job.repeat_times is not None and completed >= job.repeat_times):
        return msgspec.structs.replace(after, state="completed", next_run_at=None)
    return msgspec.structs.replace(after, next_run_at=moment)


def recorded(
    job: Job,
    run: str,
    status: JobStatus,
    error: str,
    at: float,
    max_failures: int,
    *,
    counts: bool = True,
) -> Job:
    """The job after a run ended."""
    if job.counted_run == run:
        return job
    failures = 0 if status == "ok" else job.failures + counts
    after = msgspec.structs.replace(
        job,
        counted_run=run,
        last_run_at=at,
        last_status=status,
        last_error=error[:2000],
        failures=failures,
    )
    if counts and max_failures and failures >= max_failures and job.state == "scheduled":
        reason = f"{failures} runs in a row failed; the last: {error}"
        return paused(after, at, reason)
    return after


def checked(job: Job) -> Job:
    """The same job. Raises `UsageError` for what makes no sense."""
    if not job.prompt.strip() and not job.script:
        raise UsageError(
            "A job needs a prompt or a script.", hint="hermes cron create 'daily at 9' 'Say hello'"
        )
    if job.no_agent and not job.script:
        raise UsageError("A job without the agent needs a script.")
    if len(job.prompt) > MAX_PROMPT:
        raise UsageError(
            f"The prompt has {len(job.prompt):,} characters; at most {MAX_PROMPT:,}.",
            hint="Put the long part into a file and name the file in the prompt.",
        )
    if len(job.name) > MAX_NAME or not job.name.isprintable():
        raise UsageError(f"A job's name is one line of at most {MAX_NAME} characters.")
    if not job.deliver.strip() or len(job.deliver) > _MAX_DELIVER or not job.deliver.isprintable():
        raise UsageError(
            f"{job.deliver[:80]!r} is no place to deliver to.",
            hint="local, origin, a platform (telegram), or platform:chat[:thread].",
        )
    if job.repeat_times is not None and job.repeat_times < 1:
        raise UsageError("A job that repeats does so at least once.")
    if job.script:
        _check_script(job.script)
    if job.workdir and not job.workdir.startswith("/"):
        raise UsageError(f"The directory of a job is absolute; {job.workdir!r} is not.")
    return job


def _check_script(script: str) -> None:
    parts = script.split("/")
    if script.startswith(("/", "~", "-")) or ".." in parts or not script.isprintable():
        raise UsageError(
            f"{script!r} is no script of a job.",
            hint="Name a file in HERMES_HOME/scripts by its path from there.",
        )


def _name(new: NewJob) -> str:
    lines = new.prompt.strip().splitlines() or [new.script]
    first = "".join(c if c.isprintable() else " " for c in lines[0]).strip()
    return first if len(first) <= 50 else f"{first[:49].rstrip()}…"
