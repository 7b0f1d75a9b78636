"""Messages that are out before they are finished."""

from collections.abc import Callable

import pytest

from hermes_agent.ledger.port import Claim, Dispatch, Ledger
from tests.contract.ledger.making import LEASE, NOW, inbound, outgoing


@pytest.fixture
def claim(ledger: Ledger) -> Claim:
    """A message in hand."""
    ledger.accept(inbound(), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    return claim


def begun(ledger: Ledger, claim: Claim, part: int = 0, text: str = "begun") -> Dispatch:
    dispatch = ledger.open(outgoing(claim.turn, part, text))
    assert dispatch is not None
    return dispatch


def test_a_streamed_message_is_edited_into_its_final_text(ledger: Ledger, claim: Claim) -> None:
    dispatch = begun(ledger, claim)
    assert (dispatch.message_id, dispatch.attempt, dispatch.doubtful) == (None, 1, False)
    assert dispatch.outgoing.post.text == "begun"
    ledger.opened(dispatch, "55")
    assert ledger.next(["telegram"], NOW) is None
    ledger.settle(claim, "w", [outgoing(claim.turn, 0, "whole"), outgoing(claim.turn, 1, "more")])
    edit = ledger.next(["telegram"], NOW)
    assert edit is not None
    assert (edit.outgoing.post.text, edit.message_id, edit.doubtful) == ("whole", "55", False)
    ledger.sent(edit, "55")
    rest = ledger.next(["telegram"], NOW)
    assert rest is not None
    assert (rest.outgoing.post.text, rest.message_id) == ("more", None)


def test_a_part_is_begun_once(ledger: Ledger, claim: Claim) -> None:
    begun(ledger, claim)
    assert ledger.open(outgoing(claim.turn, 0, "again")) is None
    assert ledger.open(outgoing(claim.turn, 1, "another")) is not None


def test_a_streamed_message_does_not_overtake_what_waits_for_the_same_place(
    ledger: Ledger, claim: Claim
) -> None:
    ledger.post([outgoing("before")])
    assert ledger.open(outgoing(claim.turn)) is None
    assert ledger.open(outgoing(claim.turn, 1, chat="elsewhere")) is not None
    older = ledger.next(["telegram"], NOW)
    assert older is not None
    assert ledger.open(outgoing(claim.turn)) is None, "it is being sent"
    ledger.sent(older, "1")
    begun(ledger, claim)


def test_what_a_turn_has_begun_is_known_after_a_crash(
    ledger: Ledger, claim: Claim, connect: Callable[[], Ledger]
) -> None:
    ledger.opened(begun(ledger, claim, 1, "later part"), "56")
    ledger.opened(begun(ledger, claim, 0, "first part"), "55")
    begun(ledger, claim, 2, "never confirmed")
    later = connect()
    later.reclaim("w")
    parts = later.opened_parts(claim.turn)
    assert [(row.outgoing.part, row.message_id) for row in parts] == [
        (0, "55"),
        (1, "56"),
        (2, None),
    ]
    assert parts[0].outgoing.post.text == "first part"
    assert later.opened_parts("other") == ()


def test_one_whose_id_was_lost_is_doubtful_when_it_is_settled(
    ledger: Ledger, claim: Claim, connect: Callable[[], Ledger]
) -> None:
    begun(ledger, claim)
    later = connect()
    later.reclaim("w")
    again = later.claim("w", LEASE)
    assert again is not None
    later.settle(again, "w", [outgoing(again.turn, 0, "whole"), outgoing(again.turn, 1, "new")])
    assert later.counts().doubtful == 1
    dispatch = later.next(["telegram"], NOW)
    assert dispatch is not None
    assert (dispatch.doubtful, dispatch.message_id) == (True, None)
    later.sent(dispatch, "55")
    other = later.next(["telegram"], NOW)
    assert other is not None and not other.doubtful


def test_open_rows_that_are_not_part_of_the_answer_are_closed_as_they_are(
    ledger: Ledger, claim: Claim
) -> None:
    ledger.opened(begun(ledger, claim, 0), "55")
    ledger.opened(begun(ledger, claim, 9, "progress"), "56")
    ledger.settle(claim, "w", [outgoing(claim.turn, 0, "whole")])
    progress, answer = ledger.outbox()
    assert (progress.state, progress.outgoing.post.text) == ("sent", "progress")
    assert progress.message_id == "56"
    assert answer.state == "waiting"


def test_rows_of_other_turns_stay_open(ledger: Ledger, claim: Claim) -> None:
    ledger.open(outgoing("other", chat="c2"))
    ledger.settle(claim, "w")
    assert [row.state for row in ledger.outbox()] == ["open"]


def test_one_that_was_refused_while_it_grew_is_sent_when_it_is_whole(
    ledger: Ledger, claim: Claim
) -> None:
    ledger.unsent(begun(ledger, claim), error="too fast", retry_at=None)
    ledger.settle(claim, "w", [outgoing(claim.turn, 0, "whole")])
    dispatch = ledger.next(["telegram"], NOW)
    assert dispatch is not None
    assert dispatch.outgoing.post.text == "whole"
    assert (dispatch.message_id, dispatch.doubtful) == (None, False)


def test_a_turn_that_is_given_up_leaves_nothing_open(ledger: Ledger, claim: Claim) -> None:
    ledger.opened(begun(ledger, claim), "55")
    assert not ledger.release(claim, "w", attempts=2)
    assert ledger.counts().outbox == {"open": 1}
    again = ledger.claim("w", LEASE)
    assert again is not None
    assert ledger.release(again, "w", attempts=2)
    assert ledger.counts().outbox == {"sent": 1}
    ledger.retry("in", claim.id)
    retried = ledger.claim("w", LEASE)
    assert retried is not None
    ledger.settle(retried, "w", [outgoing(retried.turn, 0, "at last")])
    edit = ledger.next(["telegram"], NOW)
    assert edit is not None
    assert (edit.message_id, edit.outgoing.post.text) == ("55", "at last")


def test_an_old_text_on_its_way_does_not_stand_for_the_new_one(
    ledger: Ledger, claim: Claim
) -> None:
    dispatch = begun(ledger, claim)
    ledger.unsent(dispatch, error="refused", retry_at=None)
    ledger.retry("out", dispatch.id)
    sending = ledger.next(["telegram"], NOW)
    assert sending is not None and sending.outgoing.post.text == "begun"
    ledger.settle(claim, "w", [outgoing(claim.turn, 0, "whole")])
    ledger.sent(sending, "55")
    edit = ledger.next(["telegram"], NOW)
    assert edit is not None
    assert (edit.message_id, edit.outgoing.post.text) == ("55", "whole")


def test_a_refusal_of_an_old_text_does_not_kill_the_new_one(ledger: Ledger, claim: Claim) -> None:
    dispatch = begun(ledger, claim)
    ledger.settle(claim, "w", [outgoing(claim.turn, 0, "whole")])
    ledger.unsent(dispatch, error="refused", retry_at=None)
    sending = ledger.next(["telegram"], NOW)
    assert sending is not None and sending.outgoing.post.text == "whole"
