"""The port `JobBook` over the tables of `state.db`."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import tzinfo
from pathlib import Path

import msgspec

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.domain.errors import ConfigError, HermesError, NotFoundError, UsageError
from hermes_agent.domain.jobs import Job, JobChange, JobStatus, NewJob
from hermes_agent.ledger.jobs import making
from hermes_agent.ledger.jobs.calendar import next_after
from hermes_agent.ledger.jobs.documented import jobs_in, mirror
from hermes_agent.ledger.jobs.sqlite.statements import statements
from hermes_agent.ledger.jobs.zones import zone
from hermes_agent.store.sqlite.connection import Database, connect
from hermes_agent.store.sqlite.transaction import Transaction

MIRROR_LOCK_SECONDS = 5.0
MAX_JOBS = 500
"""Most jobs of a home: an agent that makes jobs must not do so without end."""

_decoder = msgspec.json.Decoder(Job)
_log = logging.getLogger(__name__)


class SqliteJobs:
    """See `JobBook`. `mirror` is the file that other people's tools read, its folder made when
    there is something to write; `zone_name` the configured time zone."""

    def __init__(
        self,
        database: Database,
        mirror_file: Path,
        zone_name: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db = database
        self._mirror_file = mirror_file
        self._zone = zone(zone_name)
        self._clock = clock
        self._written = 0
        self._take_over()

    @classmethod
    def open(
        cls, path: Path, mirror_file: Path, zone_name: str, clock: Callable[[], float]
    ) -> "SqliteJobs":
        """Open, make or migrate the file. Raises `StoreError`, `ConfigError` for the zone."""
        return cls(connect(path), mirror_file, zone_name, clock)

    def list(self) -> tuple[Job, ...]:
        with self._db.read() as db:
            return _jobs(db, "list")

    def get(self, name: str) -> Job:
        with self._db.read() as db:
            return _find(db, name)

    def create(self, new: NewJob) -> Job:
        job = making.made(new, self._clock(), self._zone_named(new.timezone))
        with self._db.write() as db:
            if db.execute(statements()["count"]).get >= MAX_JOBS:
                raise UsageError(
                    f"There are {MAX_JOBS} jobs already.",
                    hint="Remove some: hermes cron remove JOB",
                )
            _put(db, job)
        return self._changed(job)

    def change(self, name: str, change: JobChange) -> Job:
        with self._db.write() as db:
            job = _find(db, name)
            named = (
                job.timezone if isinstance(change.timezone, msgspec.UnsetType) else change.timezone
            )
            job = making.changed(job, change, self._clock(), self._zone_named(named))
            _put(db, job)
        return self._changed(job)

    def pause(self, name: str, reason: str = "") -> Job:
        return self._replace(name, lambda job: making.paused(job, self._clock(), reason))

    def resume(self, name: str) -> Job:
        return self._replace(
            name, lambda job: making.resumed(job, self._clock(), self.zone_of(job))
        )

    def run(self, name: str) -> Job:
        now = self._clock()
        return self._replace(name, lambda job: msgspec.structs.replace(job, requested_at=now))

    def remove(self, name: str) -> Job:
        with self._db.write() as db:
            job = _find(db, name)
            db.execute(statements()["remove"], (job.id,))
        return self._changed(job)

    def zone_of(self, job: Job) -> tzinfo:
        if not job.timezone:
            return self._zone
        try:
            return zone(job.timezone)
        except ConfigError as error:
            _log.warning("job %s: %s", job.id, error)
            return self._zone

    def due(self, now: float) -> tuple[Job, ...]:
        with self._db.read() as db:
            return _jobs(db, "due", now)

    def next_due(self) -> float | None:
        with self._db.read() as db:
            return db.execute(statements()["next_due"]).get

    def advance(self, job: Job, *, now: float, runs: int) -> Job:
        with self._db.write() as db:
            stored = _get(db, job.id)
            if stored is None:
                return job
            if stored.next_run_at != job.next_run_at or stored.schedule != job.schedule:
                return stored
            after = making.advanced(stored, now, runs, self.zone_of(stored))
            _put(db, after)
        return self._changed(after)

    def answered(self, job: Job) -> Job:
        with self._db.write() as db:
            stored = _get(db, job.id)
            if stored is None or stored.requested_at != job.requested_at:
                return stored or job
            after = msgspec.structs.replace(stored, requested_at=None)
            _put(db, after)
        return self._changed(after)

    def realign(self, now: float) -> int:
        count = 0
        with self._db.write() as db:
            for job in _jobs(db, "list"):
                if job.schedule.kind == "once" or job.next_run_at is None:
                    continue
                right = next_after(job.schedule, now, self.zone_of(job), job.created_at)
                if right is not None and right < job.next_run_at:
                    _put(db, msgspec.structs.replace(job, next_run_at=right))
                    count += 1
        if count:
            self._written += 1
            self._mirror()
        return count

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
        with self._db.write() as db:
            stored = _get(db, job_id)
            if stored is None:
                return None
            after = making.recorded(stored, run, status, error, at, max_failures, counts=counts)
            if after is not stored:
                _put(db, after)
        return after if after is stored else self._changed(after)

    def version(self) -> int:
        with self._db.read() as db:
            # The engine counts what other connections wrote, this counts our own.
            return int(db.execute(statements()["data_version"]).get) + self._written

    def close(self) -> None:
        self._db.close()

    def _replace(self, name: str, change: Callable[[Job], Job]) -> Job:
        with self._db.write() as db:
            job = change(_find(db, name))
            _put(db, job)
        return self._changed(job)

    def _zone_named(self, name: str) -> tzinfo:
        return zone(name) if name else self._zone

    def _changed(self, job: Job) -> Job:
        self._written += 1
        self._mirror()
        return job

    def _mirror(self) -> None:
        """Nobody here reads the file, so a fault is only told."""
        from filelock import FileLock, Timeout

        folder = self._mirror_file.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(folder / ".jobs.lock", timeout=MIRROR_LOCK_SECONDS, mode=0o600)
            with lock:
                # Read under the lock: what is written last is what is true last.
                content = mirror(self.list(), self._clock(), self._zone)
                write_atomically(self._mirror_file, content)
        except (OSError, Timeout, NotWritten) as error:
            _log.warning("%s was not brought up to date: %s", self._mirror_file, error)

    def _take_over(self) -> None:
        """The jobs of an earlier installation, once."""
        with self._db.read() as db:
            if self._db.read_only or db.execute(statements()["taken_over"]).get:
                return
        with self._db.write() as db:
            if db.execute(statements()["taken_over"]).get:
                return
            found, data = self._earlier()
            if data:
                # The file becomes a mirror, in which much looks otherwise.
                stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._clock()))
                write_atomically(self._mirror_file.with_name(f"jobs.json.before-{stamp}"), data)
            for job in found:
                _put(db, job)
            db.execute(statements()["note_taken_over"], (self._clock(),))
        if found:
            _log.info("%s jobs were taken over from %s", len(found), self._mirror_file)
            self._mirror()

    def _earlier(self) -> tuple[Sequence[Job], bytes]:
        """The jobs of the file, and its content where there are any."""
        try:
            data = self._mirror_file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return [], b""
        except OSError as error:
            raise HermesError(
                f"{self._mirror_file} cannot be read: {error.strerror}",
                hint="Its jobs are taken over once; make it readable, or move it away.",
            ) from error
        try:
            found = jobs_in(data, self._clock(), self._zone)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            aside = self._mirror_file.with_name(f"jobs.json.unreadable-{int(self._clock())}")
            self._mirror_file.replace(aside)
            _log.warning("the jobs in %s cannot be read (%s); it is %s now",
                         self._mirror_file, error, aside.name)  # fmt: skip
            return [], b""
        return found, data if found else b""


def _jobs(db: Transaction, statement: str, *values: object) -> tuple[Job, ...]:
    found = (_decoded(row[0]) for row in db.execute(statements()[statement], values))
    return tuple(job for job in found if job is not None)


def _get(db: Transaction, job_id: str) -> Job | None:
    row = db.execute(statements()["get"], (job_id,)).fetchone()
    return None if row is None else _decoded(row[0])


def _decoded(text: str) -> Job | None:
    """One row that nobody can read must not keep all other jobs from running."""
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError as error:
        _log.error("a job is left out, its row cannot be read (%s): %s", error, text[:100])
        return None


def _put(db: Transaction, job: Job) -> None:
    moments = [moment for moment in (job.next_run_at, job.requested_at) if moment is not None]
    values = {
        "id": job.id,
        "created_at": job.created_at,
        "due_at": min(moments) if moments else None,
        "job": msgspec.json.encode(job).decode(),
    }
    db.execute(statements()["put"], values)


def _find(db: Transaction, name: str) -> Job:
    jobs = _jobs(db, "list")
    wanted = name.strip()
    exact = [job for job in jobs if job.id == wanted]
    named = [job for job in jobs if job.name.lower() == wanted.lower()]
    begun = [job for job in jobs if wanted and job.id.startswith(wanted)]
    for found in (exact, named, begun):
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(job.id for job in found[:5])
            raise NotFoundError(f"{name!r} may be any of {ids}.", hint="Name the whole id.")
    raise NotFoundError(f"There is no job {name!r}.", hint="See them: hermes cron list --all")
