"""The port of the session store: what every engine must do.

All methods are synchronous and short; `journal.SessionJournal` takes them off an event loop.
Times are Unix seconds, money is US dollars, tokens are the vendor's own count.
Every method may raise `StoreError`; `StoreBusy` when another process held the store too long.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from hermes_agent.domain.messages import Message, Role, ToolCall, ToolResult, Usage
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
from hermes_agent.store.spending import SpendingStore
from hermes_agent.store.transcripts import OldFile


class SessionStore(SpendingStore, Protocol):
    """Sessions and their messages. What a method has returned from survives `kill -9`."""

    @property
    def location(self) -> str:
        """Where the data is, for people."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written here."""
        ...

    @property
    def kept_copy(self) -> Path | None:
        """The data as it was before it was brought up to date on opening; None if it was not."""
        ...

    def old_home(self) -> Sequence[OldFile]:
        """What became of the files in which an older installation kept conversations."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """What this thread stores inside is committed at the end, all or nothing.

        A call that fails inside undoes itself only. Other threads and processes wait meanwhile.
        """
        ...

    def create(self, session: Session) -> Session:
        """Store a new session; an empty `started_at` becomes now, the title is cleaned.

        Raises `TitleTaken`, `StoreError` when the id exists, and `NotFoundError` when the
        parent does not.
        """
        ...

    def get(self, session_id: str) -> Session:
        """By exact id. Raises `NotFoundError`."""
        ...

    def resolve(self, name: str) -> Session:
        """By id, unique beginning of an id, or title (any letter case).

        Raises `NotFoundError`; its hint names the candidates of an ambiguous name.
        """
        ...

    def latest(self, source: str | None = None) -> Session | None:
        """The session with messages that was active last."""
        ...

    def list(
        self, filters: Filters | None = None, *, limit: int | None = None
    ) -> tuple[SessionSummary, ...]:
        """The sessions, last active first."""
        ...

    def update(self, session_id: str, change: SessionChange) -> Session:
        """Set fields. Raises `NotFoundError`."""
        ...

    def end(self, session_id: str, reason: str) -> None:
        """Mark as ended now; the first end stands. Raises `NotFoundError`."""
        ...

    def reopen(self, session_id: str) -> None:
        """Take the end back, as a resumed session goes on. Raises `NotFoundError`."""
        ...

    def rename(self, session_id: str, title: str | None) -> str | None:
        """Set or clear the title; returns it cleaned. Raises `NotFoundError`, `TitleTaken`."""
        ...

    def next_title(self, title: str) -> str:
        """The next free title of a lineage: `Plans` gives `Plans #2`, then `Plans #3`."""
        ...

    def delete(self, session_id: str) -> None:
        """Remove the session, its messages and its sub-agents' sessions; other children lose their
        parent link.

        Raises `NotFoundError`.
        """
        ...

    def prune(self, *, ended_before: float, source: str | None = None) -> int:
        """Delete the sessions that ended before a time; returns how many."""
        ...

    def prunable(self, *, ended_before: float, source: str | None = None) -> int:
        """How many sessions `prune` would delete."""
        ...

    def append(self, session_id: str, message: Message) -> Message:
        """Store a finished message and count it, in one step; returned with id and time.

        The returned message is what is stored: unstorable characters are replaced (`text`).
        A result for a call that `repair` has answered meanwhile takes that answer's place.
        A message with a `turn` that is stored already is not stored again. Raises
        `NotFoundError`.
        """
        ...

    def route(self, session_key: str) -> Route | None:
        """The route of a chat; None before its first message."""
        ...

    def save_route(self, route: Route) -> None:
        """Store it in place of the one with its key."""
        ...

    def routes(self, *, limit: int = 1000) -> tuple[Route, ...]:
        """The routes, the latest first."""
        ...

    def of_turn(self, turn: str) -> StoredTurn | None:
        """Where the message of this turn stands; None before it was stored."""
        ...

    def history(self, session_id: str) -> tuple[Message, ...]:
        """The messages in order, all that are stored. Raises `NotFoundError`."""
        ...

    def call_started(self, session_id: str, call: ToolCall) -> None:
        """A tool call is about to run."""
        ...

    def call_finished(self, session_id: str, result: ToolResult) -> None:
        """A tool call ended; its result is safe from here on."""
        ...

    def succeed(
        self, session_id: str, child_id: str, kept: Sequence[Message]
    ) -> tuple[Session, tuple[Message, ...]]:
        """Let the session go on in a new child, all or nothing: the child has the messages
        `kept`, in this order; the session ends with the reason `compression` and keeps its own.

        A kept message with an `id` of the session's is copied as it is given here, without its
        usage, and hands its `turn` over; one without is new. The child has the next title of the
        lineage, and routes to the session lead to the child. Returns the child and its messages.
        Raises `NotFoundError`, and `StoreError` when the child's id exists.
        """
        ...

    def tip(self, session_id: str) -> str:
        """The newest session of those in which this one went on; itself if there is none."""
        ...

    def written(self, turn: str) -> tuple[Message, ...]:
        """What the model wrote since the message of this turn, also before its session went on
        in a child."""
        ...

    def compaction_failures(self, session_id: str) -> Failures:
        """How often `compaction_failed` was said of the session."""
        ...

    def compaction_failed(self, session_id: str) -> Failures:
        """One more attempt failed just now. Raises `NotFoundError`."""
        ...

    def spent(self, session_id: str, usage: Usage) -> None:
        """Count a model call that left no message. Raises `NotFoundError`."""
        ...

    def unreviewed(self, session_id: str) -> tuple[Message, ...]:
        """What was said to the agent since `reviewed`, in this session and in those that it
        continues: the latest `UNREVIEWED` user messages, with id, time and the first
        `UNREVIEWED_CHARS` of their text. Those whose turn begins with `SCRIPTED` are left out."""
        ...

    def reviewed(self, session_id: str, message_id: int) -> None:
        """The conversation was looked through up to this message. Raises `NotFoundError`."""
        ...

    def review_asked(self, session_id: str, usage: Usage) -> None:
        """Count a model call that looked it through. Raises `NotFoundError`."""
        ...

    def reviews(self, session_id: str) -> Reviews:
        """The model calls that looked it through, those of the sessions it continues included."""
        ...

    def runs(self, session_id: str) -> tuple[ToolRun, ...]:
        """The tool runs of a session in the order they started."""
        ...

    def repair(self, session_id: str) -> Repair:
        """Make the history whole before a turn goes on; see `arrange.arrange`.

        Only for a session that no other process is working on. Raises `NotFoundError`.
        """
        ...

    def rewind(self, session_id: str, message_id: int) -> int:
        """Remove this message and all after it; returns how many. Raises `NotFoundError`."""
        ...

    def search(
        self,
        query: str,
        *,
        roles: tuple[Role, ...] = (),
        source: str | None = None,
        limit: int = 20,
    ) -> tuple[Hit, ...]:
        """Messages with these words, best first. `"a phrase"`, `AND`, `OR`, `NOT` and `word*`
        work; anything else that looks like syntax is taken as words. Of a query, the first
        1,000 characters count."""
        ...

    def stats(self) -> Stats:
        """Counts and size."""
        ...

    def insights(self, *, since: float, source: str | None = None) -> Insights:
        """Figures of the sessions with activity since a time."""
        ...

    def export(self, filters: Filters | None = None) -> Iterator[dict[str, object]]:
        """Each session as JSON-ready data: the documented columns, and `messages` in the
        documented shape with images and reasoning beside."""
        ...

    def export_session(self, session_id: str) -> dict[str, object]:
        """One session as `export` gives it. Raises `NotFoundError`."""
        ...

    def backup(self, target: Path) -> None:
        """Write a consistent copy while others go on working."""
        ...

    def close(self) -> None:
        """Give everything back. Closing twice is fine."""
        ...
