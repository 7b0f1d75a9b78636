"""What a session store keeps, as types.

Times are Unix seconds, money is US dollars, tokens are the vendor's own count.
"""

from typing import Literal

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.messages import Message, Role, Usage

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
