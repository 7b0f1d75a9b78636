"""The book of jobs, in a real database."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.errors import ConfigError, NotFoundError, UsageError
from hermes_agent.domain.jobs import JobChange, NewJob
from hermes_agent.ledger.jobs.opening import open_jobs
from hermes_agent.ledger.jobs.port import JobBook

NOW = 1_780_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(home: Path, clock: Clock) -> Iterator[JobBook]:
    book = open_jobs(home, "UTC", clock)
    yield book
    book.close()


def new(**more: object) -> NewJob:
    return NewJob(**{"schedule": "every 30m", "prompt": "Look around", **more})  # pyright: ignore[reportArgumentType] - by name


def mirrored(home: Path) -> dict[str, object]:
    (job,) = json.loads((home / "cron" / "jobs.json").read_text())["jobs"]
    return job


def test_a_job_is_found_by_id_beginning_and_name(book: JobBook) -> None:
    job = book.create(new(name="Weather"))
    assert len(job.id) == 12
    assert [book.get(name) for name in (job.id, job.id[:5], "weather")] == [job] * 3


def test_a_name_that_fits_none_or_several_is_refused(book: JobBook) -> None:
    book.create(new(name="Weather"))
    book.create(new(name="Weather"))
    for name in ("weather", "nobody", ""):
        with pytest.raises(NotFoundError):
            book.get(name)


@pytest.mark.parametrize(
    "settings",
    [
        {"prompt": " "},
        {"prompt": "x" * 20_001},
        {"no_agent": True},
        {"script": "../../etc/passwd"},
        {"script": "/bin/sh"},
        {"script": "-rf"},
        {"repeat_times": 0},
        {"name": "a\nb"},
        {"workdir": "relative"},
        {"deliver": "x" * 600},
        {"schedule": "whenever"},
    ],
)
def test_settings_that_make_no_sense_are_refused_and_leave_nothing(
    book: JobBook, settings: dict[str, object]
) -> None:
    with pytest.raises(UsageError):
        book.create(new(**settings))
    assert list(book.list()) == []


def test_an_unknown_time_zone_is_refused(book: JobBook) -> None:
    with pytest.raises(ConfigError, match="Mars"):
        book.create(new(timezone="Mars/Olympus"))


def test_a_job_is_due_when_its_time_has_come(book: JobBook) -> None:
    job = book.create(new())
    assert book.next_due() == NOW + 1800
    assert list(book.due(NOW + 1799)) == []
    assert [each.id for each in book.due(NOW + 1800)] == [job.id]


def test_advancing_twice_changes_nothing_the_second_time(book: JobBook) -> None:
    job = book.create(new(repeat_times=3))
    first = book.advance(job, now=NOW + 1800, runs=1)
    assert (first.next_run_at, first.repeat_completed) == (NOW + 3600, 1)
    assert book.advance(job, now=NOW + 1800, runs=1) == first


def test_a_job_that_ran_as_often_as_it_should_is_completed(book: JobBook) -> None:
    job = book.create(new(repeat_times=2))
    job = book.advance(job, now=NOW + 1800, runs=1)
    job = book.advance(job, now=NOW + 3600, runs=1)
    assert (job.state, job.next_run_at) == ("completed", None)
    once = book.create(new(schedule="in 5 minutes"))
    assert book.advance(once, now=NOW + 300, runs=1).state == "completed"


def test_a_paused_job_is_due_never_and_resumes_from_now(book: JobBook, clock: Clock) -> None:
    job = book.create(new())
    paused = book.pause(job.id, "holidays")
    assert (paused.state, paused.paused_reason, paused.next_run_at) == ("paused", "holidays", None)
    assert book.next_due() is None
    clock.now += 10_000
    resumed = book.resume(job.id)
    assert resumed.next_run_at == NOW + 10_800
    assert resumed.paused_at is None


def test_a_one_shot_whose_time_is_over_cannot_resume(book: JobBook, clock: Clock) -> None:
    job = book.create(new(schedule="in 5 minutes"))
    book.pause(job.id)
    clock.now += 600
    with pytest.raises(UsageError, match="over"):
        book.resume(job.id)
    changed = book.change(job.id, JobChange(schedule="in 5 minutes"))
    assert changed.state == "paused"
    assert book.resume(job.id).next_run_at == clock.now + 300


def test_whoever_wants_it_now_makes_it_due_even_when_paused(book: JobBook) -> None:
    job = book.create(new())
    book.pause(job.id)
    asked = book.run(job.id)
    (due,) = book.due(NOW)
    assert due.requested_at == NOW
    assert book.answered(asked).requested_at is None
    assert list(book.due(NOW)) == []


def test_a_change_keeps_what_it_does_not_name(book: JobBook) -> None:
    job = book.create(new(name="Weather", deliver="telegram"))
    changed = book.change(job.id, JobChange(prompt="Look up"))
    assert (changed.prompt, changed.name, changed.deliver) == ("Look up", "Weather", "telegram")
    assert changed.next_run_at == job.next_run_at


def test_another_time_zone_moves_the_next_run(book: JobBook) -> None:
    job = book.create(new(schedule="daily at 9"))
    moved = book.change(job.id, JobChange(timezone="Asia/Tokyo"))
    assert moved.next_run_at is not None and job.next_run_at is not None
    assert (moved.next_run_at - job.next_run_at) % 86400 == 15 * 3600


def test_a_job_that_fails_five_times_in_a_row_is_paused_and_says_why(book: JobBook) -> None:
    job = book.create(new())
    for run in range(4):
        book.record(job.id, f"r{run}", "error", "no model", at=NOW, max_failures=5)
    book.record(job.id, "good", "ok", "", at=NOW, max_failures=5)
    for run in range(5):
        last = book.record(job.id, f"s{run}", "error", "no model", at=NOW + run, max_failures=5)
        assert last is not None
        assert book.record(job.id, f"s{run}", "error", "x", at=NOW, max_failures=5) == last
    found = book.get(job.id)
    assert (found.state, found.failures, found.next_run_at) == ("paused", 5, None)
    assert "no model" in found.paused_reason
    assert book.resume(job.id).failures == 0


def test_a_run_of_a_job_that_is_gone_is_recorded_nowhere(book: JobBook) -> None:
    job = book.create(new())
    book.remove(job.id)
    assert book.record(job.id, "r", "ok", "", at=NOW, max_failures=5) is None
    assert book.advance(job, now=NOW, runs=1) == job
    with pytest.raises(NotFoundError):
        book.get(job.id)


def test_the_mirror_has_the_documented_fields(book: JobBook, home: Path) -> None:
    origin = Origin(platform="telegram", chat_id="42", user_id="7", user_name="Ann")
    job = book.create(new(name="Weather", origin=origin, deliver="origin", skills=("maps",)))
    found = mirrored(home)
    assert found["id"] == job.id
    assert found["schedule"] == {"kind": "interval", "minutes": 30, "display": "every 30m"}
    assert found["repeat"] == {"times": None, "completed": 0}
    assert (found["enabled"], found["state"], found["skill"]) == (True, "scheduled", "maps")
    assert isinstance(found["next_run_at"], str) and "T" in found["next_run_at"]
    assert isinstance(found["origin"], dict) and found["origin"]["chat_id"] == "42"
    assert (home / "cron" / "jobs.json").stat().st_mode & 0o777 == 0o600
    book.remove(job.id)
    assert json.loads((home / "cron" / "jobs.json").read_text())["jobs"] == []


OLD = {
    "id": "0123456789ab",
    "name": "News",
    "prompt": "Tell the news",
    "skills": [],
    "skill": "reader",
    "schedule": {"kind": "cron", "expr": "0 9 * * *", "display": "0 9 * * *"},
    "repeat": {"times": None, "completed": 4},
    "enabled": True,
    "state": "scheduled",
    "created_at": "2026-01-01T10:00:00+01:00",
    "next_run_at": "2026-05-28T09:00:00+02:00",
    "last_status": "ok",
    "deliver": "telegram:-100:7",
    "origin": {"platform": "telegram", "chat_id": -100, "chat_name": "Family"},
    "context_from": ["x"],
}


def take_over(home: Path, content: object) -> JobBook:
    (home / "cron").mkdir(parents=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (home / "cron" / "jobs.json").write_text(text)
    return open_jobs(home, "UTC", Clock())


def test_jobs_of_an_earlier_installation_are_taken_over_once(home: Path) -> None:
    book = take_over(home, {"jobs": [OLD]})
    (job,) = book.list()
    assert (job.id, job.skills, job.repeat_completed) == ("0123456789ab", ("reader",), 4)
    assert job.origin is not None and job.origin.chat_id == "-100"
    assert job.next_run_at == 1_779_951_600.0
    assert mirrored(home)["context_from"] == ["x"]
    book.remove(job.id)
    book.close()
    (home / "cron" / "jobs.json").write_text(json.dumps({"jobs": [OLD]}))
    again = open_jobs(home, "UTC", Clock())
    assert list(again.list()) == []
    again.close()


def test_a_job_that_cannot_be_taken_over_comes_paused_with_the_reason(home: Path) -> None:
    bad = [
        OLD | {"id": "../etc", "schedule": {"kind": "cron", "expr": "99 * * * *"}},
        OLD | {"prompt": ""},
        OLD | {"id": "fine", "enabled": False, "state": "paused", "paused_reason": "rest"},
        {"name": "empty"},
        "nonsense",
    ]
    book = take_over(home, {"jobs": bad})
    jobs = book.list()
    assert len(jobs) == 4
    assert {job.state for job in jobs} == {"paused"}
    assert {job.paused_reason == "rest" for job in jobs if job.id == "fine"} == {True}
    assert all("/" not in job.id for job in jobs)
    book.close()


def test_numbers_and_moments_beyond_all_sense_do_no_harm(home: Path) -> None:
    bad = [
        OLD | {"id": "late", "next_run_at": 1e308, "created_at": 1e308, "last_run_at": -1e308},
        OLD | {"id": "last", "next_run_at": "9999-12-31T23:59:59+00:00"},
        OLD | {"id": "many", "repeat": {"times": 10**30, "completed": -5}, "extra": 10**30},
        OLD | {"id": "slow", "schedule": {"kind": "interval", "minutes": 10**30}},
    ]
    book = take_over(home, {"jobs": bad})
    jobs = {job.id: job for job in book.list()}
    assert (jobs["late"].created_at, jobs["late"].last_run_at) == (NOW, None)
    assert NOW < (jobs["late"].next_run_at or 0) == jobs["last"].next_run_at
    assert (jobs["many"].repeat_times, jobs["many"].repeat_completed) == (None, 0)
    assert jobs["slow"].state == "paused"
    book.pause("late")
    assert len(json.loads((home / "cron" / "jobs.json").read_text())["jobs"]) == 4
    book.close()


def test_a_torn_file_of_an_earlier_installation_is_kept_aside(home: Path) -> None:
    book = take_over(home, '{"jobs": [{"id"')
    assert list(book.list()) == []
    (aside,) = (home / "cron").glob("jobs.json.unreadable-*")
    assert aside.read_text() == '{"jobs": [{"id"'
    book.close()


def test_many_who_write_at_once_lose_nothing_and_the_mirror_is_whole(home: Path) -> None:
    books = [open_jobs(home, "UTC", Clock()) for _ in range(4)]

    def make(book: JobBook) -> None:
        for _ in range(5):
            book.create(new())

    threads = [threading.Thread(target=make, args=(book,)) for book in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(books[0].list()) == 20
    assert len(json.loads((home / "cron" / "jobs.json").read_text())["jobs"]) == 20
    for book in books:
        book.close()


def test_the_version_tells_of_changes_here_and_elsewhere(book: JobBook, home: Path) -> None:
    seen = [book.version()]
    assert book.version() == seen[0]
    book.create(new())
    seen.append(book.version())
    other = open_jobs(home, "UTC", Clock())
    other.create(new())
    other.close()
    seen.append(book.version())
    assert len(set(seen)) == 3


def test_a_clock_that_was_set_back_makes_nobody_wait(book: JobBook, clock: Clock) -> None:
    clock.now = NOW + 10 * 365 * 86400
    job = book.create(new(schedule="daily at 9"))
    once = book.create(new(schedule="in 5 minutes"))
    clock.now = NOW
    assert book.realign(NOW) == 1
    found = book.get(job.id)
    assert found.next_run_at is not None and found.next_run_at < NOW + 86400
    assert book.get(once.id).next_run_at == once.next_run_at


def test_a_row_that_nobody_can_read_stops_no_other_job(book: JobBook, home: Path) -> None:
    from hermes_agent.store.sqlite.connection import connect

    job = book.create(new())
    database = connect(home / "state.db")
    with database.write() as db:
        db.execute("INSERT INTO jobs VALUES ('bad', 0, 0, '{\"id\": 5}')")
    database.close()
    assert [each.id for each in book.due(NOW + 1800)] == [job.id]


def test_nobody_makes_jobs_without_end(book: JobBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hermes_agent.ledger.jobs.sqlite.book.MAX_JOBS", 3)
    for _ in range(3):
        book.create(new())
    with pytest.raises(UsageError, match="3 jobs already"):
        book.create(new())
