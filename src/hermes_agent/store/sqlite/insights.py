"""Figures over sessions, messages and tool runs."""

from collections.abc import Iterable
from typing import Any

from hermes_agent.store.records import Insights, Stats, Tally, ToolTally
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Transaction

_SESSION, _LABEL, _SOURCE, _MODEL, _DAY, _FIGURES = range(6)
_TOP = 10


def stats(db: Transaction, size: int) -> Stats:
    sql = load("insights")
    sessions, messages, oldest, newest = db.execute(sql["stats"]).fetchone() or (0, 0, None, None)
    return Stats(
        sessions=sessions,
        messages=messages,
        by_source={row[0]: row[1] for row in db.execute(sql["by_source"])},
        bytes=size,
        oldest=oldest,
        newest=newest,
    )


def insights(db: Transaction, since: float, source: str | None) -> Insights:
    sql = load("insights")
    values = {"since": since, "source": source}
    facts = db.execute(sql["facts"], values).fetchall()
    by_session = _tallies(facts, _SESSION)
    labels = {row[_SESSION]: row[_LABEL] for row in facts}
    return Insights(
        total=_tally("total", facts),
        by_model=tuple(_tallies([row for row in facts if row[_MODEL]], _MODEL)),
        by_source=tuple(_tallies(facts, _SOURCE)),
        by_day=tuple(sorted(_tallies(facts, _DAY), key=lambda tally: tally.name)),
        by_tool=tuple(
            ToolTally(name=n, calls=c, failures=f, seconds=t)
            for n, c, f, t in db.execute(sql["by_tool"], values)
        ),
        top_sessions=tuple(_named(tally, labels[tally.name]) for tally in by_session[:_TOP]),
    )


def _tallies(facts: Iterable[Any], key: int) -> list[Tally]:
    groups: dict[str, list[Any]] = {}
    for row in facts:
        groups.setdefault(row[key], []).append(row)
    tallies = [_tally(name, rows) for name, rows in groups.items()]
    return sorted(tallies, key=lambda t: (-t.input_tokens - t.output_tokens, -t.messages, t.name))


def _tally(name: str, rows: Iterable[Any]) -> Tally:
    rows = list(rows)
    sums = [sum(column) for column in zip(*(row[_FIGURES:] for row in rows), strict=True)] or [
        0
    ] * 8
    return Tally(
        name=name,
        sessions=len({row[_SESSION] for row in rows}),
        messages=sums[0],
        tool_calls=sums[1],
        input_tokens=sums[2],
        output_tokens=sums[3],
        cache_read_tokens=sums[4],
        cache_write_tokens=sums[5],
        reasoning_tokens=sums[6],
        cost_usd=float(sums[7]),
    )


def _named(tally: Tally, name: str) -> Tally:
    import msgspec

    return msgspec.structs.replace(tally, name=name)
