"""Due jobs become inbound messages.

The message is accepted first and the job advanced afterwards. The message's key is the job and
its due instant, so that accepting it again changes nothing: a crash between the two steps leads to
the same message once more, and a crash before them to a job that is still due. The other order
would lose the run that was advanced but not accepted.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Literal

import msgspec

from hermes_agent.domain.chats import Inbound, Origin
from hermes_agent.domain.errors import StoreError
from hermes_agent.domain.jobs import Job, Missed
from hermes_agent.ledger.jobs.calendar import missed, next_after
from hermes_agent.ledger.jobs.port import JobBook
from hermes_agent.ledger.port import Ledger
from hermes_agent.sessions.keys import session_key

PLATFORM = "cron"
LOOK = 2.0
"""Most seconds until a change by another process is seen."""

LATE = 120.0
"""A run that is late by less is not missed."""

_MAX_GRACE = 7200.0
_CLOCK_JUMP = 30.0
_STUCK = 1.0

Reason = Literal["due", "asked", "missed"]
_log = logging.getLogger(__name__)


class Ticked(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the jobs: how many runs were handed on, how many were passed over, and when the
    next job is due."""

    accepted: int
    skipped: int
    next_due: float | None


class Ticker:
    """Hands on what is due. Several may work on one home.

    `default` is the policy for missed runs of jobs that have none; `accepted` is called when there
    is something to claim.
    """

    def __init__(
        self,
        book: JobBook,
        ledger: Ledger,
        *,
        default: Missed = "grace",
        accepted: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book = book
        self._ledger = ledger
        self._default: Missed = default
        self._accepted = accepted
        self._clock = clock
        self._monotonic = monotonic
        self._drift: float | None = None

    def tick(self) -> Ticked:
        """Hand on what is due now. Raises `StoreError`; what was not reached is due still."""
        now = self._clock()
        self._watch_clock(now)
        accepted = skipped = 0
        for job in self._book.due(now):
            if job.requested_at is not None and job.requested_at <= now:
                self._accept(job, job.requested_at, "asked", f"{job.id}!{job.requested_at:.3f}")
                job = self._book.answered(job)
                accepted += 1
            if job.state == "scheduled" and job.next_run_at is not None and job.next_run_at <= now:
                runs = self._hand_on(job, job.next_run_at, now)
                self._book.advance(job, now=now, runs=runs)
                accepted += runs
                skipped += not runs
        return Ticked(accepted=accepted, skipped=skipped, next_due=self._book.next_due())

    async def run(self, thread: Executor | None = None) -> None:
        """Tick until cancelled. The database is used in `thread`."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                # Asked before the jobs are looked at: what changes meanwhile is seen afterwards.
                version = await loop.run_in_executor(thread, self._book.version)
                ticked = await loop.run_in_executor(thread, self.tick)
                if ticked.accepted:
                    self._accepted()
                await self._rest(version, ticked, thread)
            except StoreError as error:
                _log.warning("the jobs cannot be looked at: %s", error)
                await asyncio.sleep(LOOK)

    async def _rest(self, version: int, ticked: Ticked, thread: Executor | None) -> None:
        """Until a job is due or may have changed. The wall clock is asked again and again, because
        it can be set while we sleep."""
        loop = asyncio.get_running_loop()
        due = ticked.next_due
        if due is not None and due <= self._clock():
            # Something is due that could not be handed on; it must not keep us busy.
            await asyncio.sleep(_STUCK)
            return
        while not self._jumped(self._clock()):
            left = LOOK if due is None else due - self._clock()
            if left <= 0:
                return
            await asyncio.sleep(min(left, LOOK))
            # A tick that changed jobs itself is followed by another, and that one by rest.
            if await loop.run_in_executor(thread, self._book.version) != version:
                return

    def _hand_on(self, job: Job, due: float, now: float) -> int:
        """Accept what the policy for missed runs says; how many runs that were."""
        policy = job.missed or self._default
        where = self._book.zone_of(job)
        late = now - due
        if job.schedule.kind == "once":
            made_up = late <= LATE or policy in ("once", "all")
            self._accept(job, due, "due" if made_up else "missed")
            return 1
        if policy == "all":
            moments = missed(job.schedule, due, now, where, job.created_at)
        else:
            following = next_after(job.schedule, due, where, job.created_at)
            grace = min(max(((following or due) - due) / 2, LATE), _MAX_GRACE)
            limit = {"skip": LATE, "grace": grace, "once": float("inf")}[policy]
            moments = (due,) if late <= limit and not self._queued(job, due) else ()
        if job.repeat_times is not None:
            moments = moments[: max(0, job.repeat_times - job.repeat_completed)]
        for moment in moments:
            self._accept(job, moment, "due")
        if not moments:
            _log.info("job %s: the run of %.0f s ago is passed over", job.id, late)
        return len(moments)

    def _queued(self, job: Job, due: float) -> bool:
        """Whether another run of the job waits already; it will do for this one too."""
        rows = self._ledger.waiting(run_key(job))
        return any(row.inbound.key != _key(job, due) for row in rows)

    def _accept(self, job: Job, due: float, reason: Reason, key: str = "") -> None:
        inbound = Inbound(
            key=key or _key(job, due),
            origin=_origin(job),
            text=job.prompt,
            received_at=self._clock(),
            extra={"job": job.id, "due": f"{due:.3f}", "reason": reason},
        )
        self._ledger.accept(inbound, run_key(job))

    def _watch_clock(self, now: float) -> None:
        first = self._drift is None
        jumped = self._jumped(now)
        self._drift = now - self._monotonic()
        if (first or jumped) and (count := self._book.realign(now)):
            _log.warning("the clock was set: %d job(s) wait for another instant now", count)

    def _jumped(self, now: float) -> bool:
        return self._drift is not None and abs(now - self._monotonic() - self._drift) > _CLOCK_JUMP


def run_key(job: Job) -> str:
    """The session key of a job's runs: one at a time, in order."""
    return session_key(_origin(job), per_user=False)


def _key(job: Job, due: float) -> str:
    return f"{job.id}@{due:.3f}"


def _origin(job: Job) -> Origin:
    return Origin(platform=PLATFORM, chat_id=job.id, chat_name=job.name)
