"""When a schedule is due, also on the days when clocks are changed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.domain.jobs import Schedule
from hermes_agent.ledger.jobs.calendar import MAX_MISSED, missed, next_after
from hermes_agent.ledger.jobs.zones import zone

BERLIN = ZoneInfo("Europe/Berlin")


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def cron(expr: str) -> Schedule:
    return Schedule(kind="cron", expr=expr)


def run(schedule: Schedule, start: str, count: int) -> list[str]:
    found: list[str] = []
    at = moment(start)
    for _ in range(count):
        following = next_after(schedule, at, BERLIN, at)
        assert following is not None and following > at
        at = following
        found.append(datetime.fromtimestamp(at, BERLIN).isoformat())
    return found


def test_a_time_that_clocks_skip_is_due_at_the_next_they_show() -> None:
    assert run(cron("30 2 * * *"), "2026-03-28 12:00", 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_clocks_show_twice_is_due_once() -> None:
    assert run(cron("30 2 * * *"), "2026-10-24 12:00", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_between_the_two_a_job_is_not_due_again() -> None:
    between = datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1).timestamp()
    following = next_after(cron("30 2 * * *"), between, BERLIN, 0)
    assert following is not None
    assert datetime.fromtimestamp(following, BERLIN).isoformat() == "2026-10-26T02:30:00+01:00"


def test_what_is_due_every_hour_follows_real_time() -> None:
    assert run(cron("0 * * * *"), "2026-10-25 01:30", 3) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_intervals_keep_their_beat_whenever_they_are_asked() -> None:
    schedule = Schedule(kind="interval", minutes=30)
    anchor = moment("2026-03-28 12:07")
    for late in (0.0, 1.0, 1799.0):
        assert next_after(schedule, anchor + 7200 + late, BERLIN, anchor) == anchor + 9000


def test_what_was_missed_is_bounded_and_the_latest() -> None:
    now = moment("2026-06-01 09:30")
    found = missed(cron("* * * * 1"), moment("2016-01-04 00:00"), now, BERLIN, 0)
    assert len(found) == MAX_MISSED
    assert found[-1] == now
    few = missed(cron("0 9 * * *"), moment("2026-05-30 09:00"), now, BERLIN, 0)
    assert few == tuple(moment(f"2026-{day} 09:00") for day in ("05-30", "05-31", "06-01"))


def test_a_missed_interval_counts_from_its_anchor() -> None:
    schedule = Schedule(kind="interval", minutes=60)
    found = missed(schedule, 3600.0, 4 * 3600.0 + 5, BERLIN, 0.0)
    assert found == (3600.0, 7200.0, 10800.0, 14400.0)


def test_an_expression_that_never_comes_is_never_due() -> None:
    assert next_after(cron("0 0 29 2 MON#5"), moment("2026-01-01 00:00"), BERLIN, 0) is not None
    assert next_after(Schedule(kind="once", run_at=5.0), 5.0, BERLIN, 0) is None


@given(
    expr=st.sampled_from(
        ["30 2 * * *", "0 2,3 * * *", "*/7 * * * *", "15 */5 * * *", "0 0 * * 0", "59 23 L * *"]
    ),
    name=st.sampled_from(
        ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "UTC",
         "America/Sao_Paulo", "Pacific/Apia"]
    ),
    after=st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)),
)  # fmt: skip
def test_the_next_instant_is_later_in_every_zone_on_every_day(
    expr: str, name: str, after: datetime
) -> None:
    where = zone(name)
    start = after.replace(tzinfo=where).timestamp()
    found = next_after(cron(expr), start, where, 0)
    assert found is not None
    assert start < found <= start + timedelta(days=33).total_seconds()
    late = missed(cron(expr), found, found + 90000, where, 0)
    assert late[0] >= found and list(late) == sorted(set(late))
