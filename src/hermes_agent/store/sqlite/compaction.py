"""Sessions that go on in a child. Each function runs inside a transaction."""

import time
from collections.abc import Sequence

import msgspec

from hermes_agent.domain.messages import Message, Usage
from hermes_agent.store.records import Failures, Session
from hermes_agent.store.sqlite import messages, rows, sessions
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Transaction


def succeed(
    db: Transaction, parent_id: str, child_id: str, kept: Sequence[Message]
) -> tuple[Session, tuple[Message, ...]]:
    sql = load("compaction")
    parent = sessions.get(db, parent_id)
    now = time.time()
    title = sessions.next_title(db, parent.title) if parent.title else None
    child = Session(
        id=child_id,
        source=parent.source,
        user_id=parent.user_id,
        model=parent.model,
        model_config=parent.model_config,
        system_prompt=parent.system_prompt,
        parent_session_id=parent.id,
        started_at=now,
        billing_provider=parent.billing_provider,
        billing_base_url=parent.billing_base_url,
        billing_mode=parent.billing_mode,
        title=title,
    )
    child = sessions.create(db, child)
    stored = tuple(_carried(db, parent_id, child_id, message) for message in kept)
    db.execute(sql["end_parent"], {"id": parent_id, "now": now})
    db.execute(sql["lead_routes"], {"parent": parent_id, "child": child_id})
    return child, stored


def _carried(db: Transaction, parent_id: str, child_id: str, message: Message) -> Message:
    """A message in the child: a copy of one in the parent, or one that is new."""
    sql = load("compaction")
    original = None
    if message.id is not None:
        values = {"id": message.id, "session_id": parent_id}
        original = db.execute(sql["original"], values).get
    if original is None:
        return messages.insert(db, child_id, rows.cleaned(message))
    db.execute(sql["hand_over_turn"], (message.id,))
    # What it cost is counted where it was spent.
    copy = rows.cleaned(msgspec.structs.replace(message, usage=None))
    db.execute(load("messages")["insert"], rows.message_values(child_id, copy))
    message_id = db.last_insert_rowid()
    details = rows.copy_values(copy, message_id, original)
    db.execute(sql["insert_copy"], details)
    db.execute(load("sessions")["count"], rows.count_values(child_id, 0, Usage()))
    return msgspec.structs.replace(copy, id=message_id)


def tip(db: Transaction, session_id: str) -> str:
    sql = load("compaction")["next_in_lineage"]
    seen = {session_id}
    while (following := db.execute(sql, (session_id,)).get) is not None and following not in seen:
        session_id = str(following)
        seen.add(session_id)
    return session_id


def written(db: Transaction, turn: str) -> tuple[Message, ...]:
    found = db.execute(load("compaction")["spoken_in_turn"], {"turn": turn}).fetchall()
    wanted = {row[1] for row in found}
    spoken = [
        message
        for session_id in dict.fromkeys(row[0] for row in found)
        for message in messages.history(db, session_id)
        if message.id in wanted
    ]
    return tuple(sorted(spoken, key=lambda message: message.id or 0))


def failures(db: Transaction, session_id: str) -> Failures:
    row = db.execute(load("compaction")["failures"], (session_id,)).fetchone()
    return Failures() if row is None else Failures(count=row[0], last=row[1])


def failed(db: Transaction, session_id: str) -> Failures:
    sessions.require(db, session_id)
    db.execute(load("compaction")["failed"], {"id": session_id, "now": time.time()})
    return failures(db, session_id)


def spent(db: Transaction, session_id: str, usage: Usage) -> None:
    sessions.require(db, session_id)
    db.execute(load("compaction")["spent"], rows.count_values(session_id, 0, usage))
