"""Any sequence of calls, compared with a model in a few dictionaries."""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hermes_agent.ledger.port import Claim, Dispatch, LeaseLost, Ledger
from tests.contract.ledger.engines import ENGINES
from tests.contract.ledger.making import LEASE, Clock, inbound, outgoing

WORKERS = st.sampled_from(["one", "two"])
SESSIONS = st.sampled_from(["a", "b", "c"])
CHATS = st.sampled_from(["x", "y"])


@dataclass
class In:
    id: int
    session: str
    state: str = "waiting"
    worker: str = ""
    until: float = 0.0
    not_before: float = 0.0
    attempts: int = 0


@dataclass
class Out:
    chat: str
    state: str
    text: str
    message_id: str | None = None
    not_before: float = 0.0
    attempts: int = 0
    doubtful: bool = False


@dataclass
class Model:
    """What the port's words mean, with no regard to speed."""

    inbox: dict[str, In] = field(default_factory=dict[str, In])
    outbox: dict[tuple[str, int], Out] = field(default_factory=dict[tuple[str, int], Out])
    doubtful: int = 0

    def claimable(self, worker: str, now: float) -> In | None:
        blocked: set[str] = set()
        for row in self.inbox.values():
            if row.state not in ("waiting", "working") or row.session in blocked:
                continue
            blocked.add(row.session)
            expired = row.state == "working" and row.until < now and row.worker != worker
            if (row.state == "waiting" or expired) and row.not_before <= now:
                return row
        return None

    def sendable(self, now: float) -> tuple[tuple[str, int], Out] | None:
        blocked: set[str] = set()
        for name, row in self.outbox.items():
            if row.state not in ("waiting", "sending") or row.chat in blocked:
                continue
            blocked.add(row.chat)
            if row.state == "waiting" and row.not_before <= now:
                return name, row
        return None

    def close_open(self, turn: str) -> None:
        for name, row in self.outbox.items():
            if name[0] == turn and row.state == "open":
                row.state = "sent"


class Machine(RuleBasedStateMachine):
    engine: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger: Ledger = ENGINES[self.engine](self.folder, self.clock)
        self.model = Model()
        self.claims: list[tuple[Claim, str]] = []
        self.hands: list[Dispatch] = []
        self.number = 0

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    @rule(session=SESSIONS, again=st.booleans())
    def accept(self, session: str, again: bool) -> None:
        again = again and bool(self.model.inbox)
        key = next(iter(self.model.inbox)) if again else f"k{self.number}"
        self.number += 1
        accepted = self.ledger.accept(inbound(key), session)
        assert accepted.fresh is not again
        if again:
            assert accepted.id == self.model.inbox[key].id
        else:
            self.model.inbox[key] = In(accepted.id, session)

    @rule(worker=WORKERS)
    def claim(self, worker: str) -> None:
        expected = self.model.claimable(worker, self.clock.now)
        claim = self.ledger.claim(worker, LEASE)
        assert (claim and claim.id) == (expected and expected.id)
        if claim is not None and expected is not None:
            expected.state, expected.worker = "working", worker
            expected.until = self.clock.now + LEASE
            expected.attempts += 1
            assert claim.attempt == expected.attempts
            self.claims.append((claim, worker))

    def row_of(self, claim: Claim) -> In | None:
        return next((row for row in self.model.inbox.values() if row.id == claim.id), None)

    def holds(self, claim: Claim, worker: str) -> In | None:
        row = self.row_of(claim)
        held = row is not None and (row.state, row.worker, row.attempts) == (
            "working",
            worker,
            claim.attempt,
        )
        return row if held else None

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), chat=CHATS, parts=st.integers(0, 3))
    def settle(self, data: st.DataObject, chat: str, parts: int) -> None:
        claim, worker = data.draw(st.sampled_from(self.claims))
        answer = [outgoing(claim.turn, part, f"final {part}", chat=chat) for part in range(parts)]
        row = self.holds(claim, worker)
        if row is None:
            with pytest.raises(LeaseLost):
                self.ledger.settle(claim, worker, answer)
            return
        # The parts of a turn go to one place, wherever it began.
        known = next((o.chat for (t, _), o in self.model.outbox.items() if t == claim.turn), chat)
        answer = [outgoing(claim.turn, part, f"final {part}", chat=known) for part in range(parts)]
        self.ledger.settle(claim, worker, answer)
        row.state = "done"
        for part in range(parts):
            out = self.model.outbox.setdefault((claim.turn, part), Out(known, "new", ""))
            if out.state == "open" and out.message_id is None:
                out.doubtful = True
                self.model.doubtful += 1
            out.state, out.text = "waiting", f"final {part}"
        self.model.close_open(claim.turn)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), delay=st.sampled_from([0.0, 10.0]), attempts=st.integers(0, 3))
    def release(self, data: st.DataObject, delay: float, attempts: int) -> None:
        claim, worker = data.draw(st.sampled_from(self.claims))
        row = self.holds(claim, worker)
        if row is None:
            with pytest.raises(LeaseLost):
                self.ledger.release(claim, worker, delay=delay, attempts=attempts)
            return
        dead = self.ledger.release(claim, worker, delay=delay, attempts=attempts)
        assert dead is (0 < attempts <= claim.attempt)
        row.state = "dead" if dead else "waiting"
        row.not_before = self.clock.now + delay if delay else 0.0
        if dead:
            self.model.close_open(claim.turn)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def absorb(self, data: st.DataObject) -> None:
        claim, worker = data.draw(st.sampled_from(self.claims))
        row = data.draw(st.sampled_from(list(self.model.inbox.values())))
        if self.holds(claim, worker) is None:
            with pytest.raises(LeaseLost):
                self.ledger.absorb(row.id, worker, claim)
            return
        self.ledger.absorb(row.id, worker, claim)
        if row.state == "waiting":
            row.state = "done"

    @rule(worker=WORKERS)
    def renew(self, worker: str) -> None:
        held = [r for r in self.model.inbox.values() if (r.state, r.worker) == ("working", worker)]
        assert sorted(self.ledger.renew(worker, LEASE)) == [row.id for row in held]
        for row in held:
            row.until = self.clock.now + LEASE

    @rule(seconds=st.sampled_from([1.0, 15.0, LEASE + 1]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(worker=WORKERS)
    def start_again(self, worker: str) -> None:
        self.ledger.close()
        self.ledger = ENGINES[self.engine](self.folder, self.clock)
        held = [r for r in self.model.inbox.values() if (r.state, r.worker) == ("working", worker)]
        assert self.ledger.reclaim(worker) == len(held)
        for row in held:
            row.state = "waiting"
        for out in self.model.outbox.values():
            if out.state == "sending":
                out.state, out.doubtful = "waiting", True
                self.model.doubtful += 1
        self.hands.clear()

    @rule(chat=CHATS, count=st.integers(1, 3), wait=st.sampled_from([0.0, 20.0]))
    def post(self, chat: str, count: int, wait: float) -> None:
        turn = f"p{self.number}"
        self.number += 1
        not_before = self.clock.now + wait if wait else 0.0
        self.ledger.post(
            [outgoing(turn, part, chat=chat) for part in range(count)], not_before=not_before
        )
        for part in range(count):
            self.model.outbox[turn, part] = Out(chat, "waiting", "answer", not_before=not_before)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), chat=CHATS, part=st.integers(0, 2), confirmed=st.booleans())
    def stream(self, data: st.DataObject, chat: str, part: int, confirmed: bool) -> None:
        claim, worker = data.draw(st.sampled_from(self.claims))
        if self.holds(claim, worker) is None:
            return
        known = next((o.chat for (t, _), o in self.model.outbox.items() if t == claim.turn), chat)
        older = any(
            o.chat == known and o.state in ("waiting", "sending")
            for o in self.model.outbox.values()
        )
        dispatch = self.ledger.open(outgoing(claim.turn, part, "begun", chat=known))
        assert (dispatch is None) is (older or (claim.turn, part) in self.model.outbox)
        if dispatch is None:
            return
        row = self.model.outbox[claim.turn, part] = Out(known, "open", "begun")
        if confirmed:
            row.message_id = f"m{self.number}"
            self.number += 1
            self.ledger.opened(dispatch, row.message_id)

    @rule()
    def next(self) -> None:
        expected = self.model.sendable(self.clock.now)
        dispatch = self.ledger.next(["telegram"], self.clock.now)
        if expected is None:
            assert dispatch is None
            return
        name, row = expected
        assert dispatch is not None
        assert (dispatch.outgoing.turn, dispatch.outgoing.part) == name
        row.state = "sending"
        row.attempts += 1
        assert dispatch.outgoing.post.text == row.text
        assert (dispatch.message_id, dispatch.attempt, dispatch.doubtful) == (
            row.message_id,
            row.attempts,
            row.doubtful,
        )
        self.hands.append(dispatch)

    @precondition(lambda self: self.hands)
    @rule(outcome=st.sampled_from(["sent", "later", "never"]), doubtful=st.booleans())
    def send(self, outcome: str, doubtful: bool) -> None:
        dispatch = self.hands.pop(0)
        row = self.model.outbox[dispatch.outgoing.turn, dispatch.outgoing.part]
        current = row.text == dispatch.outgoing.post.text
        if outcome == "sent":
            row.message_id = f"m{self.number}"
            self.number += 1
            self.ledger.sent(dispatch, row.message_id)
            row.state = "sent" if current else row.state
            return
        retry_at = self.clock.now + 30 if outcome == "later" else None
        self.ledger.unsent(dispatch, error="no", retry_at=retry_at, doubtful=doubtful)
        if current:
            row.doubtful |= doubtful
            self.model.doubtful += doubtful
            row.state = "dead" if retry_at is None else "waiting"
            row.not_before = retry_at or 0.0

    @rule(data=st.data(), drop=st.booleans())
    def a_person_acts(self, data: st.DataObject, drop: bool) -> None:
        dead = [key for key, row in self.model.inbox.items() if row.state == "dead"]
        if not dead:
            return
        key = data.draw(st.sampled_from(dead))
        row = self.model.inbox[key]
        if drop:
            self.ledger.drop("in", row.id)
            del self.model.inbox[key]
        else:
            self.ledger.retry("in", row.id)
            row.state, row.attempts, row.not_before = "waiting", 0, 0.0

    @invariant()
    def counts_agree(self) -> None:
        counts = self.ledger.counts()
        assert counts.inbox == Counter(row.state for row in self.model.inbox.values())
        assert counts.outbox == Counter(row.state for row in self.model.outbox.values())
        assert counts.doubtful == self.model.doubtful


@pytest.mark.parametrize("engine", ENGINES)
def test_every_sequence_of_calls_does_what_the_port_says(engine: str) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    class OfEngine(Machine):
        pass

    OfEngine.engine = engine
    run: Any = run_state_machine_as_test
    run(
        OfEngine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
