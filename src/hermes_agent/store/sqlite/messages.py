"""Messages and tool runs. Each function runs inside a transaction."""

import time
from collections.abc import Sequence

import msgspec

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.store.arrange import arrange
from hermes_agent.store.records import Repair, StoredTurn, ToolRun
from hermes_agent.store.sqlite import rows, sessions
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Transaction
from hermes_agent.store.text import storable


def append(db: Transaction, session_id: str, message: Message) -> Message:
    sessions.require(db, session_id)
    message = rows.cleaned(message)
    if not message.timestamp:
        message = msgspec.structs.replace(message, timestamp=time.time())
    if message.role == "tool" and message.tool_call_id is not None:
        late = _replace_repaired(db, session_id, message)
        db.execute(load("runs")["settle"], (session_id, message.tool_call_id))
        if late is not None:
            return late
    if message.turn is not None:
        stored = of_turn(db, message.turn)
        if stored is not None:
            return msgspec.structs.replace(message, id=stored.message_id)
    return insert(db, session_id, message)


def insert(db: Transaction, session_id: str, message: Message) -> Message:
    """Store it as it is and count it."""
    sql = load("messages")
    db.execute(sql["insert"], rows.message_values(session_id, message))
    message_id = db.last_insert_rowid()
    details = rows.detail_values(message, message_id)
    if details is not None:
        db.execute(sql["insert_details"], details)
    usage = message.usage or Usage()
    values = rows.count_values(session_id, len(message.tool_calls), usage)
    db.execute(load("sessions")["count"], values)
    return msgspec.structs.replace(message, id=message_id)


def _replace_repaired(db: Transaction, session_id: str, message: Message) -> Message | None:
    """Put a late result where a repair said "interrupted": the truth is better."""
    sql = load("messages")
    values = {"session_id": session_id, "call_id": message.tool_call_id}
    stored = db.execute(sql["answered_by_repair"], values).get
    if stored is None:
        return None
    db.execute(
        sql["replace_answer"],
        {
            "id": stored,
            "content": message.content,
            "tool_name": message.tool_name,
            "timestamp": message.timestamp,
        },
    )
    return msgspec.structs.replace(message, id=stored)


def of_turn(db: Transaction, turn: str) -> StoredTurn | None:
    row = db.execute(load("messages")["of_turn"], (turn,)).fetchone()
    return None if row is None else StoredTurn(session_id=row[0], message_id=row[1])


def history(db: Transaction, session_id: str) -> tuple[Message, ...]:
    sessions.require(db, session_id)
    return tuple(
        rows.message(row) for row in db.execute(load("messages")["history"], (session_id,))
    )


def call_started(db: Transaction, session_id: str, call: ToolCall) -> None:
    sessions.require(db, session_id)
    db.execute(
        load("runs")["start"],
        {
            "session_id": session_id,
            "message_id": _last_asking(db, session_id),
            "call_id": storable(call.id),
            "name": storable(call.name),
            "arguments": storable(call.arguments),
            "now": time.time(),
        },
    )


def call_finished(db: Transaction, session_id: str, result: ToolResult) -> None:
    sql = load("runs")
    sessions.require(db, session_id)
    now = time.time()
    call_id = storable(result.call_id)
    values = {"now": now, "status": result.status, "result": storable(result.content)}
    running = db.execute(sql["running"], (session_id, call_id)).get
    if running is not None:
        db.execute(sql["finish"], {**values, "id": running})
        return
    # Denied or refused before it could start: the result is worth as much.
    db.execute(
        sql["finish_unstarted"],
        {
            **values,
            "session_id": session_id,
            "message_id": _last_asking(db, session_id),
            "call_id": call_id,
            "name": storable(result.name),
            "started_at": now - result.duration,
        },
    )


def _last_asking(db: Transaction, session_id: str) -> int | None:
    found = db.execute(load("messages")["last_asking"], (session_id,)).get
    return found if isinstance(found, int) else None


def runs(db: Transaction, session_id: str) -> tuple[ToolRun, ...]:
    return tuple(rows.run(row) for row in db.execute(load("runs")["list"], (session_id,)))


def repair(db: Transaction, session_id: str) -> Repair:
    stored = history(db, session_id)
    wanted = arrange(stored, runs(db, session_id))
    written: list[Message] = []
    added: list[Message] = []
    last = asking = 0
    for message in wanted:
        if message.id is None:
            message = insert(db, session_id, message)
            added.append(message)
            _settle_answered(db, session_id, asking, message)
        elif message.id < last:
            # Something was put before it: it needs a later id, and so does all after it.
            message = _moved(db, message)
        assert message.id is not None
        last = message.id
        if message.role != "tool":
            asking = message.id
        written.append(message)
    if tuple(written) != tuple(wanted):
        _move_unasked_results(db, stored, wanted)
    db.execute(load("runs")["give_up"], (session_id,))
    return Repair(history=tuple(written), added=tuple(added))


def _move_unasked_results(
    db: Transaction, stored: Sequence[Message], wanted: Sequence[Message]
) -> None:
    """Behind all others: before a result that was moved they would pass for it."""
    asked = {message.id for message in wanted}
    for message in stored:
        if message.role == "tool" and message.id not in asked:
            _moved(db, message)


def _settle_answered(db: Transaction, session_id: str, asking: int, answer: Message) -> None:
    sql = load("runs")
    values = {
        "session_id": session_id,
        "call_id": answer.tool_call_id,
        "message_id": asking,
        "answer_id": answer.id,
    }
    db.execute(sql["answered"], values)
    db.execute(sql["settle"], (session_id, answer.tool_call_id))


def _moved(db: Transaction, message: Message) -> Message:
    sql = load("messages")
    new = db.execute(sql["next_id"]).get
    db.execute(sql["move"], {"old": message.id, "new": new})
    return msgspec.structs.replace(message, id=new)


def rewind(db: Transaction, session_id: str, message_id: int) -> int:
    sessions.require(db, session_id)
    sql = load("messages")
    if db.execute(sql["is_in_session"], (session_id, message_id)).get is None:
        raise NotFoundError(f"Session {session_id} has no message {message_id}.")
    db.execute(sql["rewind"], (session_id, message_id))
    removed = db.changes()
    db.execute(load("sessions")["recount"], {"id": session_id})
    return removed
