"""What a store promises of figures."""

import time

from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session


def test_an_empty_store_has_figures_too(store: SessionStore) -> None:
    stats = store.stats()
    assert (stats.sessions, stats.messages, stats.by_source, stats.oldest) == (0, 0, {}, None)
    assert stats.bytes > 0
    insights = store.insights(since=0)
    assert (insights.total.sessions, insights.total.input_tokens) == (0, 0)
    assert insights.by_model == insights.by_tool == insights.top_sessions == ()


def test_stats_count_sessions_by_source(store: SessionStore) -> None:
    for name, source in (("a", "cli"), ("b", "cli"), ("c", "cron")):
        store.create(Session(id=name, source=source, started_at=ord(name)))
    store.append("a", Message(role="user", content="x"))
    stats = store.stats()
    assert (stats.sessions, stats.messages) == (3, 1)
    assert stats.by_source == {"cli": 2, "cron": 1}
    assert (stats.oldest, stats.newest) == (ord("a"), ord("c"))


def test_insights_add_up_by_model_source_tool_day_and_session(store: SessionStore) -> None:
    now = time.time()
    store.create(Session(id="a", source="cli", title="Plans", started_at=now))
    store.create(Session(id="b", source="telegram", started_at=now))
    call = ToolCall("c", "terminal", "{}")

    def answer(session: str, model: str, usage: Usage, *calls: ToolCall, at: float = now) -> None:
        store.append(
            session,
            Message(role="assistant", model=model, usage=usage, tool_calls=calls, timestamp=at),
        )

    store.append("a", Message(role="user", content="old", timestamp=now - 90 * 86400))
    answer("a", "big", Usage(100, 10, 50, 1, 2, 0.5), call)
    store.call_started("a", call)
    store.call_finished("a", ToolResult(call_id="c", name="terminal", content="x", status="error"))
    answer("a", "big", Usage(200, 20))
    answer("b", "small", Usage(5, 5, cost_usd=0.25), at=now - 2 * 86400)

    insights = store.insights(since=now - 30 * 86400)
    total = insights.total
    assert (total.sessions, total.messages, total.tool_calls) == (2, 3, 1)
    assert (total.input_tokens, total.output_tokens, total.cost_usd) == (305, 35, 0.75)
    assert [(t.name, t.input_tokens) for t in insights.by_model] == [("big", 300), ("small", 5)]
    assert [(t.name, t.sessions) for t in insights.by_source] == [("cli", 1), ("telegram", 1)]
    days = [t.name for t in insights.by_day]
    assert len(days) == 2 and days == sorted(days)
    assert [(t.name, t.calls, t.failures) for t in insights.by_tool] == [("terminal", 1, 1)]
    assert [t.name for t in insights.top_sessions] == ["Plans", "b"]
    assert store.insights(since=0, source="telegram").total.messages == 1
