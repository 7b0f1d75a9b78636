"""The port of the session store: its types, and what every engine must do.

All methods are synchronous and short; `journal.SessionJournal` takes them off an event loop.
Times are Unix seconds, money is US dollars, tokens are the vendor's own count.
Every method may raise `StoreError`; `StoreBusy` when another process held the store too long.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.messages import Message, Role, ToolCall, ToolResult, Usage
from hermes_agent.store.spending import SpendingStore
from hermes_agent.store.transcripts import OldFile

COMPRESSION = "compression"
"""The documented reason of a session that went on in a child."""

RunStatus = Literal["running", "ok", "error", "denied", "interrupted"]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session, with every documented column. `model_config` is JSON text."""

    id: str
    source: str
    user_id: str | None = None
    model: str | None = None
    model_config: str | None = None
    system_prompt: str | None = None
    parent_session_id: str | None = None
    started_at: float = 0.0
    ended_at: float | None = None
    end_reason: str | None = None
    message_count: int = 0
    tool_call_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    billing_provider: str | None = None
    billing_base_url: str | None = None
    billing_mode: str | None = None
    estimated_cost_usd: float | None = None
    actual_cost_usd: float | None = None
    cost_status: str | None = None
    cost_source: str | None = None
    pricing_version: str | None = None
    title: str | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Which session a chat is in. `choices` are what its people chose for it (model, effort, …);
    `origin` is where the last message came from."""

    session_key: str
    session_id: str
    created_at: float
    updated_at: float
    origin: Origin
    choices: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class StoredTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Where the person's message of a turn stands."""

    session_id: str
    message_id: int


class Failures(msgspec.Struct, frozen=True):
    """How often a session could not be shortened, and when that was last."""

    count: int = 0
    last: float = 0.0


class SessionChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `update` may set. A field left UNSET stays; None clears it."""

    user_id: str | msgspec.UnsetType | None = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET
    model_config: str | msgspec.UnsetType | None = msgspec.UNSET
    system_prompt: str | msgspec.UnsetType | None = msgspec.UNSET
    billing_provider: str | msgspec.UnsetType | None = msgspec.UNSET
    billing_base_url: str | msgspec.UnsetType | None = msgspec.UNSET
    billing_mode: str | msgspec.UnsetType | None = msgspec.UNSET
    estimated_cost_usd: float | msgspec.UnsetType | None = msgspec.UNSET
    actual_cost_usd: float | msgspec.UnsetType | None = msgspec.UNSET
    cost_status: str | msgspec.UnsetType | None = msgspec.UNSET
    cost_source: str | msgspec.UnsetType | None = msgspec.UNSET
    pricing_version: str | msgspec.UnsetType | None = msgspec.UNSET


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a list. `preview` is the start of the first thing the person said, one line;
    `last_active` is the time of the last message, or of the start."""

    id: str
    source: str
    title: str | None
    model: str | None
    started_at: float
    ended_at: float | None
    last_active: float
    message_count: int
    tool_call_count: int
    preview: str


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A message that matches a search. `snippet` marks matches `>>>thus<<<`, about 40 words."""

    session_id: str
    source: str
    title: str | None
    message_id: int
    role: Role
    timestamp: float
    snippet: str


class ToolRun(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call as it really ran. `message_id` is the assistant message that asked for it.

    `result` is kept until the result stands in the history as a message of its own.
    """

    call_id: str
    name: str
    status: RunStatus
    started_at: float
    finished_at: float | None = None
    message_id: int | None = None
    result: str | None = None


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """What `repair` found. `history` is valid for any model; `added` are the results it wrote."""

    history: tuple[Message, ...]
    added: tuple[Message, ...] = ()


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions are meant. None means any; times are compared with `started_at`. `newest`
    leaves out those that went on in a child, `led` those of sub-agents, unless `source` names
    them."""

    source: str | None = None
    since: float | None = None
    before: float | None = None
    ended: bool | None = None
    with_messages: bool = False
    newest: bool = False
    led: bool = False


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """The store as a whole; `bytes` is what it takes on disk."""

    sessions: int
    messages: int
    by_source: dict[str, int]
    bytes: int
    oldest: float | None
    newest: float | None


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Figures for one name: a model, a source, a day (`YYYY-MM-DD`, local) or a session."""

    name: str
    sessions: int
    messages: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_usd: float


class ToolTally(msgspec.Struct, frozen=True, kw_only=True):
    """How often a tool ran, how often it failed, and the seconds it took in all."""

    name: str
    calls: int
    failures: int
    seconds: float


class Insights(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent did in a span of time. Each tuple has the largest first, days in order."""

    total: Tally
    by_model: tuple[Tally, ...]
    by_source: tuple[Tally, ...]
    by_day: tuple[Tally, ...]
    by_tool: tuple[ToolTally, ...]
    top_sessions: tuple[Tally, ...]


SCRIPTED = "once:"
"""Begins the names of turns that a command line gave, and with it perhaps a pipe."""


UNREVIEWED = 1_000
UNREVIEWED_CHARS = 20_000


class Reviews(msgspec.Struct, frozen=True, kw_only=True):
    """Model calls that looked a conversation through for what is worth noting."""

    calls: int = 0
    usage: Usage = Usage()


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What could be saved of a damaged store; `kept` is where the damaged one is now."""

    kept: str
    sessions: int
    messages: int


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
