"""The book of spending. Each function runs inside a transaction."""

from hermes_agent.domain.spending import Sum
from hermes_agent.store.spending import Spent, SpentSlice
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Transaction
from hermes_agent.store.text import storable


def book(db: Transaction, spent: Spent) -> None:
    sql = load("spending")
    root, source = _root(db, spent.session_id)
    charged = {
        "session_id": storable(spent.session_id),
        "provider": storable(spent.provider),
        "usd": spent.usd,
        "status": spent.status,
        "prices": spent.prices,
    }
    db.execute(
        sql["book"],
        {
            **charged,
            "at": spent.at,
            "root_id": root,
            "source": source,
            "purpose": spent.purpose,
            "model": storable(spent.model),
            "input": spent.usage.input,
            "output": spent.usage.output,
            "cache_read": spent.usage.cache_read,
            "cache_write": spent.usage.cache_write,
            "reasoning": spent.usage.reasoning,
        },
    )
    db.execute(sql["charge"], charged)


def between(db: Transaction, since: float, until: float) -> Sum:
    row = db.execute(load("spending")["between"], (since, until)).fetchone()
    return Sum() if row is None else Sum(*row)


def in_session(db: Transaction, session_id: str) -> Sum:
    root, _ = _root(db, session_id)
    row = db.execute(load("spending")["in_root"], (root,)).fetchone()
    return Sum() if row is None else Sum(*row)


def slices(db: Transaction, since: float, source: str | None) -> tuple[SpentSlice, ...]:
    rows = db.execute(load("spending")["slices"], {"since": since, "source": source})
    return tuple(SpentSlice(*row[:5], sum=Sum(*row[5:])) for row in rows)


def _root(db: Transaction, session_id: str) -> tuple[str, str]:
    name = storable(session_id)
    row = db.execute(load("spending")["root"], (name,)).fetchone()
    return (name, "") if row is None else (row[0], row[1])
