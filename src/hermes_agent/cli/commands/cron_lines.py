"""How jobs look on a terminal."""

import time
from collections.abc import Sequence

from hermes_agent.cli.commands.session_lines import printable
from hermes_agent.domain.jobs import Job


def said(text: str) -> str:
    """One line of a text that somebody else wrote."""
    line = " ".join(printable(text).split())
    return line if len(line) <= 100 else f"{line[:99]}…"


def job_table(jobs: Sequence[Job]) -> list[str]:
    """A heading and a line for each job."""
    rows = [("ID", "STATE", "NEXT RUN", "LAST", "SCHEDULE", "NAME")]
    rows += [
        (
            job.id,
            job.state,
            _when(job.next_run_at),
            last(job),
            said(job.schedule.display),
            said(job.name),
        )
        for job in jobs
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(5)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]])
        for row in rows
    ]


def job_lines(job: Job) -> list[str]:
    """What a person wants to know of one job."""
    lines = [f"  {job.id}  {said(job.name)}", f"  {said(job.schedule.display)}"]
    if job.next_run_at is not None:
        lines.append(f"  next run: {_when(job.next_run_at)}")
    elif job.state != "scheduled":
        lines.append(f"  {job.state}")
    lines.append(f"  answers go to: {said(job.deliver)}")
    return lines


def _when(moment: float | None) -> str:
    if moment is None:
        return "-"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def last(job: Job) -> str:
    """How the latest run went. One that succeeded may still have reached nobody."""
    if job.last_status is None:
        return "-"
    if job.failures:
        return f"failed ({job.failures})"
    undelivered = job.last_status == "ok" and job.last_error
    return "ok, not delivered" if undelivered else job.last_status
