"""Due jobs become inbound messages, once each, in a real ledger."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.domain.jobs import Job, Missed, NewJob
from hermes_agent.ledger.jobs.opening import open_jobs
from hermes_agent.ledger.jobs.port import JobBook
from hermes_agent.ledger.opening import open_ledger
from hermes_agent.ledger.port import Ledger
from hermes_agent.scheduler.ticker import Ticker, run_key

NOW = 1_780_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class Clock:
    """The wall clock and the other one, which is never set."""

    def __init__(self) -> None:
        self.now = NOW
        self.running = 0.0

    def __call__(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.running

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.running += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(home: Path, clock: Clock) -> Iterator[JobBook]:
    book = open_jobs(home, "UTC", clock)
    yield book
    book.close()


@pytest.fixture
def ledger(home: Path, book: JobBook) -> Iterator[Ledger]:
    ledger = open_ledger(home)
    yield ledger
    ledger.close()


@pytest.fixture
def ticker(book: JobBook, ledger: Ledger, clock: Clock) -> Ticker:
    return Ticker(book, ledger, clock=clock, monotonic=clock.monotonic)


def make(
    book: JobBook, schedule: str, missed: Missed | None = None, times: int | None = None
) -> Job:
    new = NewJob(schedule=schedule, prompt="Look", missed=missed, repeat_times=times)
    return book.create(new)


def dues(ledger: Ledger) -> list[float]:
    """When the accepted runs were due, in seconds from the start."""
    return sorted(float(row.inbound.extra["due"]) - NOW for row in ledger.inbox())


def test_a_due_job_is_handed_on_once_and_waits_for_its_next_time(
    book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    job = make(book, "every 30m")
    assert ticker.tick().accepted == 0
    clock.passes(30 * MINUTE)
    ticked = ticker.tick()
    assert (ticked.accepted, ticked.next_due) == (1, NOW + HOUR)
    assert ticker.tick().accepted == 0
    (row,) = ledger.inbox()
    assert row.session_key == f"agent:main:cron:dm:{job.id}"
    assert row.inbound.text == "Look"
    assert row.inbound.origin.platform == "cron"


def test_a_crash_between_accepting_and_advancing_runs_nothing_twice(
    book: JobBook, ledger: Ledger, clock: Clock
) -> None:
    job = make(book, "every 30m")
    clock.passes(30 * MINUTE)

    class Dies(Exception):
        pass

    class DyingBook:
        def __getattr__(self, name: str) -> object:
            return getattr(book, name)

        def advance(self, job: Job, *, now: float, runs: int) -> Job:
            raise Dies

    dying: JobBook = DyingBook()  # pyright: ignore[reportAssignmentType] - all else is the book's
    with pytest.raises(Dies):
        Ticker(dying, ledger, clock=clock, monotonic=clock.monotonic).tick()
    assert book.get(job.id).next_run_at == NOW + 30 * MINUTE
    Ticker(book, ledger, clock=clock, monotonic=clock.monotonic).tick()
    assert dues(ledger) == [30 * MINUTE]
    assert book.get(job.id).next_run_at == NOW + HOUR


def test_two_tickers_on_one_home_hand_a_run_on_once(
    home: Path, book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    make(book, "every 30m")
    other_book, other_ledger = open_jobs(home, "UTC", clock), open_ledger(home)
    other = Ticker(other_book, other_ledger, clock=clock, monotonic=clock.monotonic)
    clock.passes(30 * MINUTE)
    ticker.tick()
    other.tick()
    assert dues(ledger) == [30 * MINUTE]
    other_book.close()
    other_ledger.close()


@pytest.mark.parametrize(
    ("schedule", "late", "expected"),
    [
        # Half of thirty minutes is the grace of this one.
        ("every 30m", 14 * MINUTE, [30 * MINUTE]),
        ("every 30m", 16 * MINUTE, []),
        # At least two minutes, at most two hours.
        ("every 1m", 110.0, [MINUTE]),
        ("every 7d", 119 * MINUTE, [7 * DAY]),
        ("every 7d", 121 * MINUTE, []),
    ],
)
def test_by_default_a_run_within_its_grace_is_made_up_for_and_older_ones_are_not(
    book: JobBook,
    ledger: Ledger,
    ticker: Ticker,
    clock: Clock,
    schedule: str,
    late: float,
    expected: list[float],
) -> None:
    job = make(book, schedule)
    assert job.next_run_at is not None
    clock.passes(job.next_run_at - NOW + late)
    ticked = ticker.tick()
    assert dues(ledger) == expected
    assert ticked.skipped == 1 - len(expected)
    assert ticked.next_due is not None and ticked.next_due > clock.now


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("skip", []),
        ("once", [HOUR]),
        ("all", [HOUR, 2 * HOUR, 3 * HOUR]),
    ],
)
def test_the_policy_says_what_becomes_of_missed_runs(
    book: JobBook,
    ledger: Ledger,
    ticker: Ticker,
    clock: Clock,
    policy: Missed,
    expected: list[float],
) -> None:
    make(book, "every 1h", policy)
    clock.passes(3.5 * HOUR)
    assert ticker.tick().next_due == NOW + 4 * HOUR
    assert dues(ledger) == expected


def test_after_a_month_at_most_ten_missed_runs_are_made_up_for(
    book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    make(book, "every 1h", "all")
    clock.passes(30 * DAY)
    assert ticker.tick().accepted == 10
    assert dues(ledger)[-1] == 30 * DAY


def test_missed_runs_that_are_made_up_for_count_as_runs(
    book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    job = make(book, "every 1h", "all", times=2)
    clock.passes(5 * HOUR)
    ticker.tick()
    assert len(dues(ledger)) == 2
    assert book.get(job.id).state == "completed"


def test_a_one_shot_runs_late_within_two_minutes_and_is_reported_missed_after(
    book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    first = make(book, "in 5 minutes")
    second = make(book, "in 1 minute")
    third = make(book, "in 1 minute", "once")
    clock.passes(6.5 * MINUTE)
    ticker.tick()
    reasons = {row.inbound.extra["job"]: row.inbound.extra["reason"] for row in ledger.inbox()}
    assert reasons == {first.id: "due", second.id: "missed", third.id: "due"}
    assert {job.state for job in book.list()} == {"completed"}


def test_a_run_that_waits_stands_for_the_next_one_too(
    book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    make(book, "every 1m")
    for _ in range(5):
        clock.passes(MINUTE)
        ticker.tick()
    assert dues(ledger) == [MINUTE]
    assert ledger.claim("w", 60) is not None
    clock.passes(MINUTE)
    ticker.tick()
    assert len(dues(ledger)) == 2


def test_a_run_that_was_asked_for_comes_at_once_and_leaves_the_schedule_alone(
    book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    job = make(book, "every 1h")
    book.pause(job.id)
    book.run(job.id)
    assert ticker.tick().accepted == 1
    assert ticker.tick().accepted == 0
    (row,) = ledger.inbox()
    assert row.inbound.extra["reason"] == "asked"
    assert book.get(job.id).state == "paused"


def test_a_clock_set_forward_runs_once_and_back_makes_nobody_wait(
    book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    job = make(book, "every 1h", "once")
    ticker.tick()
    clock.now += 365 * DAY
    ticker.tick()
    assert len(dues(ledger)) == 1
    assert ledger.claim("w", 60) is not None
    clock.now = NOW + 10 * MINUTE
    ticker.tick()
    assert book.get(job.id).next_run_at == NOW + HOUR
    clock.passes(50 * MINUTE)
    ticker.tick()
    assert len(dues(ledger)) == 1, "this very instant was handed on before"
    clock.passes(HOUR)
    ticker.tick()
    assert dues(ledger) == [HOUR, 2 * HOUR]


def test_jobs_of_one_name_do_not_hold_each_other_up(
    book: JobBook, ledger: Ledger, ticker: Ticker, clock: Clock
) -> None:
    jobs = [make(book, "every 1m") for _ in range(3)]
    clock.passes(MINUTE)
    assert ticker.tick().accepted == 3
    assert len({run_key(job) for job in jobs}) == 3


async def test_the_loop_notices_a_job_that_another_process_makes(
    home: Path, ledger: Ledger
) -> None:
    mine, theirs = open_jobs(home, "UTC"), open_jobs(home, "UTC")
    woken = asyncio.Event()
    loop = asyncio.get_running_loop()
    ticker = Ticker(mine, ledger, accepted=woken.set)
    running = asyncio.create_task(ticker.run())
    job = await loop.run_in_executor(None, make, theirs, "every 1h")
    await loop.run_in_executor(None, theirs.run, job.id)
    await asyncio.wait_for(woken.wait(), 30)
    running.cancel()
    await asyncio.wait([running])
    assert [row.inbound.extra["job"] for row in ledger.inbox()] == [job.id]
    mine.close()
    theirs.close()
