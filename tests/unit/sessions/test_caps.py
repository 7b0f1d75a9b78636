"""Caps on spending: whose day it is, which cap is reached, and what is said then."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.domain.spending import Sum
from hermes_agent.sessions.caps import Caps, Span, day_of, dollars, month_of, reached, refusal

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def hours(since: float, until: float) -> float:
    return (until - since) / 3600


def test_a_day_is_one_of_the_persons_calendar() -> None:
    new_york = ZoneInfo("America/New_York")
    moment = datetime(2026, 3, 2, 2, tzinfo=UTC).timestamp()
    assert day_of(moment, BERLIN) == (at("2026-03-02"), at("2026-03-03"))
    assert day_of(moment, new_york) == (at("2026-03-01", new_york), at("2026-03-02", new_york))


@pytest.mark.parametrize(
    ("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)]
)
def test_a_day_on_which_clocks_change_is_shorter_or_longer(day: str, length: int) -> None:
    assert hours(*day_of(at(f"{day}T12:00"), BERLIN)) == length


def test_a_day_without_a_midnight_begins_where_the_one_before_ended() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")
    before = day_of(at("2018-11-03T12:00", sao_paulo), sao_paulo)
    after = day_of(at("2018-11-04T12:00", sao_paulo), sao_paulo)
    assert before.until == after.since
    assert hours(*after) == 23


@pytest.mark.parametrize(
    ("day", "following"),
    [("2026-01-31", "2026-02-01"), ("2028-02-29", "2028-03-01"), ("2026-12-31", "2027-01-01")],
)
def test_a_month_ends_with_its_last_day(day: str, following: str) -> None:
    span = month_of(at(f"{day}T23:59"), BERLIN)
    assert span == (at(f"{day[:8]}01"), at(following))
    assert month_of(at(following), BERLIN).since == span.until


@given(st.floats(0, 4_000_000_000), st.sampled_from(ZONES))
def test_days_and_months_leave_no_gap_and_hold_their_moment(moment: float, name: str) -> None:
    zone = ZoneInfo(name)
    day, month = day_of(moment, zone), month_of(moment, zone)
    assert month.since <= day.since <= moment < day.until <= month.until
    assert day_of(day.until, zone).since == day.until
    assert day_of(day.since - 1, zone).until == day.since


def test_a_clock_set_back_is_in_the_day_that_it_shows() -> None:
    now = at("2026-05-02T09:00")
    assert day_of(now - 86_400, BERLIN).until == day_of(now, BERLIN).since


def test_the_machines_own_zone_counts_where_none_is_named() -> None:
    now = at("2026-05-02T09:00")
    day = day_of(now, None)
    local = datetime.fromtimestamp(day.since).astimezone()
    assert (local.hour, local.minute) == (0, 0)
    assert timedelta(hours=22) < timedelta(seconds=day.until - day.since) < timedelta(hours=26)


def find(caps: Caps, *, in_money: bool = True, **spent: Sum) -> str | None:
    sums: dict[Span, Sum] = {"turn": Sum(), "session": Sum(), "day": Sum(), "month": Sum()}
    sums.update({span: spent[span] for span in sums if span in spent})
    found = reached(caps, sums, {}, in_money=in_money)
    return found and found.key


def test_a_cap_is_reached_when_all_of_it_is_spent() -> None:
    caps = Caps(day_usd=1.0, turn_tokens=100)
    assert find(caps, day=Sum(usd=0.9999)) is None
    assert find(caps, day=Sum(usd=1.0)) == "budget.day_usd"
    assert find(caps, in_money=False, turn=Sum(tokens=99)) is None
    assert find(caps, in_money=False, turn=Sum(tokens=100)) == "budget.turn_tokens"


def test_no_cap_is_never_reached() -> None:
    assert find(Caps(), day=Sum(usd=1e9)) is None
    assert not Caps().in_money


def test_of_several_the_one_that_lasts_longest_is_named() -> None:
    spent = Sum(usd=5.0)
    caps = Caps(turn_usd=1, day_usd=1, month_usd=5)
    assert find(caps, turn=spent, day=spent, month=spent) == "budget.month_usd"
    assert find(Caps(turn_usd=1, month_usd=6), turn=spent, month=spent) == "budget.turn_usd"


def test_the_refusal_says_which_cap_how_much_and_when_it_opens() -> None:
    span: dict[Span, Sum] = {"day": Sum(usd=1.0234)}
    found = reached(Caps(day_usd=1.0), span, {"day": at("2026-05-03")}, in_money=True)
    assert found is not None
    error = refusal(found, BERLIN, "hermes config set {key} AMOUNT")
    assert error.message == (
        "The cap for this day is reached: $1.02 of $1.00 is spent (budget.day_usd)."
    )
    assert error.hint == (
        "It opens again on 2026-05-03 at 00:00, or raise it: "
        "hermes config set budget.day_usd AMOUNT"
    )
    assert error.cap == "budget.day_usd"


@pytest.mark.parametrize(("span", "way"), [("turn", "new turn"), ("session", "new session")])
def test_where_waiting_does_not_help_the_refusal_says_what_does(span: Span, way: str) -> None:
    caps = Caps(turn_tokens=1000, session_tokens=1000)
    found = reached(caps, {span: Sum(tokens=1200)}, {}, in_money=False)
    assert found is not None
    error = refusal(found, None, "change {key}")
    assert "1,200 tokens of 1,000 tokens" in error.message
    assert way in (error.hint or "")


def test_amounts_have_cents_and_more_digits_where_they_are_small() -> None:
    assert [dollars(value) for value in (0, 0.0312, 0.05, 0.5, 1234.5)] == [
        "$0.00",
        "$0.0312",
        "$0.05",
        "$0.50",
        "$1,234.50",
    ]
