"""Accepting, claiming and settling."""

from collections.abc import Callable

import pytest

from hermes_agent.domain.chats import Attachment, Inbound, Origin
from hermes_agent.ledger.port import LeaseLost, Ledger
from tests.contract.ledger.making import LEASE, NOW, Clock, inbound, outgoing


def test_a_message_comes_out_as_it_went_in(ledger: Ledger) -> None:
    message = Inbound(
        key="u:1",
        origin=Origin(
            platform="matrix",
            chat_id="!room:server",
            chat_type="group",
            user_id="@me:server",
            thread_id="$thread",
            user_name="Ünï <b>",
            chat_name="日本語",
        ),
        text="emoji 🙂, quote \" and '; DROP TABLE inbox; --",
        attachments=(Attachment(kind="image", path="/media/a b.png", media_type="image/png"),),
        message_id="$m",
        quoted="earlier",
        press="approve:1",
        addressed=False,
        received_at=NOW - 0.25,
        extra={"job": "abc"},
    )
    accepted = ledger.accept(message, "matrix:!room:server")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    assert claim.inbound == message
    assert (claim.id, claim.turn) == (accepted.id, accepted.turn)
    assert claim.session_key == "matrix:!room:server"
    assert claim.accepted_at == NOW
    assert claim.attempt == 1


def test_text_that_no_database_can_hold_is_made_to_fit(ledger: Ledger) -> None:
    ledger.accept(inbound("k\ud800\0", "half \ud83d a pair"), "s\ud800")
    assert not ledger.accept(inbound("k\ud800\0", "again"), "s\ud800").fresh
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    assert claim.inbound.text == "half \ufffd a pair"
    ledger.settle(claim, "w", [outgoing(claim.turn, text="half \ud83d answer")])
    dispatch = ledger.next(["telegram"], NOW)
    assert dispatch is not None
    assert dispatch.outgoing.post.text == "half \ufffd answer"
    ledger.sent(dispatch, "9")
    assert ledger.counts().outbox == {"sent": 1}


def test_a_very_long_message_is_taken(ledger: Ledger) -> None:
    ledger.accept(inbound(text="x" * 5_000_000), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None and len(claim.inbound.text) == 5_000_000


def test_the_same_key_is_the_same_message(ledger: Ledger) -> None:
    first = ledger.accept(inbound("1", "first"), "s")
    again = ledger.accept(inbound("1", "second"), "other")
    assert (first.fresh, again.fresh) == (True, False)
    assert (again.id, again.turn) == (first.id, first.turn)
    (row,) = ledger.inbox()
    assert (row.inbound.text, row.session_key) == ("first", "s")


@pytest.mark.parametrize("end", ["working", "done", "dead"])
def test_a_key_is_known_whatever_became_of_its_message(ledger: Ledger, end: str) -> None:
    first = ledger.accept(inbound("1"), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    if end == "done":
        ledger.settle(claim, "w")
    if end == "dead":
        ledger.release(claim, "w", attempts=1)
    again = ledger.accept(inbound("1"), "s")
    assert (again.id, again.fresh, again.turn) == (first.id, False, first.turn)
    assert [row.state for row in ledger.inbox()] == [end]


def test_two_platforms_may_use_the_same_key(ledger: Ledger) -> None:
    assert ledger.accept(inbound("1", platform="telegram"), "a").fresh
    assert ledger.accept(inbound("1", platform="discord"), "b").fresh


def test_there_is_nothing_to_claim_in_an_empty_ledger(ledger: Ledger) -> None:
    assert ledger.claim("w", LEASE) is None
    assert ledger.waiting("s") == ()
    assert ledger.renew("w", LEASE) == ()
    assert ledger.reclaim("w") == 0


def test_the_oldest_message_is_claimed_first(ledger: Ledger) -> None:
    for number in "123":
        ledger.accept(inbound(number), f"session {number}")
    claims = [ledger.claim("w", LEASE) for _ in range(4)]
    assert [claim and claim.inbound.key for claim in claims] == ["1", "2", "3", None]


def test_a_session_has_one_message_in_work_at_a_time(ledger: Ledger) -> None:
    ledger.accept(inbound("1"), "s")
    ledger.accept(inbound("2"), "s")
    ledger.accept(inbound("3"), "other")
    first, other = ledger.claim("w", LEASE), ledger.claim("v", LEASE)
    assert first is not None and first.inbound.key == "1"
    assert other is not None and other.inbound.key == "3"
    assert ledger.claim("w", LEASE) is None
    ledger.settle(first, "w")
    second = ledger.claim("w", LEASE)
    assert second is not None and second.inbound.key == "2"


def test_messages_of_a_session_keep_their_order_though_the_first_is_delayed(
    ledger: Ledger, clock: Clock
) -> None:
    ledger.accept(inbound("1"), "s")
    ledger.accept(inbound("2"), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    assert not ledger.release(claim, "w", error="no model", delay=10)
    assert ledger.due() == NOW + 10
    assert ledger.claim("w", LEASE) is None
    clock.now += 10
    again = ledger.claim("w", LEASE)
    assert again is not None
    assert (again.inbound.key, again.attempt, again.turn) == ("1", 2, claim.turn)


def test_what_is_given_back_without_a_delay_can_be_claimed_at_once(ledger: Ledger) -> None:
    ledger.accept(inbound(), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.release(claim, "w", error="no model")
    (row,) = ledger.inbox("waiting")
    assert (row.error, row.attempts) == ("no model", 1)
    assert ledger.due() is None
    assert ledger.claim("w", LEASE) is not None


def test_the_last_attempt_ends_among_the_dead_and_those_behind_go_on(ledger: Ledger) -> None:
    ledger.accept(inbound("1"), "s")
    ledger.accept(inbound("2"), "s")
    dead: list[bool] = []
    for _ in range(3):
        claim = ledger.claim("w", LEASE)
        assert claim is not None and claim.inbound.key == "1"
        dead.append(ledger.release(claim, "w", error="no model", attempts=3))
    assert dead == [False, False, True]
    (row,) = ledger.inbox("dead")
    assert (row.inbound.key, row.attempts, row.error) == ("1", 3, "no model")
    behind = ledger.claim("w", LEASE)
    assert behind is not None and behind.inbound.key == "2"


def test_settling_puts_the_answer_into_the_outbox(ledger: Ledger) -> None:
    ledger.accept(inbound(), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    parts = [outgoing(claim.turn, part, f"part {part}") for part in range(3)]
    ledger.settle(claim, "w", parts)
    assert [row.state for row in ledger.inbox()] == ["done"]
    assert [row.outgoing for row in reversed(ledger.outbox("waiting"))] == parts
    assert ledger.claim("w", LEASE) is None


def test_a_message_may_be_settled_without_an_answer(ledger: Ledger) -> None:
    ledger.accept(inbound(), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.settle(claim, "w")
    assert ledger.counts().outbox == {}
    assert ledger.counts().inbox == {"done": 1}


def test_nothing_is_settled_twice(ledger: Ledger) -> None:
    ledger.accept(inbound(), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.settle(claim, "w", [outgoing(claim.turn, text="one")])
    with pytest.raises(LeaseLost):
        ledger.settle(claim, "w", [outgoing(claim.turn, text="two")])
    with pytest.raises(LeaseLost):
        ledger.release(claim, "w")
    assert [row.outgoing.post.text for row in ledger.outbox()] == ["one"]


def test_nobody_settles_for_another(ledger: Ledger) -> None:
    ledger.accept(inbound(), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    with pytest.raises(LeaseLost):
        ledger.settle(claim, "thief", [outgoing(claim.turn)])
    with pytest.raises(LeaseLost):
        ledger.release(claim, "thief")
    assert ledger.outbox() == ()
    ledger.settle(claim, "w", [outgoing(claim.turn)])


def test_what_waits_in_a_session_is_listed_oldest_first(ledger: Ledger) -> None:
    for number in "123":
        ledger.accept(inbound(number), "s")
    ledger.accept(inbound("4"), "other")
    ledger.claim("w", LEASE)
    assert [row.inbound.key for row in ledger.waiting("s")] == ["2", "3"]
    assert all(row.state == "waiting" for row in ledger.waiting("s"))


def test_an_absorbed_message_gets_no_answer_of_its_own(ledger: Ledger) -> None:
    ledger.accept(inbound("1"), "s")
    steering = ledger.accept(inbound("2"), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.absorb(steering.id, "w", claim)
    assert ledger.waiting("s") == ()
    ledger.settle(claim, "w")
    assert ledger.claim("w", LEASE) is None
    assert ledger.counts().inbox == {"done": 2}


def test_only_the_holder_of_a_turn_may_absorb_into_it(ledger: Ledger) -> None:
    ledger.accept(inbound("1"), "s")
    steering = ledger.accept(inbound("2"), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    with pytest.raises(LeaseLost):
        ledger.absorb(steering.id, "thief", claim)
    ledger.settle(claim, "w")
    with pytest.raises(LeaseLost):
        ledger.absorb(steering.id, "w", claim)
    assert [row.id for row in ledger.waiting("s")] == [steering.id]


def test_what_does_not_wait_is_not_absorbed(ledger: Ledger) -> None:
    ledger.accept(inbound("1"), "s")
    other = ledger.accept(inbound("2"), "other")
    claim, held = ledger.claim("w", LEASE), ledger.claim("w", LEASE)
    assert claim is not None and held is not None
    ledger.absorb(other.id, "w", claim)
    ledger.absorb(12345, "w", claim)
    ledger.settle(held, "w", [outgoing(held.turn)])
    assert [row.outgoing.turn for row in ledger.outbox()] == [held.turn]


def test_turns_are_named_differently_in_every_ledger(
    ledger: Ledger, connect: Callable[[], Ledger], clock: Clock
) -> None:
    first = ledger.accept(inbound("1"), "s")
    second = ledger.accept(inbound("2"), "s")
    assert first.turn != second.turn
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.settle(claim, "w")
    clock.now += 30 * 86400
    ledger.prune(clock.now)
    anew = connect().accept(inbound("1"), "s")
    assert anew.fresh and anew.turn not in (first.turn, second.turn)


def test_what_was_stored_is_there_after_a_new_start(
    ledger: Ledger, connect: Callable[[], Ledger]
) -> None:
    accepted = ledger.accept(inbound("1", "kept"), "s")
    ledger.post([outgoing("notice")])
    ledger.remember("offset", "5")
    ledger.close()
    later = connect()
    claim = later.claim("w", LEASE)
    assert claim is not None
    assert (claim.id, claim.turn, claim.inbound.text) == (accepted.id, accepted.turn, "kept")
    assert later.next(["telegram"], NOW) is not None
    assert later.recall("offset") == "5"
