"""The way back into past conversations: search by words, and reading on where a hit stands.

No model is asked: the store's ranking and the messages themselves say it all.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from hermes_agent.domain.errors import NotFoundError, UsageError
from hermes_agent.domain.messages import Message, Role
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Filters, Hit, Session

_HITS = 120
_SNIPPETS = 3
_AROUND = 4
_CHARS = 1500
_ASKED_FOR = 20_000
ROLES: tuple[Role, ...] = ("user", "assistant", "tool")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A past conversation; times in seconds since 1970. `snippets` are of its best messages."""

    session_id: str
    title: str | None
    source: str
    last_active: float
    snippets: tuple["Snippet", ...] = ()
    preview: str = ""


class Snippet(msgspec.Struct, frozen=True):
    """A message that fits; `text` marks the words `>>>thus<<<`."""

    message_id: int
    role: Role
    text: str


class Line(msgspec.Struct, frozen=True):
    """A message of a past conversation, cut to a readable length."""

    message_id: int
    role: Role
    text: str


class Recall:
    """What one session may look up. `mine` says of a stored session whether its person may see it;
    `session_id` is the session itself, which is never found; what it was before a compaction is."""

    def __init__(
        self, store: SessionStore, session_id: str, mine: Callable[[Session], bool]
    ) -> None:
        self._store = store
        self._session_id = session_id
        self._mine = mine

    def search(
        self, query: str, *, roles: tuple[Role, ...] = (), limit: int = 3
    ) -> tuple[Found, ...]:
        """The conversations that fit best. A conversation that was continued in another row
        after compaction is one."""
        now = self._store.tip(self._session_id)
        groups: dict[str, list[Hit]] = {}
        rows: dict[str, Session] = {}
        for hit in self._store.search(query, roles=roles or ROLES[:2], limit=_HITS):
            row = self._row(hit.session_id)
            if row is None or row.id == now or not self._mine(row):
                continue
            root = self._root(hit.session_id)
            rows.setdefault(root, row)
            groups.setdefault(root, []).append(hit)
            if len(groups) > limit:
                del groups[root]
                break
        return tuple(_found(rows[root], hits) for root, hits in groups.items())

    def recent(self, *, limit: int = 3) -> tuple[Found, ...]:
        """The latest conversations."""
        own = self._root(self._session_id)
        seen: dict[str, Found] = {}
        for each in self._store.list(Filters(with_messages=True, led=True), limit=_HITS):
            row = self._row(each.id)
            root = self._root(each.id)
            if row is None or root == own or root in seen or not self._mine(row):
                continue
            seen[root] = Found(
                session_id=each.id,
                title=each.title,
                source=each.source,
                last_active=each.last_active,
                preview=each.preview,
            )
            if len(seen) == limit:
                break
        return tuple(seen.values())

    def around(self, session_id: str, message_id: int | None = None) -> tuple[Line, ...]:
        """The messages before and after one, which is shown at length, or the beginning. Raises
        `NotFoundError`."""
        row = self._row(session_id)
        if row is None or not self._mine(row):
            raise NotFoundError(f"There is no conversation {session_id!r} to look into.")
        spoken = [each for each in self._store.history(session_id) if each.content.strip()]
        if message_id is None:
            return _lines(spoken[: 2 * _AROUND + 1])
        at = next((i for i, each in enumerate(spoken) if each.id == message_id), None)
        if at is None:
            raise UsageError(f"Conversation {session_id} has no message {message_id}.")
        near = spoken[max(0, at - _AROUND) : at + _AROUND + 1]
        return tuple(_line(each, _ASKED_FOR if each.id == message_id else _CHARS) for each in near)

    def _row(self, session_id: str) -> Session | None:
        try:
            return self._store.get(session_id)
        except NotFoundError:
            return None

    def _root(self, session_id: str) -> str:
        seen = {session_id}
        while True:
            row = self._row(session_id)
            parent = row.parent_session_id if row else None
            if parent is None or parent in seen:
                return session_id
            seen.add(parent)
            session_id = parent


def as_data(value: Iterable[Any]) -> list[Any]:
    """JSON-ready."""
    return [msgspec.to_builtins(each) for each in value]


def _found(row: Session, hits: list[Hit]) -> Found:
    return Found(
        session_id=hits[0].session_id,
        title=row.title,
        source=row.source,
        last_active=max(hit.timestamp for hit in hits),
        snippets=tuple(Snippet(h.message_id, h.role, h.snippet) for h in hits[:_SNIPPETS]),
    )


def _lines(messages: Iterable[Message]) -> tuple[Line, ...]:
    return tuple(_line(each, _CHARS) for each in messages)


def _line(message: Message, size: int) -> Line:
    return Line(message.id or 0, message.role, _cut(message.content, size))


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[:size]} [… {len(text) - size} more]"
