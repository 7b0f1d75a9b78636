"""Who may still spend: the caps of a home against its book of spending.

The sums are read before every call from the store that all processes share. A call that is on its
way is not in them yet, so that processes which ask at the same instant may overshoot a cap by a
call each; within a process, calls wait for each other as soon as there is no room for all.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import tzinfo

from hermes_agent.agent.budget import TurnBudget
from hermes_agent.domain.errors import CapReached, HermesError
from hermes_agent.domain.spending import Sum
from hermes_agent.sessions.caps import Caps, Span, day_of, month_of, reached, refusal
from hermes_agent.store.journal import StoreThread
from hermes_agent.store.port import SessionStore
from hermes_agent.store.spending import Spent

LATELY = 20
RAISING = "hermes config set {key} AMOUNT"

_log = logging.getLogger(__name__)


class Verdict:
    """Of one call: what forbids it, if it costs money, and at all."""

    def __init__(self, costly: CapReached | None = None, any_: CapReached | None = None) -> None:
        self.costly = costly
        self.any = any_


class Treasury:
    """Of one process. `zone` is the person's, None the machine's own; `raising` is the command
    that raises a cap, `{key}` standing for its name. `anew` reads the caps again where they may
    have changed, so that whoever raises one need not begin anew; it may raise `HermesError`."""

    def __init__(
        self,
        store: SessionStore,
        caps: Caps,
        *,
        thread: StoreThread,
        zone: tzinfo | None = None,
        raising: str = RAISING,
        anew: Callable[[], Caps | None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.caps = caps
        self.clock = clock
        self._store = store
        self._thread = thread
        self._zone = zone
        self._raising = raising
        self._anew = anew
        self._under_way: dict[TurnBudget, int] = {}
        self._lately: deque[Sum] = deque(maxlen=LATELY)
        self._ended = asyncio.Event()
        self._ends = 0
        self._told: set[str] = set()
        self._untold: list[str] = []

    async def begin(self, session_id: str, budget: TurnBudget) -> Verdict:
        """A call is about to be made; `end` has to follow. Waits for other calls of this process
        when all together might overshoot a cap."""
        if not any(self.caps.watches(span) for span in ("turn", "session", "day", "month")):
            self._count(budget, 1)
            return Verdict()
        while True:
            ended, ends = self._ended, self._ends
            spent = await self._spent(session_id, budget)
            verdict = self._verdict(spent)
            if (verdict.costly or verdict.any) and await self._others():
                continue
            if verdict.costly or verdict.any or not self._crowded(spent, budget, self._ends - ends):
                self._count(budget, 1)
                return verdict
            await ended.wait()

    def end(self, budget: TurnBudget) -> None:
        """A call is over, and booked."""
        self._count(budget, -1)
        self._ends += 1
        self._ended.set()
        self._ended = asyncio.Event()

    def book(self, spent: Spent, budget: TurnBudget) -> None:
        """Write a call down: in order with what else this process stores, and not waited for."""
        budget.spend(spent.sum)
        self._lately.append(spent.sum)
        if spent.usd is None and self.caps.in_money and spent.model not in self._told:
            self._told.add(spent.model)
            self._untold.append(
                f"Nobody knows what {spent.model} costs, so caps in dollars do not see its calls. "
                "Give its price under budget.prices, or a cap in tokens."
            )
        self._thread.write(self._store, lambda: self._store.book(spent)).add_done_callback(_stored)

    def news(self) -> list[str]:
        """What a person should hear, once."""
        untold, self._untold = self._untold, []
        return untold

    async def _others(self) -> bool:
        """Whether the caps were changed since they were read. Asked when one is reached."""
        if self._anew is None:
            return False
        try:
            caps = await asyncio.to_thread(self._anew)
        except HermesError as error:
            _log.warning("The caps on spending stay as they were: %s", error.message)
            return False
        if caps is None or caps == self.caps:
            return False
        self.caps = caps
        return True

    async def _spent(self, session_id: str, budget: TurnBudget) -> dict[Span, Sum]:
        caps, whole = self.caps, budget.whole
        day, month = day_of(self.clock(), self._zone), month_of(self.clock(), self._zone)

        def read() -> dict[Span, Sum]:
            found: dict[Span, Sum] = {"turn": whole.spent}
            if caps.watches("session"):
                found["session"] = self._store.spent_in(session_id)
            if caps.watches("day"):
                found["day"] = self._store.spent_between(*day)
            if caps.watches("month"):
                found["month"] = self._store.spent_between(*month)
            return found

        return await asyncio.get_running_loop().run_in_executor(self._thread, read)

    def _verdict(self, spent: dict[Span, Sum]) -> Verdict:
        now = self.clock()
        ends: dict[Span, float] = {
            "day": day_of(now, self._zone).until,
            "month": month_of(now, self._zone).until,
        }
        costly = reached(self.caps, spent, ends, in_money=True)
        any_ = reached(self.caps, spent, ends, in_money=False)
        return Verdict(
            costly and refusal(costly, self._zone, self._raising),
            any_ and refusal(any_, self._zone, self._raising),
        )

    def _crowded(self, spent: dict[Span, Sum], budget: TurnBudget, late: int) -> bool:
        """Whether the calls under way and one more might be too many together, judged by the
        dearest of late; before there is one, the first is waited for. As many as `late` ended
        while the sums were read, and may not be in them."""
        known = [each for each in (*self._lately, *map(_mean, spent.values())) if each.calls]
        usd = max((each.usd for each in known), default=0.0)
        tokens = max((each.tokens for each in known), default=0)
        everybody = sum(self._under_way.values()) + late
        own = self._under_way.get(budget.whole, 0) + late
        counts: dict[Span, int] = {
            "turn": own,
            "session": own,
            "day": everybody,
            "month": everybody,
        }
        for span, sum_ in spent.items():
            calls, cap, most = counts[span], self.caps.usd(span), self.caps.tokens(span)
            if calls and not known and self.caps.watches(span):
                return True
            if calls and cap and sum_.usd + calls * usd >= cap:
                return True
            if calls and most and sum_.tokens + calls * tokens >= most:
                return True
        return False

    def _count(self, budget: TurnBudget, change: int) -> None:
        whole = budget.whole
        count = self._under_way.get(whole, 0) + change
        if count:
            self._under_way[whole] = count
        else:
            self._under_way.pop(whole, None)


def _mean(whole: Sum) -> Sum:
    calls = max(whole.calls, 1)
    return Sum(min(whole.calls, 1), whole.usd / calls, whole.tokens // calls)


def _stored(done: "asyncio.Future[None]") -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.warning("What a model call cost could not be stored: %s", error)
