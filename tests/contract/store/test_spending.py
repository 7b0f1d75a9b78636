"""What a store promises of the book of spending."""

import pytest

from hermes_agent.domain.messages import Message, Usage
from hermes_agent.domain.spending import Sum
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session
from hermes_agent.store.spending import Spent

DAY = 86_400.0


def spent(session: str, usd: float | None = 0.5, at: float = 1000.0, **more: object) -> Spent:
    status = "unknown" if usd is None else "estimated"
    fields: dict[str, object] = {"purpose": "turn", "model": "m", "status": status} | more
    usage = Usage(input=100, output=10)
    return Spent(at=at, session_id=session, usd=usd, usage=usage, **fields)  # pyright: ignore[reportArgumentType] - by name


def test_a_span_holds_its_beginning_and_not_its_end(store: SessionStore, session: str) -> None:
    for at in (10.0, 20.0, 30.0):
        store.book(spent(session, at=at))
    assert store.spent_between(10.0, 30.0).calls == 2
    assert store.spent_between(31.0, 99.0) == Sum()


def test_a_price_that_nobody_knows_is_counted_as_unknown_and_not_as_nothing(
    store: SessionStore, session: str
) -> None:
    store.book(spent(session, None))
    store.book(spent(session, 0.25))
    found = store.spent_in(session)
    assert (found.calls, found.usd, found.unknown, found.estimated) == (2, 0.25, 1, 1)
    assert found.tokens == 220


def test_a_session_counts_its_sub_agents_and_what_it_continues(store: SessionStore) -> None:
    store.create(Session(id="first", source="telegram"))
    store.append("first", Message(role="user", content="x"))
    store.succeed("first", "second", [Message(role="user", content="x")])
    store.create(Session(id="agent", source="delegate", parent_session_id="second"))
    store.create(Session(id="deep", source="delegate", parent_session_id="agent"))
    store.create(Session(id="branch", source="telegram", parent_session_id="second"))
    for name in ("first", "second", "agent", "deep", "branch"):
        store.book(spent(name))
    for name in ("first", "second", "agent", "deep"):
        assert store.spent_in(name).calls == 4
    assert store.spent_in("branch").calls == 1
    assert {each.source for each in store.spending(since=0)} == {"telegram"}
    assert store.spent_between(0, 2000).usd == 2.5


def test_a_sub_agents_call_is_charged_to_one_row_only(store: SessionStore) -> None:
    store.create(Session(id="parent", source="cli"))
    store.create(Session(id="agent", source="delegate", parent_session_id="parent"))
    store.book(spent("agent", provider="anthropic", prices="2026-01-01"))
    agent, parent = store.get("agent"), store.get("parent")
    assert (agent.estimated_cost_usd, agent.cost_status) == (0.5, "estimated")
    assert (agent.billing_provider, agent.pricing_version) == ("anthropic", "2026-01-01")
    assert (parent.estimated_cost_usd, parent.cost_status) == (None, None)


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (("actual", "actual"), "actual"),
        (("actual", "estimated"), "estimated"),
        (("unknown", "actual"), "unknown"),
    ],
)
def test_a_sessions_cost_is_as_certain_as_its_least_certain_call(
    store: SessionStore, session: str, statuses: tuple[str, ...], status: str
) -> None:
    for each in statuses:
        store.book(spent(session, None if each == "unknown" else 0.5, status=each))
    assert store.get(session).cost_status == status


def test_what_was_spent_stays_spent_when_the_session_is_deleted(
    store: SessionStore, session: str
) -> None:
    store.book(spent(session))
    store.delete(session)
    assert store.spent_between(0, 2000).usd == 0.5


def test_a_call_of_a_session_that_is_not_stored_is_booked_all_the_same(store: SessionStore) -> None:
    store.book(spent("nowhere"))
    assert store.spent_in("nowhere").calls == 1


def test_slices_are_in_order_and_narrowed_by_time_and_source(store: SessionStore) -> None:
    store.create(Session(id="a", source="cli"))
    store.create(Session(id="b", source="cron"))
    store.book(spent("b", at=5 * DAY))
    store.book(spent("a", at=2 * DAY, model="big"))
    store.book(spent("a", at=2 * DAY + 5, model="big"))
    store.book(spent("a", at=DAY))
    found = store.spending(since=2 * DAY)
    assert [(each.at, each.model, each.sum.calls) for each in found] == [
        (2 * DAY, "big", 2),
        (5 * DAY, "m", 1),
    ]
    assert [each.source for each in store.spending(since=0, source="cron")] == ["cron"]
