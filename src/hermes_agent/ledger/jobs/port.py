"""The port of the job book: what the scheduler needs beyond `Jobs`, which everybody sees."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Protocol

from hermes_agent.domain.jobs import Job, JobStatus
from hermes_agent.domain.ports import Jobs


class JobBook(Jobs, Protocol):
    """The jobs of one home. All methods are short transactions, safe in any thread and process."""

    def zone_of(self, job: Job) -> tzinfo:
        """The time zone that the job lives in."""
        ...

    def due(self, now: float) -> Sequence[Job]:
        """Jobs whose time has come or that somebody wants now, the longest due first."""
        ...

    def next_due(self) -> float | None:
        """When the next job is due; None without one."""
        ...

    def advance(self, job: Job, *, now: float, runs: int) -> Job:
        """The due instant of `job` is dealt with, `runs` times it was handed on: it waits for its
        next one, and is completed when there is none or it ran as often as it should.

        A job that changed since it was read stays as it is; what is stored is returned.
        """
        ...

    def answered(self, job: Job) -> Job:
        """The wish in `job.requested_at` is handed on."""
        ...

    def realign(self, now: float) -> int:
        """The clock was set back, or the zone changed: recurring jobs that wait longer than their
        schedule says wait for the right instant again; how many did."""
        ...

    def record(
        self,
        job_id: str,
        run: str,
        status: JobStatus,
        error: str,
        *,
        at: float,
        max_failures: int,
        counts: bool = True,
    ) -> Job | None:
        """A run ended. After `max_failures` in a row (0: never) the job is paused; one that is
        none of the job's doing `counts` not. The same `run` counts once. None when the job is
        gone."""
        ...

    def version(self) -> int:
        """Changes when a job may have; cheap enough to ask every second."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...
