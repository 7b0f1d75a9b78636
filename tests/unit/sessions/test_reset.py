"""When a chat begins anew."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hermes_agent.config.schema.gateway import SessionReset
from hermes_agent.sessions.reset import due

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo | None = None) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone or UTC).timestamp()


def test_a_pause_as_long_as_configured_begins_anew():
    policy = SessionReset(mode="idle", idle_minutes=30)
    last = at("2026-11-22T12:00")
    assert due(policy, last=last, now=last + 29 * 60, zone=UTC) is None
    assert due(policy, last=last, now=last + 30 * 60, zone=UTC) == "idle"


@pytest.mark.parametrize(
    ("last", "now", "reset"),
    [
        ("2026-11-22T03:59", "2026-11-22T04:00", "daily"),
        ("2026-11-22T04:00", "2026-11-22T23:59", None),
        ("2026-11-22T23:00", "2026-11-23T03:59", None),
        ("2026-11-22T23:00", "2026-11-23T04:01", "daily"),
    ],
)
def test_the_day_changes_at_the_configured_hour_of_the_zone(
    last: str, now: str, reset: str | None
) -> None:
    policy = SessionReset(mode="daily", at_hour=4)
    assert due(policy, last=at(last, BERLIN), now=at(now, BERLIN), zone=BERLIN) == reset


def test_either_is_enough_and_never_is_never():
    last, now = at("2026-11-22T03:00"), at("2026-11-22T05:00")
    assert due(SessionReset(mode="both"), last=last, now=now, zone=UTC) == "daily"
    assert due(SessionReset(mode="none"), last=0, now=now, zone=UTC) is None


def test_a_clock_that_went_back_resets_nothing():
    now = at("2026-11-22T05:00")
    assert due(SessionReset(), last=now + 3600, now=now, zone=UTC) is None


def test_the_hour_that_summer_time_skips_or_repeats_still_comes_once_a_day():
    policy = SessionReset(mode="daily", at_hour=2)
    for day in ("2026-03-29", "2026-10-25"):
        before, after = at(f"{day}T01:30", BERLIN), at(f"{day}T04:00", BERLIN)
        assert due(policy, last=before, now=after, zone=BERLIN) == "daily"
        assert due(policy, last=after, now=after + 3600, zone=BERLIN) is None
