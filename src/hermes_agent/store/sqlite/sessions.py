"""Sessions: making, finding, changing, removing. Each function runs inside a transaction."""

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from hermes_agent.domain.errors import NotFoundError, StoreError, TitleTaken
from hermes_agent.store.records import Filters, Session, SessionChange, SessionSummary
from hermes_agent.store.sqlite import rows
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Transaction
from hermes_agent.store.text import clean_title, numbered_title, storable, title_base

_LISTED = "hermes sessions list shows what there is."


def create(db: Transaction, session: Session) -> Session:
    sql = load("sessions")
    if db.execute(sql["exists"], (session.id,)).get is not None:
        raise StoreError(f"A session {session.id} exists already.")
    if session.parent_session_id is not None:
        require(db, session.parent_session_id)
    session = msgspec.structs.replace(
        session,
        started_at=session.started_at or time.time(),
        title=_free_title(db, session.id, session.title),
        system_prompt=session.system_prompt and storable(session.system_prompt),
    )
    db.execute(sql["insert"], msgspec.structs.asdict(session))
    return session


def get(db: Transaction, session_id: str) -> Session:
    row = db.execute(load("sessions")["get"], (storable(session_id),)).fetchone()
    if row is None:
        raise NotFoundError(f"There is no session {session_id}.", hint=_LISTED)
    return rows.session(row)


def require(db: Transaction, session_id: str) -> None:
    """Raises `NotFoundError` unless the session exists."""
    if db.execute(load("sessions")["exists"], (session_id,)).get is None:
        raise NotFoundError(f"There is no session {session_id}.", hint=_LISTED)


def resolve(db: Transaction, name: str) -> Session:
    sql = load("sessions")
    name = storable(name).strip()
    for exact in ("exists", "id_of_title"):
        if name and (found := db.execute(sql[exact], (name,)).get) is not None:
            return get(db, name if exact == "exists" else str(found))
    for loose in ("ids_beginning_with", "ids_of_title_in_any_case"):
        ids = [row[0] for row in db.execute(sql[loose], {"name": name})] if name else []
        if len(ids) == 1:
            return get(db, ids[0])
        if ids:
            labels = [db.execute(sql["label"], (found,)).fetchone() for found in ids]
            raise NotFoundError(
                f"{name!r} means several sessions.", hint=f"One of: {_labels(labels)}"
            )
    near = db.execute(sql["labels_containing"], (name,)).fetchall() if name else []
    hint = f"Did you mean: {_labels(near)}" if near else _LISTED
    raise NotFoundError(f"There is no session with the id or title {name!r}.", hint=hint)


def _labels(labels: list[Any]) -> str:
    return ", ".join(f"{label[0]} ({label[1]})" if label[1] else label[0] for label in labels[:5])


def latest(db: Transaction, source: str | None) -> Session | None:
    found = db.execute(load("sessions")["latest"], {"source": source}).get
    return None if found is None else get(db, str(found))


def list_(db: Transaction, filters: Filters, limit: int | None) -> tuple[SessionSummary, ...]:
    values = {**msgspec.structs.asdict(filters), "limit": limit}
    return tuple(rows.summary(row) for row in db.execute(load("sessions")["list"], values))


def update(db: Transaction, session_id: str, change: SessionChange) -> Session:
    changes = {
        field: value
        for field, value in msgspec.structs.asdict(change).items()
        if value is not msgspec.UNSET
    }
    if isinstance(prompt := changes.get("system_prompt"), str):
        changes["system_prompt"] = storable(prompt)
    session = msgspec.structs.replace(get(db, session_id), **changes)
    fields = ("id", *SessionChange.__struct_fields__)
    db.execute(load("sessions")["update"], {field: getattr(session, field) for field in fields})
    return session


def end(db: Transaction, session_id: str, reason: str) -> None:
    require(db, session_id)
    values = {"id": session_id, "now": time.time(), "reason": reason}
    db.execute(load("sessions")["end"], values)


def reopen(db: Transaction, session_id: str) -> None:
    require(db, session_id)
    db.execute(load("sessions")["reopen"], (session_id,))


def rename(db: Transaction, session_id: str, title: str | None) -> str | None:
    require(db, session_id)
    cleaned = _free_title(db, session_id, title)
    db.execute(load("sessions")["rename"], {"id": session_id, "title": cleaned})
    return cleaned


def _free_title(db: Transaction, session_id: str, title: str | None) -> str | None:
    cleaned = clean_title(title) if title else None
    if cleaned is None:
        return None
    holder = db.execute(load("sessions")["id_of_title"], (cleaned,)).get
    if holder is not None and holder != session_id:
        raise TitleTaken(
            f"The title {cleaned!r} belongs to session {holder}.",
            hint="Choose another title, or rename that session first.",
        )
    return cleaned


def next_title(db: Transaction, title: str) -> str:
    base = title_base(clean_title(title) or "Session")
    query = load("sessions")["titles_of_lineage"]
    taken = {str(row[0]) for row in db.execute(query, {"base": base})}
    number = 1 + max(
        (int(end) for t in taken if (end := t.rpartition(" #")[2]).isdecimal()), default=1
    )
    while True:
        candidate = numbered_title(base, number)
        if db.execute(load("sessions")["id_of_title"], (candidate,)).get is None:
            return candidate
        number += 1


def delete(db: Transaction, session_id: str) -> None:
    require(db, session_id)
    for errand in db.execute(load("sessions")["errands"], (session_id,)).fetchall():
        delete(db, str(errand[0]))
    for step in ("orphan_children", "delete_runs", "delete_messages", "delete"):
        db.execute(load("sessions")[step], (session_id,))


def delete_all(db: Transaction, ids: Iterable[str]) -> None:
    """Those that are still there: a sub-agent's session goes with its parent."""
    for session_id in ids:
        if db.execute(load("sessions")["exists"], (session_id,)).get is not None:
            delete(db, session_id)


def prunable(db: Transaction, ended_before: float, source: str | None) -> list[str]:
    values = {"ended_before": ended_before, "source": source}
    return [str(row[0]) for row in db.execute(load("sessions")["prunable"], values)]
