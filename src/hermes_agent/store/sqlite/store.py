"""The port `SessionStore` over one SQLite file."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.messages import Message, Role, ToolCall, ToolResult, Usage
from hermes_agent.domain.spending import Sum
from hermes_agent.store.records import (
    Failures,
    Filters,
    Hit,
    Insights,
    Repair,
    Reviews,
    Route,
    Session,
    SessionChange,
    SessionSummary,
    Stats,
    StoredTurn,
    ToolRun,
)
from hermes_agent.store.spending import Spent, SpentSlice
from hermes_agent.store.sqlite import messages, routes, sessions
from hermes_agent.store.sqlite.connection import Database, connect, in_words
from hermes_agent.store.sqlite.copying import copy
from hermes_agent.store.transcripts import OldFile


class SqliteStore:
    """See `SessionStore`. Several threads may share it, several processes the file."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @classmethod
    def open(cls, path: Path) -> "SqliteStore":
        """Open, make or migrate the file. Raises `StoreError`, `NewerStoreError`."""
        return cls(connect(path))

    @property
    def location(self) -> str:
        return str(self._db.path)

    @property
    def read_only(self) -> bool:
        return self._db.read_only

    @property
    def kept_copy(self) -> Path | None:
        return self._db.kept

    def old_home(self) -> Sequence[OldFile]:
        query = "SELECT what, name, problem FROM old_home ORDER BY what DESC, name"
        with self._db.read() as db:
            return [OldFile(*row) for row in db.execute(query)]

    @contextmanager
    def together(self) -> Generator[None]:
        with self._db.write():
            yield

    def create(self, session: Session) -> Session:
        with self._db.write() as db:
            return sessions.create(db, session)

    def get(self, session_id: str) -> Session:
        with self._db.read() as db:
            return sessions.get(db, session_id)

    def resolve(self, name: str) -> Session:
        with self._db.read() as db:
            return sessions.resolve(db, name)

    def latest(self, source: str | None = None) -> Session | None:
        with self._db.read() as db:
            return sessions.latest(db, source)

    def list(
        self, filters: Filters | None = None, *, limit: int | None = None
    ) -> tuple[SessionSummary, ...]:
        with self._db.read() as db:
            return sessions.list_(db, filters or Filters(), limit)

    def update(self, session_id: str, change: SessionChange) -> Session:
        with self._db.write() as db:
            return sessions.update(db, session_id, change)

    def end(self, session_id: str, reason: str) -> None:
        with self._db.write() as db:
            sessions.end(db, session_id, reason)

    def reopen(self, session_id: str) -> None:
        with self._db.write() as db:
            sessions.reopen(db, session_id)

    def rename(self, session_id: str, title: str | None) -> str | None:
        with self._db.write() as db:
            return sessions.rename(db, session_id, title)

    def next_title(self, title: str) -> str:
        with self._db.read() as db:
            return sessions.next_title(db, title)

    def delete(self, session_id: str) -> None:
        with self._db.write() as db:
            sessions.delete(db, session_id)

    def prune(self, *, ended_before: float, source: str | None = None) -> int:
        with self._db.write() as db:
            ids = sessions.prunable(db, ended_before, source)
            sessions.delete_all(db, ids)
            return len(ids)

    def prunable(self, *, ended_before: float, source: str | None = None) -> int:
        with self._db.read() as db:
            return len(sessions.prunable(db, ended_before, source))

    def append(self, session_id: str, message: Message) -> Message:
        with self._db.write() as db:
            return messages.append(db, session_id, message)

    def route(self, session_key: str) -> Route | None:
        with self._db.read() as db:
            return routes.get(db, session_key)

    def save_route(self, route: Route) -> None:
        with self._db.write() as db:
            routes.put(db, route)

    def routes(self, *, limit: int = 1000) -> tuple[Route, ...]:
        with self._db.read() as db:
            return routes.list_(db, limit)

    def of_turn(self, turn: str) -> StoredTurn | None:
        with self._db.read() as db:
            return messages.of_turn(db, turn)

    def history(self, session_id: str) -> tuple[Message, ...]:
        with self._db.read() as db:
            return messages.history(db, session_id)

    def call_started(self, session_id: str, call: ToolCall) -> None:
        with self._db.write() as db:
            messages.call_started(db, session_id, call)

    def call_finished(self, session_id: str, result: ToolResult) -> None:
        with self._db.write() as db:
            messages.call_finished(db, session_id, result)

    def succeed(
        self, session_id: str, child_id: str, kept: Sequence[Message]
    ) -> tuple[Session, tuple[Message, ...]]:
        from hermes_agent.store.sqlite import compaction

        with self._db.write() as db:
            return compaction.succeed(db, session_id, child_id, kept)

    def tip(self, session_id: str) -> str:
        from hermes_agent.store.sqlite import compaction

        with self._db.read() as db:
            return compaction.tip(db, session_id)

    def written(self, turn: str) -> tuple[Message, ...]:
        from hermes_agent.store.sqlite import compaction

        with self._db.read() as db:
            return compaction.written(db, turn)

    def compaction_failures(self, session_id: str) -> Failures:
        from hermes_agent.store.sqlite import compaction

        with self._db.read() as db:
            return compaction.failures(db, session_id)

    def compaction_failed(self, session_id: str) -> Failures:
        from hermes_agent.store.sqlite import compaction

        with self._db.write() as db:
            return compaction.failed(db, session_id)

    def spent(self, session_id: str, usage: Usage) -> None:
        from hermes_agent.store.sqlite import compaction

        with self._db.write() as db:
            compaction.spent(db, session_id, usage)

    def unreviewed(self, session_id: str) -> tuple[Message, ...]:
        from hermes_agent.store.sqlite import reviews

        with self._db.read() as db:
            return reviews.unreviewed(db, session_id)

    def reviewed(self, session_id: str, message_id: int) -> None:
        from hermes_agent.store.sqlite import reviews

        with self._db.write() as db:
            reviews.reviewed(db, session_id, message_id)

    def review_asked(self, session_id: str, usage: Usage) -> None:
        from hermes_agent.store.sqlite import reviews

        with self._db.write() as db:
            reviews.asked(db, session_id, usage)

    def reviews(self, session_id: str) -> Reviews:
        from hermes_agent.store.sqlite import reviews

        with self._db.read() as db:
            return reviews.reviews(db, session_id)

    def book(self, spent: Spent) -> None:
        from hermes_agent.store.sqlite import spending

        with self._db.write() as db:
            spending.book(db, spent)

    def spent_between(self, since: float, until: float) -> Sum:
        from hermes_agent.store.sqlite import spending

        with self._db.read() as db:
            return spending.between(db, since, until)

    def spent_in(self, session_id: str) -> Sum:
        from hermes_agent.store.sqlite import spending

        with self._db.read() as db:
            return spending.in_session(db, session_id)

    def spending(self, *, since: float, source: str | None = None) -> tuple[SpentSlice, ...]:
        from hermes_agent.store.sqlite import spending

        with self._db.read() as db:
            return spending.slices(db, since, source)

    def runs(self, session_id: str) -> tuple[ToolRun, ...]:
        with self._db.read() as db:
            return messages.runs(db, session_id)

    def repair(self, session_id: str) -> Repair:
        with self._db.write() as db:
            return messages.repair(db, session_id)

    def rewind(self, session_id: str, message_id: int) -> int:
        with self._db.write() as db:
            return messages.rewind(db, session_id, message_id)

    def search(
        self,
        query: str,
        *,
        roles: tuple[Role, ...] = (),
        source: str | None = None,
        limit: int = 20,
    ) -> tuple[Hit, ...]:
        from hermes_agent.store.sqlite import search

        with self._db.read() as db:
            return search.search(db, query, roles, source, limit)

    def stats(self) -> Stats:
        from hermes_agent.store.sqlite import insights

        path = self._db.path
        files = (path.with_name(path.name + end) for end in ("", "-wal"))
        size = sum(file.stat().st_size for file in files if file.exists())
        with self._db.read() as db:
            return insights.stats(db, size)

    def insights(self, *, since: float, source: str | None = None) -> Insights:
        from hermes_agent.store.sqlite import insights

        with self._db.read() as db:
            return insights.insights(db, since, source)

    def export(self, filters: Filters | None = None) -> Iterator[dict[str, object]]:
        for summary in self.list(filters):
            # One that was deleted meanwhile is left out.
            with suppress(NotFoundError):
                yield self.export_session(summary.id)

    def export_session(self, session_id: str) -> dict[str, object]:
        with self._db.read() as db:
            session = sessions.get(db, session_id)
            stored = messages.history(db, session_id)
        exported: dict[str, object] = msgspec.structs.asdict(session)
        exported["messages"] = [_exported(message) for message in stored]
        return exported

    def backup(self, target: Path) -> None:
        with in_words(self._db.path):
            copy(self._db.path, target)

    def close(self) -> None:
        self._db.close()


def _exported(message: Message) -> dict[str, object]:
    """The documented columns first; what only we know follows when there is any."""
    line: dict[str, object] = {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "timestamp": message.timestamp,
    }
    if message.tool_calls:
        line["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    rest = {
        "tool_call_id": message.tool_call_id,
        "tool_name": message.tool_name,
        "finish_reason": message.finish,
        "model": message.model,
        "usage": message.usage and msgspec.to_builtins(message.usage),
        "reasoning": msgspec.to_builtins(message.reasoning),
        "images": msgspec.to_builtins(message.images),
        "summary": message.summary,
    }
    return line | {name: value for name, value in rest.items() if value}
