"""What goes out: once, in order, or with a doubt that is told."""

from collections.abc import Callable

import pytest

from hermes_agent.domain.chats import Attachment, Button, Outgoing, Post, Target
from hermes_agent.domain.errors import StoreError
from hermes_agent.ledger.port import Dispatch, Ledger
from tests.contract.ledger.making import LEASE, NOW, Clock, inbound, outgoing

UNSTORABLE = (OverflowError, StoreError)


def taken(ledger: Ledger, *platforms: str, at: float = NOW) -> Dispatch:
    dispatch = ledger.next(platforms or ("telegram",), at)
    assert dispatch is not None
    return dispatch


def test_a_post_comes_out_as_it_went_in(ledger: Ledger) -> None:
    message = Outgoing(
        turn="t-1",
        part=3,
        target=Target(platform="telegram", chat_id="-100", thread_id="7"),
        post=Post(
            text="<b>bold</b>",
            plain="bold 🙂",
            attachments=(Attachment(kind="document", path="/x", name="y", size=3),),
            buttons=(Button("Yes", "y:1"), Button("No", "n:1")),
            quotes="55",
            subject="Re: hello",
        ),
    )
    ledger.post([message])
    dispatch = taken(ledger)
    assert dispatch.outgoing == message
    assert (dispatch.message_id, dispatch.attempt, dispatch.doubtful) == (None, 1, False)


def test_nothing_is_in_an_empty_outbox(ledger: Ledger) -> None:
    assert ledger.next(["telegram"], NOW) is None
    assert ledger.due() is None
    assert ledger.outbox() == ()


def test_a_message_in_hand_is_given_to_nobody_else(
    ledger: Ledger, connect: Callable[[], Ledger]
) -> None:
    ledger.post([outgoing()])
    taken(ledger)
    assert ledger.next(["telegram"], NOW + 1e6) is None
    assert connect().next(["telegram"], NOW + 1e6) is None
    assert [row.state for row in ledger.outbox()] == ["sending"]


def test_what_is_sent_is_sent(ledger: Ledger) -> None:
    ledger.post([outgoing()])
    ledger.sent(taken(ledger), "55")
    (row,) = ledger.outbox()
    assert (row.state, row.message_id, row.attempts) == ("sent", "55", 1)
    assert ledger.next(["telegram"], NOW) is None


def test_only_messages_of_the_named_platforms_are_given(ledger: Ledger) -> None:
    ledger.post([outgoing("a", platform="discord"), outgoing("b", platform="irc")])
    assert ledger.next(["telegram"], NOW) is None
    assert ledger.next([], NOW) is None
    assert taken(ledger, "irc", "telegram").outgoing.turn == "b"
    assert taken(ledger, "discord", "irc").outgoing.turn == "a"


def test_messages_to_a_target_leave_in_their_order(ledger: Ledger) -> None:
    ledger.post([outgoing("a", part) for part in range(3)])
    seen: list[int] = []
    for _ in range(3):
        dispatch = taken(ledger)
        assert ledger.next(["telegram"], NOW) is None, "one at a time to each place"
        ledger.sent(dispatch, str(dispatch.outgoing.part))
        seen.append(dispatch.outgoing.part)
    assert seen == [0, 1, 2]


def test_other_targets_do_not_wait(ledger: Ledger) -> None:
    ledger.post(
        [
            outgoing("a"),
            outgoing("b"),
            outgoing("c", chat="c2"),
            outgoing("d", thread="5"),
            outgoing("e", platform="irc"),
        ]
    )
    both = ("telegram", "irc")
    assert [taken(ledger, *both).outgoing.turn for _ in range(4)] == ["a", "c", "d", "e"]
    assert ledger.next(both, NOW) is None


def test_targets_are_not_mistaken_for_each_other(ledger: Ledger) -> None:
    ledger.post([outgoing("a", chat="x:1"), outgoing("b", chat="x", thread="1")])
    assert {taken(ledger).outgoing.turn, taken(ledger).outgoing.turn} == {"a", "b"}


def test_one_that_waits_for_another_attempt_holds_up_those_behind(
    ledger: Ledger, clock: Clock
) -> None:
    ledger.post([outgoing("a"), outgoing("b")])
    ledger.unsent(taken(ledger), error="connection lost", retry_at=NOW + 30)
    assert ledger.next(["telegram"], NOW + 29) is None
    assert ledger.due() == NOW + 30
    again = taken(ledger, at=NOW + 30)
    assert (again.outgoing.turn, again.attempt, again.doubtful) == ("a", 2, False)
    (row,) = ledger.outbox("sending")
    assert row.error == "connection lost"
    ledger.sent(again, "1")
    assert taken(ledger).outgoing.turn == "b"


def test_a_dead_message_holds_up_nobody(ledger: Ledger) -> None:
    ledger.post([outgoing("a"), outgoing("b")])
    ledger.unsent(taken(ledger), error="blocked", retry_at=None)
    (row,) = ledger.outbox("dead")
    assert (row.outgoing.turn, row.error) == ("a", "blocked")
    assert taken(ledger).outgoing.turn == "b"


def test_a_notice_may_wait_for_its_time(ledger: Ledger) -> None:
    ledger.post([outgoing()], not_before=NOW + 60)
    assert ledger.due() == NOW + 60
    assert ledger.next(["telegram"], NOW + 59) is None
    assert taken(ledger, at=NOW + 60).attempt == 1


def test_a_turn_and_part_that_is_there_stays_as_it_is(ledger: Ledger) -> None:
    ledger.post([outgoing("a", 0, "first"), outgoing("a", 1, "other part")])
    ledger.post([outgoing("a", 0, "second")])
    assert [row.outgoing.post.text for row in ledger.outbox()] == ["other part", "first"]
    ledger.sent(taken(ledger), "1")
    ledger.post([outgoing("a", 0, "third")])
    assert taken(ledger).outgoing.part == 1


def test_a_batch_is_posted_whole_or_not_at_all(ledger: Ledger) -> None:
    with pytest.raises(UNSTORABLE):
        ledger.post([outgoing("a"), outgoing("b", part=2**70)])
    assert ledger.outbox() == ()


def test_an_answer_is_settled_whole_or_not_at_all(ledger: Ledger) -> None:
    ledger.accept(inbound(), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    with pytest.raises(UNSTORABLE):
        ledger.settle(claim, "w", [outgoing(claim.turn), outgoing(claim.turn, part=2**70)])
    assert ledger.outbox() == ()
    assert ledger.counts().inbox == {"working": 1}
    ledger.settle(claim, "w", [outgoing(claim.turn)])


def test_sends_in_flight_are_doubtful_after_a_crash(
    ledger: Ledger, connect: Callable[[], Ledger]
) -> None:
    ledger.post([outgoing("a"), outgoing("b"), outgoing("c", chat="c2")])
    taken(ledger)
    taken(ledger)
    later = connect()
    later.reclaim("w")
    assert later.counts().doubtful == 2
    again = taken(later)
    assert (again.outgoing.turn, again.doubtful, again.attempt) == ("a", True, 2)
    later.sent(again, "1")
    assert (taken(later).doubtful, taken(later).doubtful) == (False, True)


def test_a_send_that_failed_halfway_may_be_out_after_all(ledger: Ledger) -> None:
    ledger.post([outgoing("a"), outgoing("b", chat="c2")])
    ledger.unsent(taken(ledger), error="no answer", retry_at=NOW, doubtful=True)
    assert ledger.counts().doubtful == 1
    again = taken(ledger)
    assert (again.outgoing.turn, again.doubtful) == ("a", True)
    ledger.unsent(again, error="refused", retry_at=NOW)
    assert taken(ledger).doubtful
    assert not taken(ledger).doubtful
    assert ledger.counts().doubtful == 1


def test_what_was_sent_does_not_become_unsent(ledger: Ledger) -> None:
    ledger.post([outgoing()])
    dispatch = taken(ledger)
    ledger.sent(dispatch, "55")
    ledger.unsent(dispatch, error="late", retry_at=NOW, doubtful=True)
    assert ledger.counts().outbox == {"sent": 1}
    assert ledger.counts().doubtful == 0


def test_what_was_sent_before_the_crash_is_not_sent_again(
    ledger: Ledger, connect: Callable[[], Ledger]
) -> None:
    ledger.post([outgoing()])
    ledger.sent(taken(ledger), "55")
    later = connect()
    later.reclaim("w")
    assert later.next(["telegram"], NOW) is None
    assert later.counts().doubtful == 0


def test_answers_keep_the_order_in_which_their_turns_ended(ledger: Ledger) -> None:
    for number in "12":
        ledger.accept(inbound(number), f"s{number}")
    first, second = ledger.claim("w", LEASE), ledger.claim("w", LEASE)
    assert first is not None and second is not None
    ledger.settle(second, "w", [outgoing(second.turn)])
    ledger.settle(first, "w", [outgoing(first.turn)])
    assert taken(ledger).outgoing.turn == second.turn
