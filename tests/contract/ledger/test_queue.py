"""What people see of the boxes and do with them, pruning, and small facts."""

from collections.abc import Callable

import pytest

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.ledger.port import Ledger
from tests.contract.ledger.making import LEASE, NOW, Clock, inbound, outgoing


def dead_inbound(ledger: Ledger, key: str = "dead") -> int:
    accepted = ledger.accept(inbound(key), f"session of {key}")
    claim = ledger.claim("w", LEASE)
    assert claim is not None and claim.id == accepted.id
    assert ledger.release(claim, "w", error="no", attempts=1)
    return accepted.id


def dead_outgoing(ledger: Ledger) -> int:
    ledger.post([outgoing("dead")])
    dispatch = ledger.next(["telegram"], NOW)
    assert dispatch is not None
    ledger.unsent(dispatch, error="no", retry_at=None)
    return dispatch.id


def test_rows_are_listed_newest_first_by_state_and_up_to_a_limit(ledger: Ledger) -> None:
    dead_inbound(ledger, "1")
    for number in "234":
        ledger.accept(inbound(number), "s")
    assert [row.inbound.key for row in ledger.inbox()] == ["4", "3", "2", "1"]
    assert [row.inbound.key for row in ledger.inbox("dead")] == ["1"]
    assert [row.inbound.key for row in ledger.inbox("waiting", "dead", limit=2)] == ["4", "3"]
    ledger.post([outgoing("a"), outgoing("b")])
    assert [row.outgoing.turn for row in ledger.outbox(limit=1)] == ["b"]
    assert ledger.outbox("sent", "dead", "open", "sending") == ()


def test_a_dead_message_is_tried_again_from_the_first_attempt(ledger: Ledger) -> None:
    row = dead_inbound(ledger)
    ledger.retry("in", row)
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    assert (claim.id, claim.attempt) == (row, 1)


def test_a_dead_send_is_tried_again_from_the_first_attempt(ledger: Ledger) -> None:
    row = dead_outgoing(ledger)
    ledger.retry("out", row)
    dispatch = ledger.next(["telegram"], NOW)
    assert dispatch is not None
    assert (dispatch.id, dispatch.attempt) == (row, 1)


def test_a_retried_message_keeps_its_place_in_its_session(ledger: Ledger) -> None:
    row = dead_inbound(ledger, "1")
    ledger.accept(inbound("2"), "session of 1")
    ledger.retry("in", row)
    claim = ledger.claim("w", LEASE)
    assert claim is not None and claim.inbound.key == "1"


def test_only_the_dead_are_tried_again(ledger: Ledger) -> None:
    waiting = ledger.accept(inbound(), "s").id
    ledger.post([outgoing()])
    for box, row in (("in", waiting), ("in", 999), ("out", ledger.outbox()[0].id), ("out", 999)):
        with pytest.raises(NotFoundError, match=f"{box}:{row}"):
            ledger.retry(box, row)  # pyright: ignore[reportArgumentType]  in or out


def test_dead_and_waiting_rows_can_be_dropped(ledger: Ledger) -> None:
    ledger.drop("in", dead_inbound(ledger))
    ledger.drop("in", ledger.accept(inbound("2"), "s").id)
    ledger.drop("out", dead_outgoing(ledger))
    ledger.post([outgoing()])
    ledger.drop("out", ledger.outbox()[0].id)
    assert (ledger.inbox(), ledger.outbox()) == ((), ())
    assert ledger.claim("w", LEASE) is None
    assert ledger.next(["telegram"], NOW) is None


def test_what_is_in_work_or_done_is_not_dropped(ledger: Ledger) -> None:
    row = ledger.accept(inbound(), "s").id
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    with pytest.raises(NotFoundError):
        ledger.drop("in", row)
    ledger.settle(claim, "w", [outgoing(claim.turn)])
    with pytest.raises(NotFoundError):
        ledger.drop("in", row)
    dispatch = ledger.next(["telegram"], NOW)
    assert dispatch is not None
    with pytest.raises(NotFoundError):
        ledger.drop("out", dispatch.id)
    ledger.sent(dispatch, "1")
    with pytest.raises(NotFoundError):
        ledger.drop("out", dispatch.id)
    with pytest.raises(NotFoundError):
        ledger.drop("out", 999)


def test_a_row_that_is_dropped_lets_those_behind_it_go(ledger: Ledger) -> None:
    first = ledger.accept(inbound("1"), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.release(claim, "w", delay=1000)
    ledger.accept(inbound("2"), "s")
    ledger.drop("in", first.id)
    behind = ledger.claim("w", LEASE)
    assert behind is not None and behind.inbound.key == "2"


def test_rows_are_counted_by_state(ledger: Ledger, clock: Clock) -> None:
    empty = ledger.counts()
    assert (empty.inbox, empty.outbox, empty.oldest_waiting, empty.doubtful) == ({}, {}, None, 0)
    dead_inbound(ledger)
    clock.now += 5
    ledger.accept(inbound("2"), "s")
    clock.now += 5
    ledger.accept(inbound("3"), "s")
    ledger.post([outgoing("a"), outgoing("b")])
    ledger.next(["telegram"], NOW)
    counts = ledger.counts()
    assert counts.inbox == {"dead": 1, "waiting": 2}
    assert counts.outbox == {"sending": 1, "waiting": 1}
    assert counts.oldest_waiting == NOW + 5


def test_pruning_forgets_what_was_done_and_sent_before(ledger: Ledger, clock: Clock) -> None:
    for number in "12":
        ledger.accept(inbound(number), "s")
        claim = ledger.claim("w", LEASE)
        assert claim is not None
        ledger.settle(claim, "w", [outgoing(claim.turn)])
        dispatch = ledger.next(["telegram"], clock.now)
        assert dispatch is not None
        ledger.sent(dispatch, number)
        clock.now += 100
    assert ledger.prune(NOW) == 0
    assert ledger.prune(NOW + 50) == 2
    assert [row.inbound.key for row in ledger.inbox()] == ["2"]
    assert len(ledger.outbox()) == 1
    assert ledger.accept(inbound("1"), "s").fresh
    assert not ledger.accept(inbound("2"), "s").fresh


def test_pruning_leaves_what_is_not_finished(ledger: Ledger, clock: Clock) -> None:
    dead_inbound(ledger)
    dead_outgoing(ledger)
    ledger.post([outgoing("a"), outgoing("b", chat="c2")])
    ledger.next(["telegram"], NOW)
    ledger.open(outgoing("streamed", chat="c3"))
    for number in "12":
        ledger.accept(inbound(number), "s")
    ledger.claim("w", LEASE)
    before = ledger.counts()
    clock.now += 1e9
    assert ledger.prune(clock.now) == 0
    assert ledger.counts() == before


def test_ids_are_not_used_again(ledger: Ledger) -> None:
    first = ledger.accept(inbound("1"), "s")
    ledger.drop("in", first.id)
    assert ledger.accept(inbound("2"), "s").id > first.id


def test_facts_are_kept_and_replaced(ledger: Ledger, connect: Callable[[], Ledger]) -> None:
    assert ledger.recall("telegram.offset") is None
    ledger.remember("telegram.offset", "1")
    ledger.remember("telegram.offset", "2")
    ledger.remember("irc", "ü\ud800")
    other = connect()
    assert other.recall("telegram.offset") == "2"
    assert other.recall("irc") == "ü\ufffd"
    assert other.recall("tele") is None


def test_the_version_changes_when_another_process_has_written(
    ledger: Ledger, connect: Callable[[], Ledger]
) -> None:
    other = connect()
    before = ledger.version()
    assert ledger.version() == before
    other.accept(inbound(), "s")
    assert ledger.version() != before
    after = ledger.version()
    other.counts()
    assert ledger.version() == after


def test_the_next_due_time_is_the_earliest_of_both_boxes(ledger: Ledger) -> None:
    ledger.post([outgoing("a")], not_before=NOW + 50)
    assert ledger.due() == NOW + 50
    ledger.accept(inbound(), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.release(claim, "w", delay=20)
    assert ledger.due() == NOW + 20
    ledger.post([outgoing("b")])
    assert ledger.due() == NOW + 20
