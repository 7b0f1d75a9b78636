"""Schedule jobs."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from msgspec import UNSET, UnsetType

from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.jobs import Job, JobChange, NewJob
from hermes_agent.domain.ports import Jobs
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext

MAX_PROMPT = 4000

_T = TypeVar("_T")


def summary(arguments: Arguments) -> str:
    """What is done with which job."""
    about = arguments.get("schedule") or arguments.get("job_id") or ""
    return f"job: {arguments['action']} {about}".rstrip()


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """One action; the job as it stands then, or all jobs."""
    jobs = context.jobs
    if jobs is None:
        raise UsageError("There are no scheduled jobs here.")
    action = str(arguments["action"])
    prompt = str(arguments.get("prompt", ""))
    if len(prompt) > MAX_PROMPT:
        raise UsageError(
            f"The prompt has {len(prompt)} characters; at most {MAX_PROMPT}.",
            hint="Write the long part to a file and name the file in the prompt.",
        )
    if action == "list":
        found = await _off(jobs.list)
        return Outcome({"jobs": [_shown(job) for job in found]}, summary=f"{len(found)} jobs")
    if action == "create":
        job = await _off(lambda: jobs.create(_new(arguments, prompt, context)))
    else:
        job = await _off(lambda: _act(jobs, action, arguments))
    return Outcome(
        {"job": _shown(job), "done": action}, summary=f"job {job.id}: {job.schedule.display}"
    )


def _new(arguments: Arguments, prompt: str, context: ToolContext) -> NewJob:
    if not arguments.get("schedule"):
        raise UsageError("`schedule` is missing.", hint="Such as: every weekday at 9")
    if not prompt.strip():
        raise UsageError("`prompt` is missing.", hint="Say what is to be done.")
    repeat = arguments.get("repeat")
    return NewJob(
        schedule=str(arguments["schedule"]),
        prompt=prompt,
        name=str(arguments.get("name", "")),
        deliver=str(arguments.get("deliver", "origin" if context.chat else "local")),
        origin=context.chat,
        repeat_times=repeat if isinstance(repeat, int) else None,
    )


def _act(jobs: Jobs, action: str, arguments: Arguments) -> Job:
    name = str(arguments.get("job_id", ""))
    if not name.strip():
        raise UsageError("`job_id` is missing.", hint="The action `list` shows all jobs.")
    match action:
        case "update":
            return jobs.change(name, _change(arguments))
        case "pause":
            return jobs.pause(name)
        case "resume":
            return jobs.resume(name)
        case "run":
            return jobs.run(name)
        case _:
            return jobs.remove(name)


def _change(arguments: Arguments) -> JobChange:
    def text(key: str) -> str | UnsetType:
        return str(arguments[key]) if key in arguments else UNSET

    repeat = arguments.get("repeat")
    return JobChange(
        schedule=text("schedule"),
        prompt=text("prompt"),
        name=text("name"),
        deliver=text("deliver"),
        repeat_times=repeat if isinstance(repeat, int) else UNSET,
    )


def _shown(job: Job) -> dict[str, object]:
    following = job.next_run_at
    shown: dict[str, object | None] = {
        "job_id": job.id,
        "name": job.name,
        "schedule": job.schedule.display,
        "state": job.state,
        "next_run_at": _iso(following) if following else None,
        "deliver": job.deliver,
        "last_status": job.last_status,
        "last_error": job.last_error[:300] or None,
        "paused_reason": job.paused_reason[:300] or None,
    }
    return {key: value for key, value in shown.items() if value is not None}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="minutes")


async def _off(work: Callable[[], _T]) -> _T:
    return await asyncio.to_thread(work)
