"""Every call of a model is counted once and refused where a cap forbids it, over a real store."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest

from hermes_agent.agent.budget import TurnBudget
from hermes_agent.domain.errors import CapReached, StreamBroken, Unreachable
from hermes_agent.domain.messages import Message, Usage
from hermes_agent.domain.model import Delta, Finished, Request, Retrying, TextDelta
from hermes_agent.domain.spending import FREE, Asked, Rates
from hermes_agent.providers.resilience import ResilientModel
from hermes_agent.sessions.caps import Caps
from hermes_agent.sessions.metering import Metered
from hermes_agent.sessions.treasury import Treasury
from hermes_agent.store.journal import StoreThread, store_thread
from hermes_agent.store.opening import open_store
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session

pytestmark = pytest.mark.anyio
DEAR = Rates(input=10, output=20, cached=1, write=12, as_of="2026-01-01")
USAGE = Usage(input=2000, output=500)  # 0.03 dollars at those rates
REQUEST = Request(system="Be brief.", messages=(Message(role="user", content="hello " * 100),))


class Vendor:
    """Answers with `usage` at `rates`; a step before it may wait or raise."""

    context_length = 1000

    def __init__(
        self,
        usage: Usage | None = USAGE,
        rates: Rates | None = DEAR,
        *,
        name: str = "dear",
        steps: tuple[Exception | Callable[[], Any], ...] = (),
        text: str = "Hello there",
    ) -> None:
        self.name = name
        self.usage = usage
        self.rates = rates
        self.steps = list(steps)
        self.text = text
        self.calls = 0

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        if request.meter is not None:
            request.meter.asked(Asked(provider="v", model=self.name, rates=lambda _: self.rates))
        self.calls += 1
        step = self.steps.pop(0) if self.steps else None
        if isinstance(step, Unreachable):
            raise step
        yield TextDelta(self.text)
        if isinstance(step, Exception):
            raise step
        if step is not None:
            await step()
        yield Finished(Message(role="assistant", content=self.text, usage=self.usage))


class Till:
    """A treasury over a store, and the session `s` that pays."""

    def __init__(self, store: SessionStore, thread: StoreThread) -> None:
        self.store = store
        self.thread = thread
        self.now = 1_780_000_000.0
        self.treasury = self.with_caps()
        self.budget = TurnBudget()

    def with_caps(self, **caps: Any) -> Treasury:
        self.treasury = Treasury(
            self.store, Caps(**caps), thread=self.thread, clock=lambda: self.now
        )
        return self.treasury

    def paying(self, model: Any, budget: TurnBudget | None = None) -> Metered:
        return Metered(
            model,
            self.treasury,
            session=lambda: "s",
            purpose="turn",
            budget=budget or self.budget,
        )

    async def ask(self, model: Any, budget: TurnBudget | None = None) -> list[Delta]:
        return [delta async for delta in self.paying(model, budget).stream(REQUEST)]

    async def booked(self) -> list[tuple[str, float, int, int]]:
        """Model, dollars, tokens and how many of unknown price, once all is written."""
        await asyncio.get_running_loop().run_in_executor(self.thread, lambda: None)
        found = self.store.spending(since=0)
        return [(one.model, one.sum.usd, one.sum.tokens, one.sum.unknown) for one in found]


@pytest.fixture
def till(tmp_path: Path) -> Any:
    store, thread = open_store(tmp_path), store_thread()
    store.create(Session(id="s", source="cli"))
    yield Till(store, thread)
    thread.shutdown()
    store.close()


async def test_a_call_is_booked_with_its_tokens_and_at_its_price(till: Till) -> None:
    await till.ask(Vendor())
    assert await till.booked() == [("dear", 0.03, 2500, 0)]
    assert till.budget.spent.usd == 0.03
    assert till.store.get("s").estimated_cost_usd == 0.03


async def test_what_the_vendor_says_outranks_the_list(till: Till) -> None:
    await till.ask(Vendor(Usage(input=2000, output=500, cost_usd=0.5)))
    assert await till.booked() == [("dear", 0.5, 2500, 0)]
    assert till.store.get("s").cost_status == "actual"


@pytest.mark.parametrize("nonsense", [-5.0, float("nan"), float("inf")])
async def test_a_cost_that_cannot_be_is_not_believed(till: Till, nonsense: float) -> None:
    await till.ask(Vendor(Usage(input=2000, output=500, cost_usd=nonsense)))
    assert await till.booked() == [("dear", 0.03, 2500, 0)]


async def test_without_a_price_the_cost_is_unknown_and_the_person_is_told_once(till: Till) -> None:
    till.with_caps(day_usd=1)
    for _ in range(2):
        await till.ask(Vendor(rates=None))
    ((_, usd, tokens, unknown),) = await till.booked()
    assert (usd, tokens, unknown) == (0, 5000, 2)
    (said,) = till.treasury.news()
    assert "dear" in said and "budget.prices" in said
    assert till.treasury.news() == []


async def test_nobody_is_told_of_unknown_prices_where_no_cap_needs_them(till: Till) -> None:
    till.with_caps(day_tokens=10**6)
    await till.ask(Vendor(rates=None))
    assert till.treasury.news() == []


async def test_a_vendor_who_counts_nothing_is_counted_by_estimate(till: Till) -> None:
    await till.ask(Vendor(usage=None))
    ((_, usd, tokens, _),) = await till.booked()
    assert tokens > 100 and usd > 0


async def test_an_answer_that_nobody_waits_for_is_charged_all_the_same(till: Till) -> None:
    vendor = Vendor(steps=(asyncio.Event().wait,))
    stream = cast("AsyncGenerator[Delta, None]", till.paying(vendor).stream(REQUEST))
    async with aclosing(stream):
        async for _ in stream:
            break
    ((_, usd, tokens, _),) = await till.booked()
    assert tokens > 100 and usd > 0


async def test_an_answer_that_broke_off_is_charged_and_its_repetition_too(till: Till) -> None:
    async def no_wait(seconds: float) -> None:
        del seconds

    vendor = Vendor(steps=(StreamBroken("gone"), Unreachable("nobody there")))
    model = ResilientModel([vendor], sleep=no_wait)
    deltas = await till.ask(model)
    assert sum(isinstance(each, Retrying) for each in deltas) == 2
    assert vendor.calls == 3
    ((_, _, tokens, _),) = await till.booked()
    # The one that was never answered costs nothing.
    assert till.budget.spent.calls == 2 and tokens > 2500


async def test_a_cap_in_dollars_stops_the_next_call_before_it_goes_out(till: Till) -> None:
    till.with_caps(day_usd=0.05)
    vendor = Vendor()
    await till.ask(vendor)
    await till.ask(vendor)
    with pytest.raises(CapReached, match=r"\$0.06 of \$0.05 is spent \(budget.day_usd\)"):
        await till.ask(vendor)
    assert vendor.calls == 2
    assert len(await till.booked()) == 1


async def test_the_next_day_the_cap_is_open_again(till: Till) -> None:
    till.with_caps(day_usd=0.01)
    vendor = Vendor()
    await till.ask(vendor)
    with pytest.raises(CapReached):
        await till.ask(vendor)
    till.now += 86_400
    await till.ask(vendor)
    till.now -= 86_400
    with pytest.raises(CapReached):
        await till.ask(vendor)


async def test_what_another_process_spent_counts(till: Till, tmp_path: Path) -> None:
    till.with_caps(month_usd=0.05)
    other = Till(open_store(tmp_path), store_thread())
    await other.ask(Vendor())
    await other.ask(Vendor())
    await other.booked()
    other.thread.shutdown()
    other.store.close()
    vendor = Vendor()
    with pytest.raises(CapReached, match=r"budget\.month_usd"):
        await till.ask(vendor)
    assert vendor.calls == 0


async def test_the_turns_cap_counts_sub_agents_and_opens_with_the_next_turn(till: Till) -> None:
    till.with_caps(turn_usd=0.05)
    child = TurnBudget(till.budget)
    vendor = Vendor()
    await till.ask(vendor)
    await till.ask(vendor, child)
    for budget in (till.budget, child):
        with pytest.raises(CapReached, match=r"budget\.turn_usd"):
            await till.ask(vendor, budget)
    till.budget.begin(9)
    await till.ask(vendor)


async def test_what_costs_nothing_is_stopped_by_tokens_only(till: Till) -> None:
    till.with_caps(day_usd=0.01)
    await till.ask(Vendor())
    free = Vendor(rates=FREE, name="own")
    await till.ask(free)
    till.with_caps(day_tokens=1000)
    with pytest.raises(CapReached, match=r"budget\.day_tokens"):
        await till.ask(free)
    assert free.calls == 1


async def test_an_unknown_price_is_not_taken_for_nothing_when_a_cap_is_reached(till: Till) -> None:
    till.with_caps(day_usd=0.01)
    await till.ask(Vendor())
    with pytest.raises(CapReached):
        await till.ask(Vendor(rates=None))


async def test_a_fallback_that_costs_nothing_answers_when_the_cap_is_reached(till: Till) -> None:
    till.with_caps(day_usd=0.01)
    await till.ask(Vendor())
    dear, free = Vendor(), Vendor(rates=FREE, name="own")
    deltas = await till.ask(ResilientModel([dear, free]))
    assert isinstance(deltas[-1], Finished)
    assert (dear.calls, free.calls) == (0, 1)


async def test_calls_side_by_side_wait_when_there_is_not_room_for_all(till: Till) -> None:
    till.with_caps(day_usd=0.10)
    await till.ask(Vendor())  # 0.03 is known to be what a call costs; 0.07 is left
    going, together = 0, asyncio.Event()

    async def work() -> None:
        nonlocal going
        going += 1
        if going == 2:
            together.set()
        async with asyncio.timeout(10):
            await together.wait()

    vendors = [Vendor(steps=(work,)) for _ in range(8)]
    done = await asyncio.gather(
        *(till.ask(each, TurnBudget()) for each in vendors), return_exceptions=True
    )
    refused = [each for each in done if isinstance(each, CapReached)]
    # Three more are needed to spend a whole 0.10; the eight would have spent 0.27.
    assert len(refused) == 5 and sum(each.calls for each in vendors) == 3
    assert (await till.booked())[0][1] == pytest.approx(0.12)


async def test_before_anybody_knows_what_a_call_takes_the_first_is_waited_for(till: Till) -> None:
    till.with_caps(day_tokens=2000)

    async def work() -> None:
        for _ in range(20):
            await till.booked()  # time for all to read the sums

    vendors = [Vendor(steps=(work,)) for _ in range(8)]
    await asyncio.gather(
        *(till.ask(each, TurnBudget()) for each in vendors), return_exceptions=True
    )
    assert sum(each.calls for each in vendors) == 1


async def test_one_that_was_interrupted_while_it_waited_holds_nobody_up(till: Till) -> None:
    till.with_caps(day_usd=0.06)
    await till.ask(Vendor())
    begun, release = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await release.wait()

    first = asyncio.create_task(till.ask(Vendor(steps=(work,))))
    await begun.wait()
    late = Vendor()
    waiting = asyncio.create_task(till.ask(late))
    await till.booked()  # it has read the sums by then
    await till.booked()
    assert not waiting.done() and not late.calls
    waiting.cancel()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await first
    with pytest.raises(CapReached):
        await till.ask(Vendor())
