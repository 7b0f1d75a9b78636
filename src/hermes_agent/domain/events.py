"""What a turn tells as it goes, and how it can end. Every entrance shows these its own way."""

import msgspec

from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.domain.model import CallDelta, ReasoningDelta, Retrying, TextDelta


class MessageDone(msgspec.Struct, frozen=True, tag="message"):
    """A message is finished and stored."""

    message: Message


class ToolStarted(msgspec.Struct, frozen=True, tag="tool_started"):
    """A tool call begins; `summary` is one line for people."""

    call: ToolCall
    summary: str


class ToolOutput(msgspec.Struct, frozen=True, tag="tool_output"):
    """A running tool call printed something."""

    call_id: str
    text: str


class ToolFinished(msgspec.Struct, frozen=True, tag="tool_finished"):
    """A tool call ended, one way or another."""

    result: ToolResult


class Steered(msgspec.Struct, frozen=True, tag="steered"):
    """What the person said meanwhile has reached the model; `turn` as in `Said`."""

    text: str
    turn: str | None = None


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """Something the person should know that is not part of the answer."""

    text: str


class Compacting(msgspec.Struct, frozen=True, tag="compacting"):
    """The conversation is too long and is being shortened; `tokens` of `window` are in use."""

    tokens: int
    window: int


class Compacted(msgspec.Struct, frozen=True, tag="compacted"):
    """The conversation was shortened: it goes on in the session `session_id`, whose parent keeps
    everything. `before` and `after` are tokens, `summarised` counts messages (0: only old results
    of tools were thinned)."""

    session_id: str
    parent_id: str
    title: str | None
    before: int
    after: int
    summarised: int


class NotCompacted(msgspec.Struct, frozen=True, tag="not_compacted"):
    """The conversation could not be shortened, so nothing was taken from it."""

    reason: str
    hint: str | None = None


class Completed(msgspec.Struct, frozen=True, tag="completed"):
    """The model finished its answer."""

    message: Message


class Interrupted(msgspec.Struct, frozen=True, tag="interrupted"):
    """The person stopped the turn; the history is whole."""


class BudgetSpent(msgspec.Struct, frozen=True, tag="budget_spent"):
    """The iterations ran out; `message` is the model's closing answer, if it gave one."""

    limit: int
    message: Message | None = None


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The model could not go on. `error` names the class; what is stored stays."""

    error: str
    message: str
    hint: str | None = None


Ending = Completed | Interrupted | BudgetSpent | Failed


class TurnEnded(msgspec.Struct, frozen=True, tag="turn_ended"):
    """The last event of every turn. `usage` sums the turn's model calls."""

    ending: Ending
    usage: Usage
    iterations: int
    duration: float


Event = (
    TextDelta
    | ReasoningDelta
    | CallDelta
    | Retrying
    | MessageDone
    | ToolStarted
    | ToolOutput
    | ToolFinished
    | Steered
    | Notice
    | Compacting
    | Compacted
    | NotCompacted
    | TurnEnded
)
