"""From what a run gave to what people get."""

from pathlib import Path

import msgspec

from hermes_agent.domain.jobs import Job

SILENT = "[SILENT]"
MAX_SENT = 4000
"""Characters of an answer that are sent."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run gave: `text` for people, `error` when it failed."""

    text: str = ""
    error: str = ""

    @property
    def silent(self) -> bool:
        """Whether it asked to be sent to nobody."""
        return not self.error and self.text.lstrip().startswith(SILENT)


def message(job: Job, result: RunResult, path: Path | None, *, wrap: bool) -> str:
    """The message about a run, in Markdown; empty when there is none."""
    if result.silent:
        return ""
    if result.error:
        return f"⚠ The job **{job.name}** (`{job.id}`) failed: {result.error}"
    body = result.text.strip()
    if not body:
        return ""
    if len(body) > MAX_SENT:
        where = f" All of it: {path}" if path else ""
        body = f"{body[:MAX_SENT].rstrip()}\n\n… (cut after {MAX_SENT:,} characters.{where})"
    if not wrap:
        return body
    return f"**{job.name}**\n\n{body}\n\n_Job {job.id}, {job.schedule.display}_"


def paused_notice(job: Job) -> str:
    """What is said when a job is paused for its failures."""
    return (
        f"The job **{job.name}** is paused: {job.failures} runs in a row failed. When it is "
        f"mended: `hermes cron resume {job.id}`"
    )


def missed_notice(job: Job, due: str) -> str:
    """What is said of a one-time job whose time passed while nothing ran."""
    return (
        f"The job **{job.name}** was due at {due}, when the gateway was not running, and was not "
        f"run. To have it now: `hermes cron run {job.id}`"
    )
