"""Schedules as people write them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.domain.errors import UsageError
from hermes_agent.ledger.jobs.calendar import next_after
from hermes_agent.ledger.jobs.phrases import schedule_of

BERLIN = ZoneInfo("Europe/Berlin")
# A Wednesday.
NOW = datetime(2026, 3, 4, 10, 15, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("30 9 * * 1-5", "30 9 * * 1-5"),
        ("0 9 * * MON", "0 9 * * MON"),
        ("@daily", "0 0 * * *"),
        ("hourly", "0 * * * *"),
        ("daily at 7", "0 7 * * *"),
        ("every day at 9 and 18", "0 9,18 * * *"),
        ("Every weekday at 9", "0 9 * * 1-5"),
        ("weekdays at 9:30 am", "30 9 * * 1-5"),
        ("every monday and friday at 18:30", "30 18 * * 1,5"),
        ("every mon, wed, fri at 6 pm", "0 18 * * 1,3,5"),
        ("mon-fri at 8", "0 8 * * 1,2,3,4,5"),
        ("every friday to monday at 8", "0 8 * * 5,6,0,1"),
        ("weekends at noon", "0 12 * * 6,0"),
        ("every morning", "0 8 * * *"),
        ("every weekday morning at 7", "0 7 * * 1-5"),
        ("first of the month at 8", "0 8 1 * *"),
        ("1st of every month at 8", "0 8 1 * *"),
        ("on the 15th of each month", "0 9 15 * *"),
        ("last day of the month at 23:59", "59 23 L * *"),
        ("last friday of the month at 17", "0 17 * * 5L"),
        ("first monday of every month at 9", "0 9 * * 1#1"),
        ("every 24 december at midnight", "0 0 24 12 *"),
    ],
)
def test_what_recurs_becomes_a_cron_expression(text: str, expr: str) -> None:
    assert schedule_of(text, NOW, BERLIN).expr == expr


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30m", 30),
        ("every 30 minutes", 30),
        ("2h", 120),
        ("every 1h30m", 90),
        ("every 1 hour and 5 minutes", 65),
        ("every 2 days", 2880),
        ("every hour", 60),
    ],
)
def test_lengths_of_time_become_intervals(text: str, minutes: int) -> None:
    assert schedule_of(text, NOW, BERLIN).minutes == minutes


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("in 20 minutes", "2026-03-04T10:35:00+01:00"),
        ("in 1 day and 2h", "2026-03-05T12:15:00+01:00"),
        ("tomorrow at 9", "2026-03-05T09:00:00+01:00"),
        ("today at 18:30", "2026-03-04T18:30:00+01:00"),
        ("at 9", "2026-03-05T09:00:00+01:00"),
        ("at 11", "2026-03-04T11:00:00+01:00"),
        ("next wednesday at 9", "2026-03-11T09:00:00+01:00"),
        ("on friday at 8pm", "2026-03-06T20:00:00+01:00"),
        ("2027-01-31 09:00", "2027-01-31T09:00:00+01:00"),
        ("2027-01-31", "2027-01-31T09:00:00+01:00"),
        ("2027-01-31 at 9 pm", "2027-01-31T21:00:00+01:00"),
        ("2027-01-31T09:00:00Z", "2027-01-31T10:00:00+01:00"),
        ("2027-01-31T09:00:00+05:00", "2027-01-31T05:00:00+01:00"),
        # Clocks skip this time and show the next one twice.
        ("2026-03-29 02:30", "2026-03-29T03:00:00+02:00"),
        ("2026-10-25 02:30", "2026-10-25T02:30:00+02:00"),
    ],
)
def test_points_in_time_are_due_once(text: str, when: str) -> None:
    schedule = schedule_of(text, NOW, BERLIN)
    assert schedule.kind == "once"
    assert schedule.run_at == datetime.fromisoformat(when).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        *("", "every", "foo", "every 0 minutes", "at 25", "at 9:75", "13 pm", "2027-13-01"),
        *("every monday at 9 and 18:30", "99 * * * *", "* * * *", "0 0 30 2 *", "1 2 3 4 5 6"),
        *("every blursday", "32nd of the month", "0th of the month", "every 31 february"),
        *(
            "today at 9",
            "2020-01-01",
            "in 0 minutes",
            "in 999999 weeks",
            "every other day",
            "30 seconds",
            "every 5",
        ),
        *("x" * 1000, "every 999999 weeks", "0 9 * * 1; rm -rf /", "tomorrow at 9 and 10"),
    ],
)
def test_what_means_nothing_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        schedule_of(text, NOW, BERLIN)
    assert refusal.value.hint


@given(st.text(max_size=60) | st.from_regex(r"(every|in|at|on|[0-9*/ ,:-]|mon|day|month){1,8}"))
def test_any_text_is_a_schedule_that_comes_or_a_refusal(text: str) -> None:
    try:
        schedule = schedule_of(text, NOW, BERLIN)
    except UsageError:
        return
    assert (next_after(schedule, NOW, BERLIN, NOW) or 0) > NOW
