"""How far conversations were looked through. Each function runs inside a transaction."""

from hermes_agent.domain.messages import Message, Usage
from hermes_agent.store.records import SCRIPTED, UNREVIEWED, UNREVIEWED_CHARS, Reviews
from hermes_agent.store.sqlite import compaction, sessions
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Transaction


def unreviewed(db: Transaction, session_id: str) -> tuple[Message, ...]:
    values = {
        "session_id": session_id,
        "scripted": f"{SCRIPTED}%",
        "most": UNREVIEWED,
        "chars": UNREVIEWED_CHARS,
    }
    rows = db.execute(load("reviews")["unreviewed"], values).fetchall()
    return tuple(
        Message(role="user", content=content or "", timestamp=timestamp, id=number)
        for number, content, timestamp in reversed(rows)
    )


def reviewed(db: Transaction, session_id: str, message_id: int) -> None:
    sessions.require(db, session_id)
    values = {"session_id": session_id, "message_id": message_id}
    db.execute(load("reviews")["reviewed"], values)


def asked(db: Transaction, session_id: str, usage: Usage) -> None:
    compaction.spent(db, session_id, usage)
    values = {
        "session_id": session_id,
        "input": usage.input,
        "output": usage.output,
        "cost": usage.cost_usd,
    }
    db.execute(load("reviews")["asked"], values)


def reviews(db: Transaction, session_id: str) -> Reviews:
    row = db.execute(load("reviews")["reviews"], {"session_id": session_id}).fetchone()
    if row is None:
        return Reviews()
    calls, received, sent, cost = row
    return Reviews(calls=calls, usage=Usage(input=received, output=sent, cost_usd=cost))
