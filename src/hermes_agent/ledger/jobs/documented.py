"""`cron/jobs.json` as other people's tools know it: read once, then kept as a mirror.

Format: {"jobs": [{id, name, prompt, skills, skill, model, provider, base_url, schedule{kind,
run_at | minutes | expr, display}, schedule_display, repeat{times, completed}, enabled, state,
paused_at, paused_reason, created_at, next_run_at, last_run_at, last_status, last_error, deliver,
origin, …}], "updated_at"}. Times are ISO 8601.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, cast

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.errors import HermesError
from hermes_agent.domain.jobs import Job, Schedule
from hermes_agent.ledger.jobs.calendar import check_expression
from hermes_agent.ledger.jobs.making import MAX_NAME, checked, paused, waiting
from hermes_agent.ledger.jobs.phrases import duration, schedule_of
from hermes_agent.ledger.jobs.zones import at

_OURS = frozenset((
    "id", "name", "prompt", "skills", "skill", "model", "provider", "base_url", "schedule",
    "schedule_display", "repeat", "enabled", "state", "paused_at", "paused_reason", "created_at",
    "next_run_at", "last_run_at", "last_status", "last_error", "deliver", "origin", "script",
    "no_agent", "workdir", "enabled_toolsets", "timezone", "missed",
))  # fmt: skip
_LATEST = 32503680000.0  # the year 3000
_ORIGIN = ("platform", "chat_id", "thread_id", "user_id", "user_name", "chat_name", "chat_type")


def mirror(jobs: Sequence[Job], now: float, where: tzinfo) -> bytes:
    """The file's content."""
    content = {
        "jobs": [documented(job, where) for job in jobs],
        "updated_at": at(now, where).isoformat(),
        "note": "A copy for reading. Change jobs with: hermes cron",
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2)


def documented(job: Job, where: tzinfo) -> dict[str, Any]:
    """A job with the documented names."""

    def iso(moment: float | None) -> str | None:
        return None if moment is None else at(moment, where).isoformat()

    schedule: dict[str, Any] = {"kind": job.schedule.kind, "display": job.schedule.display}
    match job.schedule.kind:
        case "once":
            schedule["run_at"] = iso(job.schedule.run_at)
        case "interval":
            schedule["minutes"] = job.schedule.minutes
        case "cron":
            schedule["expr"] = job.schedule.expr
    origin = job.origin
    return {
        **job.extra,
        "id": job.id,
        "name": job.name,
        "prompt": job.prompt,
        "skills": list(job.skills),
        "skill": job.skills[0] if job.skills else None,
        "model": job.model or None,
        "provider": job.provider or None,
        "base_url": job.base_url or None,
        "schedule": schedule,
        "schedule_display": job.schedule.display,
        "repeat": {"times": job.repeat_times, "completed": job.repeat_completed},
        "enabled": job.state == "scheduled",
        "state": job.state,
        "paused_at": iso(job.paused_at),
        "paused_reason": job.paused_reason or None,
        "created_at": iso(job.created_at),
        "next_run_at": iso(job.next_run_at),
        "last_run_at": iso(job.last_run_at),
        "last_status": job.last_status,
        "last_error": job.last_error or None,
        "deliver": job.deliver,
        "origin": None if origin is None else {name: getattr(origin, name) for name in _ORIGIN},
        "script": job.script or None,
        "no_agent": job.no_agent,
        "workdir": job.workdir or None,
        "enabled_toolsets": list(job.enabled_toolsets) or None,
        "timezone": job.timezone or None,
        "missed": job.missed,
    }


def jobs_in(data: bytes, now: float, where: tzinfo) -> list[Job]:
    """The jobs of a file. One that cannot be used comes paused with the reason.

    Raises `msgspec.DecodeError` for what is no such file.
    """
    content: object = msgspec.json.decode(data)
    entries = (
        cast("dict[str, object]", content).get("jobs") if isinstance(content, dict) else content
    )
    if not isinstance(entries, list):
        raise msgspec.DecodeError("there is no list of jobs in it")
    found: dict[str, Job] = {}
    for entry in cast("list[object]", entries):
        if isinstance(entry, dict):
            job = _job(cast("dict[str, Any]", entry), now, where)
            if job.id in found:
                job = msgspec.structs.replace(job, id=secrets.token_hex(6))
            found[job.id] = job
    return list(found.values())


def _job(entry: Mapping[str, Any], now: float, where: tzinfo) -> Job:
    fault = ""
    try:
        schedule = _schedule(entry, now, where)
    except (HermesError, ValueError, TypeError, AttributeError) as error:
        schedule = Schedule(kind="once", display=_text(entry, "schedule_display") or "unknown")
        fault = f"its schedule could not be taken over: {error}"
    name = "".join(c if c.isprintable() else " " for c in _text(entry, "name"))[:MAX_NAME]
    prompt = _text(entry, "prompt")
    identity = _text(entry, "id")
    repeat = entry.get("repeat")
    times: Mapping[str, Any] = cast("dict[str, Any]", repeat) if isinstance(repeat, dict) else {}
    job = Job(
        id=identity if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", identity) else secrets.token_hex(6),
        name=name.strip() or " ".join(prompt.split())[:50] or "job",
        schedule=schedule,
        prompt=prompt,
        skills=_words(entry, "skills") or tuple(filter(None, [_text(entry, "skill")])),
        model=_text(entry, "model"),
        provider=_text(entry, "provider"),
        base_url=_text(entry, "base_url"),
        deliver=_text(entry, "deliver") or "local",
        origin=_origin(entry.get("origin")),
        script=_text(entry, "script"),
        no_agent=entry.get("no_agent") is True,
        workdir=_text(entry, "workdir"),
        enabled_toolsets=_words(entry, "enabled_toolsets"),
        timezone=_text(entry, "timezone"),
        repeat_times=_whole(times.get("times")),
        repeat_completed=max(0, _whole(times.get("completed")) or 0),
        created_at=_moment(entry.get("created_at"), where) or now,
        last_run_at=_moment(entry.get("last_run_at"), where),
        last_status=cast("Any", status)
        if (status := entry.get("last_status")) in ("ok", "error")
        else None,
        last_error=_text(entry, "last_error"),
        extra={key: value for key, value in entry.items() if key not in _OURS},
    )
    return _standing(job, entry, now, where, fault)


def _standing(job: Job, entry: Mapping[str, Any], now: float, where: tzinfo, fault: str) -> Job:
    """The job in the state that the file says, or paused for its fault."""
    if not fault:
        try:
            checked(job)
        except HermesError as error:
            fault = error.message
    if fault:
        return paused(job, now, f"taken over from jobs.json, but {fault}")
    state = entry.get("state")
    if state == "paused" or entry.get("enabled") is False:
        since = _moment(entry.get("paused_at"), where) or now
        return paused(job, since, _text(entry, "paused_reason"))
    if state == "completed":
        return msgspec.structs.replace(job, state="completed")
    stored = _moment(entry.get("next_run_at"), where)
    if stored is not None:
        return msgspec.structs.replace(job, next_run_at=stored)
    job = waiting(job, now, where)
    if job.next_run_at is None:
        return msgspec.structs.replace(job, state="completed")
    return job


def _schedule(entry: Mapping[str, Any], now: float, where: tzinfo) -> Schedule:
    given = entry.get("schedule")
    if isinstance(given, str):
        return schedule_of(given, now, where)
    fields = cast("dict[str, Any]", given)
    display = _text(fields, "display") or _text(entry, "schedule_display")
    match fields.get("kind"):
        case "once":
            moment = _moment(fields.get("run_at"), where)
            if moment is None:
                raise ValueError(f"{fields.get('run_at')!r} is no point in time")
            return Schedule(kind="once", run_at=moment, display=display or "once")
        case "interval":
            minutes = _whole(fields.get("minutes")) or 0
            if not 1 <= minutes <= 527_040:
                raise ValueError(f"{fields.get('minutes')!r} minutes is no interval")
            shown = display or f"every {duration(minutes)}"
            return Schedule(kind="interval", minutes=minutes, display=shown)
        case "cron":
            expr = _text(fields, "expr")
            check_expression(expr)
            return Schedule(kind="cron", expr=expr, display=display or expr)
        case kind:
            raise ValueError(f"{kind!r} is no kind of schedule")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _words(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if not isinstance(value, list):
        return ()
    return tuple(word for word in cast("list[object]", value) if isinstance(word, str))


def _whole(value: object) -> int | None:
    """Numbers that no program counted to are none."""
    found = value if isinstance(value, int) and not isinstance(value, bool) else None
    return found if found is None or abs(found) < 2**53 else None


def _moment(value: object, where: tzinfo) -> float | None:
    """Only what calendars can show is a moment."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
            value = (found if found.tzinfo else found.replace(tzinfo=where)).timestamp()
        except (ValueError, OverflowError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < _LATEST else None


def _origin(value: object) -> Origin | None:
    if not isinstance(value, dict):
        return None
    fields = cast("dict[str, Any]", value)
    known = {name: str(fields[name]) for name in _ORIGIN if isinstance(fields.get(name), str | int)}
    try:
        return msgspec.convert(known, Origin)
    except msgspec.ValidationError:
        return None
