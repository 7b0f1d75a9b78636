"""Work that one agent gives to another: what is to be done, and what came of it."""

from typing import Literal

import msgspec

from hermes_agent.domain.messages import Usage

ExitReason = Literal["completed", "max_iterations", "interrupted", "error"]
SOURCE = "delegate"
"""The `source` of a sub-agent's session."""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work. `context` is all that the sub-agent knows besides the goal; `toolsets`
    choose among the tools of whoever gives it; `max_iterations` counts model calls."""

    goal: str
    context: str = ""
    toolsets: tuple[str, ...] = ()
    max_iterations: int | None = None


class Trace(msgspec.Struct, frozen=True):
    """A tool that a sub-agent called, and how that ended."""

    tool: str
    status: str


class ErrandReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an errand. `summary` is the sub-agent's last answer, data for whoever asked;
    `error` says why it is not done. `usage` includes the sub-agents of its own."""

    exit_reason: ExitReason
    summary: str = ""
    error: str = ""
    model: str = ""
    session_id: str = ""
    api_calls: int = 0
    duration: float = 0.0
    usage: Usage = Usage()
    tool_trace: tuple[Trace, ...] = ()
