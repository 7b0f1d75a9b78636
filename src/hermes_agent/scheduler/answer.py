"""From what a run gave to what people get."""

from pathlib import Path

import msgspec

from hermes_agent.domain.jobs import Job

SILENT = "[SILENT]"
MAX_SENT = 4000
"""Characters of an answer that are sent."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run gave: `text` for people, of which `note` at its end is not the model's; `error`
    when it failed, which `counts` against the job unless others are to blame. `by_model` False: a
    script printed it."""

    text: str = ""
    note: str = ""
    error: str = ""
    by_model: bool = False
    counts: bool = True

    @property
    def silent(self) -> bool:
        """Whether it asked to be sent to nobody."""
        return not self.error and self.text.lstrip().startswith(SILENT)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message in Markdown: what the model `said`, which may bring files, and what stands around
    it, which never does."""

    before: str = ""
    said: str = ""
    after: str = ""


def message(job: Job, result: RunResult, path: Path | None, *, wrap: bool) -> Message | None:
    """The message about a run, None when there is none."""
    if result.silent:
        return None
    if result.error:
        return Message(before=f"⚠ The job **{job.name}** (`{job.id}`) failed: {result.error}")
    body, after = result.text.strip(), result.note
    if not body and not after:
        return None
    if len(body) > MAX_SENT:
        where = f" All of it: {path}" if path else ""
        body = body[:MAX_SENT].rstrip()
        after = f"\n\n… (cut after {MAX_SENT:,} characters.{where}){after}"
    before = ""
    if wrap:
        before = f"**{job.name}**\n\n"
        after += f"\n\n_Job {job.id}, {job.schedule.display}_"
    if result.by_model:
        return Message(before=before, said=body, after=after)
    return Message(before=f"{before}{body}{after}")


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
