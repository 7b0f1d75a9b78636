"""The road of a due job: run it, keep what it gave, deliver it."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from hermes_agent.agent.control import Control
from hermes_agent.config.files import NotWritten
from hermes_agent.domain.chats import Origin, Outgoing, Post, Target
from hermes_agent.domain.errors import (
    HermesError,
    NotFoundError,
    PeriodCapReached,
    RetryableError,
    StoreError,
)
from hermes_agent.domain.events import BudgetSpent, Completed, Failed, TurnEnded
from hermes_agent.domain.jobs import Job
from hermes_agent.domain.ports import Asker
from hermes_agent.ledger.jobs.port import JobBook
from hermes_agent.ledger.jobs.zones import at
from hermes_agent.ledger.port import Claim
from hermes_agent.scheduler.answer import (
    Message,
    RunResult,
    message,
    missed_notice,
    paused_notice,
)
from hermes_agent.scheduler.output import Outputs, ScriptNotes, ScriptRun
from hermes_agent.scheduler.scripts import RunCommand, script_command
from hermes_agent.scheduler.settings import CronSettings
from hermes_agent.scheduler.targets import Home, destinations
from hermes_agent.sessions.host import Host, Opening
from hermes_agent.sessions.locks import SessionInUse

WITHOUT = ("cronjob", "messaging", "clarify")
"""Toolsets that a job never has: it would breed, spam, or wait for nobody."""

ATTEMPTS = 3
"""How often a run is begun when the model or the session cannot be had."""

_NOTES_KEPT = 30 * 86400.0

Render = Callable[[Target, str], Sequence[Post]]
Answer = Callable[[Target, Message, Origin | None], Sequence[Post]]
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class CronRoad:
    """See `gateway.road.Road`. `home_dir` is HERMES_HOME; `render` gives the posts of a Markdown
    text, `answer` those of what the model said, with its files, for a job that was made there
    (None: at the machine); `home` is a platform's home channel; `asker` answers questions before
    dangerous commands, None denies them all. The database and files are used in `thread`."""

    def __init__(
        self,
        book: JobBook,
        host: Host,
        *,
        home_dir: Path,
        render: Render,
        answer: Answer,
        home: Home,
        run_command: RunCommand,
        settings: CronSettings,
        asker: Asker | None = None,
        thread: Executor | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._book = book
        self._host = host
        self._render = render
        self._answer = answer
        self._home = home
        self._run_command = run_command
        self._settings = settings
        self._asker = asker
        self._thread = thread
        self._clock = clock
        self._scripts = home_dir / "scripts"
        self._outputs = Outputs(home_dir / "cron" / "output", retention=settings.retention)
        self._notes = ScriptNotes(home_dir / "cron" / ".scripts")
        self._limit = asyncio.Semaphore(settings.parallel) if settings.parallel else nullcontext()

    async def travel(self, claim: Claim) -> Sequence[Outgoing]:
        """See `Road.travel`."""
        extra = claim.inbound.extra
        try:
            job = await self._do(lambda: self._book.get(extra.get("job", "")))
        except NotFoundError:
            _log.info("job %s is gone; its run is left out", extra.get("job"))
            return ()
        reason = extra.get("reason", "due")
        if job.state == "paused" and reason != "asked":
            return ()
        due = at(float(extra.get("due", claim.accepted_at)), self._book.zone_of(job))
        async with self._limit:
            if reason == "missed":
                return await self._missed(job, claim, due)
            result = await self._run(job, claim, due)
            return await self._finish(job, claim, due, result)

    async def _run(self, job: Job, claim: Claim, due: datetime) -> RunResult:
        try:
            prompt = job.prompt
            if job.script:
                printed = await self._script(job, claim)
                if printed.error or job.no_agent:
                    return printed
                shown = printed.text.strip() or "(nothing)"
                prompt = f"The script {job.script} printed:\n\n```\n{shown}\n```\n\n{prompt}"
            return await self._turn(job, claim, due, prompt)
        except StoreError:
            raise
        except HermesError as error:
            passing = isinstance(error, RetryableError | SessionInUse)
            if passing and claim.attempt < ATTEMPTS:
                raise
            return RunResult(error=f"{error.message} {error.hint or ''}".strip())

    async def _turn(self, job: Job, claim: Claim, due: datetime, prompt: str) -> RunResult:
        control = Control()
        limit = self._settings.turn_seconds
        loop = asyncio.get_running_loop()
        async with self._host.open(self._opening(job, due)) as live:
            timer = loop.call_later(limit, control.stop) if limit else None
            try:
                ended = await live.run(
                    _with_skills(job, prompt), control, lambda _: None, turn=claim.turn
                )
            finally:
                if timer is not None:
                    timer.cancel()
            await self._do(lambda: live.end("completed"))
        return _result(ended, limit)

    def _opening(self, job: Job, due: datetime) -> Opening:
        note = Path(__file__).with_name("texts") / "note.md"
        model = f"{job.provider}:{job.model}" if job.provider and job.model else job.model
        return Opening(
            session_id=f"cron_{job.id}_{due:%Y%m%d_%H%M%S}",
            source="cron",
            user_id=(job.origin.user_id or None) if job.origin else None,
            asker=self._asker,
            model=model,
            toolsets=job.enabled_toolsets,
            without=WITHOUT,
            note=note.read_text("utf-8").strip(),
            workdir=job.workdir or None,
        )

    async def _script(self, job: Job, claim: Claim) -> RunResult:
        """Run the script, once: one that a crash cut off is reported, never begun again."""
        begun = await self._do(lambda: self._notes.begun(claim.turn))
        if begun is None:
            command = await self._do(lambda: script_command(self._scripts, job.script))
            await self._do(lambda: self._notes.note(claim.turn, ScriptRun()))
            ran = await self._run_command(
                command, workdir=job.workdir or None, timeout=self._settings.script_seconds
            )
            begun = ScriptRun(ran)
            await self._do(lambda: self._notes.note(claim.turn, ScriptRun(ran)))
        result = begun.result
        if result is None:
            return RunResult(error=f"the script {job.script} was cut off and is not run again")
        if result.exit_code:
            what = "took too long" if result.timed_out else f"ended with {result.exit_code}"
            tail = result.output.strip()[-1000:]
            return RunResult(
                error=f"the script {job.script} {what}" + (f":\n{tail}" if tail else ""),
                text=result.output,
            )
        return RunResult(text=result.output)

    async def _finish(
        self, job: Job, claim: Claim, due: datetime, result: RunResult
    ) -> Sequence[Outgoing]:
        found = destinations(job, self._home)
        path: Path | None = None
        problems = list(found.problems)
        if self._settings.keep or not found.targets:
            try:
                path = await self._do(
                    lambda: self._outputs.write(
                        job, due, f"{result.text}{result.note}", result.error
                    )
                )
                await self._do(lambda: self._notes.prune(self._clock() - _NOTES_KEPT))
            except (NotWritten, OSError) as error:
                problems.append(f"the output was not kept: {error}")
        for problem in problems:
            _log.warning("job %s: %s", job.id, problem)
        after = await self._do(
            lambda: self._book.record(
                job.id,
                claim.turn,
                "error" if result.error else "ok",
                result.error or "; ".join(problems),
                at=self._clock(),
                max_failures=self._settings.max_failures,
                counts=result.counts,
            )
        )
        said = message(job, result, path, wrap=self._settings.wrap)
        posts = [
            (target, post)
            for target in found.targets
            if said is not None
            for post in self._answer(target, said, job.origin)
        ]
        if after is not None and after.state == "paused" and after.counted_run == claim.turn:
            posts += self._noticed(found.targets, paused_notice(after))
            _log.warning("job %s is paused: %s", job.id, after.paused_reason)
        return _outgoing(claim, posts)

    async def _missed(self, job: Job, claim: Claim, due: datetime) -> Sequence[Outgoing]:
        shown = f"{due:%Y-%m-%d %H:%M}"
        error = f"missed: the gateway was not running at {shown}"
        await self._do(
            lambda: self._book.record(
                job.id, claim.turn, "error", error, at=self._clock(), max_failures=0
            )
        )
        targets = destinations(job, self._home).targets
        return _outgoing(claim, self._noticed(targets, missed_notice(job, shown)))

    def _noticed(self, targets: Sequence[Target], text: str) -> list[tuple[Target, Post]]:
        return [(target, post) for target in targets for post in self._render(target, text)]

    async def _do(self, work: Callable[[], _T]) -> _T:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))


def _outgoing(claim: Claim, posts: Sequence[tuple[Target, Post]]) -> tuple[Outgoing, ...]:
    return tuple(
        Outgoing(turn=claim.turn, part=part, target=target, post=post)
        for part, (target, post) in enumerate(posts)
    )


def _with_skills(job: Job, prompt: str) -> str:
    return f"Use the skills {', '.join(job.skills)}.\n\n{prompt}" if job.skills else prompt


def _result(ended: TurnEnded, limit: float) -> RunResult:
    match ended.ending:
        case Completed(message=said):
            return RunResult(text=said.content, by_model=True)
        case BudgetSpent(limit=calls, message=said):
            text = said.content if said else ""
            note = f"\n\n_The limit of {calls} model calls is reached._"
            return RunResult(text=text, note=note, by_model=True)
        case Failed() as failed:
            # What all conversations have spent is not the job's fault: it goes on when there is
            # money again.
            counts = failed.error != PeriodCapReached.__name__
            return RunResult(error=f"{failed.message} {failed.hint or ''}".strip(), counts=counts)
        case _:
            return RunResult(error=f"it took longer than {limit:.0f} seconds and was stopped")
