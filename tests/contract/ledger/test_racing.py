"""Many workers at once, each with a connection of its own."""

import threading
from collections import Counter
from collections.abc import Callable

from hermes_agent.ledger.port import Claim, Dispatch, LeaseLost, Ledger
from tests.contract.ledger.making import LEASE, NOW, Clock, inbound, outgoing

WORKERS = 6
LIMIT = 60.0


def side_by_side(connect: Callable[[], Ledger], work: Callable[[Ledger, str], None]) -> None:
    """Run `work` in several threads that begin at the same moment; raises what they raised."""
    start = threading.Barrier(WORKERS)
    faults: list[BaseException] = []

    def run(ledger: Ledger, name: str) -> None:
        try:
            start.wait(LIMIT)
            work(ledger, name)
        except BaseException as error:  # noqa: BLE001  raised again by the test's own thread
            faults.append(error)

    threads = [
        threading.Thread(target=run, args=(connect(), f"worker {number}"))
        for number in range(WORKERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert not any(thread.is_alive() for thread in threads)
    if faults:
        raise faults[0]


def test_each_message_is_claimed_once_and_in_the_order_of_its_session(
    connect: Callable[[], Ledger],
) -> None:
    ledger = connect()
    for number in range(60):
        ledger.accept(inbound(str(number)), f"s{number % 7}")
    seen: list[Claim] = []
    held: set[str] = set()
    lock = threading.Lock()

    def work(ledger: Ledger, name: str) -> None:
        while ledger.counts().inbox.get("waiting"):
            claim = ledger.claim(name, LEASE)
            if claim is None:
                continue
            with lock:
                assert claim.session_key not in held, "two at work in one session"
                held.add(claim.session_key)
                seen.append(claim)
            with lock:
                held.remove(claim.session_key)
            ledger.settle(claim, name, [outgoing(claim.turn)])

    side_by_side(connect, work)
    assert len(seen) == 60
    for session in range(7):
        numbers = [int(c.inbound.key) for c in seen if c.session_key == f"s{session}"]
        assert numbers == sorted(numbers)
    assert ledger.counts().inbox == {"done": 60}
    assert ledger.counts().outbox == {"waiting": 60}


def test_the_same_message_accepted_by_all_is_stored_once(connect: Callable[[], Ledger]) -> None:
    fresh: list[bool] = []

    def work(ledger: Ledger, name: str) -> None:
        fresh.extend(ledger.accept(inbound(str(number), name), "s").fresh for number in range(20))

    side_by_side(connect, work)
    assert Counter(fresh) == {True: 20, False: 20 * (WORKERS - 1)}
    assert len(connect().inbox()) == 20


def test_each_message_is_sent_once_and_in_the_order_of_its_target(
    connect: Callable[[], Ledger],
) -> None:
    ledger = connect()
    ledger.post([outgoing("t", part, chat=f"c{part % 5}") for part in range(60)])
    seen: list[Dispatch] = []

    def work(ledger: Ledger, name: str) -> None:
        while ledger.counts().outbox.get("waiting"):
            dispatch = ledger.next(["telegram"], NOW)
            if dispatch is not None:
                seen.append(dispatch)
                ledger.sent(dispatch, name)

    side_by_side(connect, work)
    assert len(seen) == 60
    for chat in range(5):
        parts = [d.outgoing.part for d in seen if d.outgoing.target.chat_id == f"c{chat}"]
        assert parts == sorted(parts)


def test_of_many_who_think_they_hold_a_message_one_answers(
    connect: Callable[[], Ledger], clock: Clock
) -> None:
    ledger = connect()
    ledger.accept(inbound(), "s")
    claims: dict[str, Claim] = {}
    for number in range(WORKERS):
        claim = ledger.claim(f"worker {number}", LEASE)
        assert claim is not None
        claims[f"worker {number}"] = claim
        clock.now += LEASE + 1
    lost: list[str] = []

    def work(ledger: Ledger, name: str) -> None:
        try:
            ledger.settle(claims[name], name, [outgoing(claims[name].turn, text=name)])
        except LeaseLost:
            lost.append(name)

    side_by_side(connect, work)
    assert len(lost) == WORKERS - 1
    (row,) = ledger.outbox()
    assert row.outgoing.post.text == f"worker {WORKERS - 1}"


def test_threads_may_share_one_connection(ledger: Ledger) -> None:
    def work(_: Ledger, name: str) -> None:
        for number in range(10):
            ledger.accept(inbound(f"{name} {number}"), f"{name} {number}")
            claim = ledger.claim(name, LEASE)
            assert claim is not None
            ledger.settle(claim, name, [outgoing(claim.turn)])

    side_by_side(lambda: ledger, work)
    assert ledger.counts().inbox == {"done": 10 * WORKERS}
