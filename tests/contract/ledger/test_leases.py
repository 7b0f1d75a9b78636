"""Who holds a message, for how long, and what a clock that jumps does to it."""

from collections.abc import Callable

import pytest

from hermes_agent.ledger.port import Claim, LeaseLost, Ledger
from tests.contract.ledger.making import LEASE, NOW, Clock, inbound, outgoing

DAY = 86400.0


@pytest.fixture
def other(connect: Callable[[], Ledger], ledger: Ledger) -> Ledger:
    """Another process's connection."""
    return connect()


def claimed(ledger: Ledger, worker: str) -> Claim:
    claim = ledger.claim(worker, LEASE)
    assert claim is not None
    return claim


def test_a_message_is_held_until_its_lease_ends(
    ledger: Ledger, other: Ledger, clock: Clock
) -> None:
    ledger.accept(inbound(), "s")
    claimed(ledger, "one")
    clock.now += LEASE - 1
    assert other.claim("two", LEASE) is None
    clock.now += 2
    assert claimed(other, "two").attempt == 2


def test_a_renewed_lease_holds_on(ledger: Ledger, other: Ledger, clock: Clock) -> None:
    for number in "12":
        ledger.accept(inbound(number), f"s{number}")
    mine = [claimed(ledger, "one"), claimed(ledger, "one")]
    for _ in range(5):
        clock.now += LEASE - 1
        assert sorted(ledger.renew("one", LEASE)) == [claim.id for claim in mine]
        assert other.claim("two", LEASE) is None
    for claim in mine:
        ledger.settle(claim, "one")
    assert ledger.renew("one", LEASE) == ()


def test_renewing_holds_no_message_of_another_worker(
    ledger: Ledger, other: Ledger, clock: Clock
) -> None:
    ledger.accept(inbound(), "s")
    claimed(ledger, "one")
    assert other.renew("two", 10 * LEASE) == ()
    clock.now += LEASE + 1
    assert claimed(other, "two").attempt == 2


def test_whoever_lost_a_lease_cannot_answer(ledger: Ledger, other: Ledger, clock: Clock) -> None:
    ledger.accept(inbound("1"), "s")
    steering = ledger.accept(inbound("2"), "s")
    lost = claimed(ledger, "one")
    clock.now += LEASE + 1
    held = claimed(other, "two")
    assert held.turn == lost.turn
    with pytest.raises(LeaseLost):
        ledger.settle(lost, "one", [outgoing(lost.turn, text="late")])
    with pytest.raises(LeaseLost):
        ledger.release(lost, "one", attempts=1)
    with pytest.raises(LeaseLost):
        ledger.absorb(steering.id, "one", lost)
    assert ledger.renew("one", LEASE) == ()
    other.settle(held, "two", [outgoing(held.turn, text="in time")])
    assert [row.outgoing.post.text for row in other.outbox()] == ["in time"]


def test_a_lease_that_ran_out_and_was_taken_by_nobody_may_still_settle(
    ledger: Ledger, clock: Clock
) -> None:
    ledger.accept(inbound(), "s")
    claim = claimed(ledger, "one")
    clock.now += 10 * LEASE
    ledger.settle(claim, "one", [outgoing(claim.turn)])
    assert ledger.counts().inbox == {"done": 1}


def test_a_worker_is_not_given_what_it_has_in_hand(ledger: Ledger, clock: Clock) -> None:
    ledger.accept(inbound(), "s")
    claim = claimed(ledger, "one")
    clock.now += DAY
    assert ledger.claim("one", LEASE) is None
    ledger.settle(claim, "one")


def test_a_clock_that_jumps_forwards_makes_no_second_answer(
    ledger: Ledger, other: Ledger, clock: Clock
) -> None:
    ledger.accept(inbound(), "s")
    lost = claimed(ledger, "one")
    clock.now += 365 * DAY
    held = claimed(other, "two")
    other.settle(held, "two", [outgoing(held.turn, text="two")])
    clock.now = NOW
    with pytest.raises(LeaseLost):
        ledger.settle(lost, "one", [outgoing(lost.turn, text="one")])
    assert [row.outgoing.post.text for row in ledger.outbox()] == ["two"]


def test_a_clock_that_jumps_backwards_takes_nothing_from_its_holder(
    ledger: Ledger, other: Ledger, clock: Clock
) -> None:
    ledger.accept(inbound(), "s")
    claim = claimed(ledger, "one")
    clock.now -= 365 * DAY
    assert other.claim("two", LEASE) is None
    ledger.renew("one", LEASE)
    clock.now += LEASE - 1
    assert other.claim("two", LEASE) is None
    ledger.settle(claim, "one")


def test_a_renewed_lease_ends_in_time_though_the_clock_was_turned_back(
    ledger: Ledger, other: Ledger, clock: Clock
) -> None:
    ledger.accept(inbound(), "s")
    claimed(ledger, "one")
    clock.now -= 365 * DAY
    ledger.renew("one", LEASE)
    clock.now += LEASE + 1
    assert claimed(other, "two").attempt == 2


def test_nothing_waits_for_a_day_because_the_clock_was_turned_back(
    ledger: Ledger, clock: Clock
) -> None:
    ledger.accept(inbound("1"), "s")
    ledger.release(claimed(ledger, "one"), "one", delay=5)
    ledger.post([outgoing("notice")])
    dispatch = ledger.next(["telegram"], clock.now)
    assert dispatch is not None
    ledger.unsent(dispatch, error="down", retry_at=clock.now + 5)
    clock.now -= DAY
    due = ledger.due()
    assert due is not None and due <= clock.now
    assert claimed(ledger, "one").attempt == 2
    assert ledger.next(["telegram"], clock.now) is not None


def test_a_clock_set_right_by_a_second_does_not_cut_a_delay(ledger: Ledger, clock: Clock) -> None:
    ledger.accept(inbound("1"), "s")
    ledger.release(claimed(ledger, "one"), "one", delay=5)
    clock.now -= 1
    assert ledger.claim("one", LEASE) is None
    assert ledger.due() == NOW + 5


def test_a_start_takes_back_what_an_earlier_life_held(ledger: Ledger, other: Ledger) -> None:
    for number in "123":
        ledger.accept(inbound(number), f"s{number}")
    lost = [claimed(ledger, "one"), claimed(ledger, "one")]
    kept = claimed(other, "two")
    assert other.reclaim("one") == 2
    assert other.reclaim("one") == 0
    assert [claimed(other, "one").turn for _ in lost] == [claim.turn for claim in lost]
    other.settle(kept, "two")
    with pytest.raises(LeaseLost):
        ledger.settle(lost[0], "one")


def test_reclaimed_messages_come_before_newer_ones_of_their_session(ledger: Ledger) -> None:
    ledger.accept(inbound("1"), "s")
    claimed(ledger, "one")
    ledger.accept(inbound("2"), "s")
    ledger.reclaim("one")
    assert claimed(ledger, "one").inbound.key == "1"
    assert ledger.claim("one", LEASE) is None
