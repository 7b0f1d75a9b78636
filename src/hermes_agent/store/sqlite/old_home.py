"""What an older installation kept in files beside the database, read into the tables once.

What stands in the tables already wins, and the files stay as they are.
"""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from hermes_agent.store.records import Route, Session
from hermes_agent.store.sqlite import messages, routes, rows, sessions
from hermes_agent.store.sqlite.mending import UNKNOWN_SOURCE
from hermes_agent.store.sqlite.transaction import Transaction
from hermes_agent.store.text import storable
from hermes_agent.store.transcripts import (
    CHATS,
    Transcript,
    chat_entry,
    fields_of,
    moment,
    read_chats,
    read_transcript,
    text,
    transcripts,
)


def take_over(db: Transaction, folder: Path) -> None:
    """Everything in `folder`, the `sessions` of a home, within the transaction of `db`. What cannot
    be read is noted in `old_home`, and never an error."""
    chats = _chats(db, folder)
    by_session = {text(entry.get("session_id")): entry for entry in chats.values()}
    for path in transcripts(folder):
        try:
            found = read_transcript(path)
        except (OSError, ValueError, RecursionError) as error:
            _note(db, "transcript", path.name, _why(error))
            continue
        if found.spoken and not _has_messages(db, found.session_id):
            _store(db, found, by_session.get(found.session_id), path)
            _note(db, "transcript", path.name, found.problem)
        elif found.problem and not found.spoken:
            _note(db, "transcript", path.name, found.problem)
    for key, entry in chats.items():
        _note(db, "chat", key[:200], _lead(db, key, entry))


def _store(db: Transaction, found: Transcript, chat: dict[str, Any] | None, path: Path) -> None:
    entry = chat or {}
    times = [message.timestamp for message in found.spoken if message.timestamp]
    told = moment(entry.get("created_at")) or found.began
    at = told or min(times, default=0.0) or path.stat().st_mtime
    if not _is_there(db, found.session_id):
        platform = text(entry.get("platform")) or found.platform or UNKNOWN_SOURCE
        sessions.create(
            db,
            Session(
                id=found.session_id,
                source=platform,
                user_id=text(fields_of(entry.get("origin")).get("user_id")),
                model=found.model,
                system_prompt=found.system,
                started_at=at,
            ),
        )
    for message in found.spoken:
        at = max(at, message.timestamp)
        messages.insert(db, found.session_id, rows.cleaned(replace(message, timestamp=at)))
    if chat is None:
        query = "UPDATE sessions SET ended_at = coalesce(ended_at, ?) WHERE id = ?"
        db.execute(query, (at, found.session_id))


def _chats(db: Transaction, folder: Path) -> dict[str, dict[str, Any]]:
    try:
        return read_chats(folder)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        _note(db, "chat", CHATS, _why(error))
        return {}


def _lead(db: Transaction, key: str, entry: dict[str, Any]) -> str:
    """Let the chat go on in its session; returns what is in the way."""
    try:
        chat = chat_entry(key, entry)
    except ValueError as error:
        return _why(error)
    if not _is_there(db, chat.session_id):
        return "its session is not there; the next message begins a new one"
    if routes.get(db, key) is None:
        routes.put(
            db,
            Route(
                session_key=key,
                session_id=chat.session_id,
                created_at=chat.created_at,
                updated_at=chat.updated_at,
                origin=chat.origin,
            ),
        )
    return ""


def _is_there(db: Transaction, session_id: str) -> bool:
    query = "SELECT 1 FROM sessions WHERE id = ?"
    return db.execute(query, (storable(session_id),)).get is not None


def _has_messages(db: Transaction, session_id: str) -> bool:
    query = "SELECT 1 FROM messages WHERE session_id = ? LIMIT 1"
    return db.execute(query, (session_id,)).get is not None


def _note(db: Transaction, what: str, name: str, problem: str) -> None:
    db.execute(
        "INSERT OR REPLACE INTO old_home (what, name, problem) VALUES (?, ?, ?)",
        (what, storable(name), storable(problem)[:300]),
    )


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
