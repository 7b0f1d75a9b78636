"""The bodies of runs: turns that go on without a connection, and can be asked about."""

from typing import Literal

import msgspec

from hermes_agent.api.chat_wire import ChatUsage
from hermes_agent.api.responses_wire import Input, Metadata
from hermes_agent.domain.asking import Approval
from hermes_agent.domain.model import Effort

RunStatus = Literal[
    "running", "waiting_for_approval", "completed", "incomplete", "failed", "stopped"
]


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`session_id` goes on in a stored session."""

    input: Input
    model: str | None = None
    instructions: str | None = None
    session_id: str | None = None
    reasoning_effort: Effort | None = None
    metadata: Metadata | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the run waits for: leave to do something (`approval`), or words (`clarify`)."""

    id: str
    kind: Literal["approval", "clarify"]
    text: str
    choices: tuple[str, ...] = ()
    tool: str | None = None
    reason: str | None = None
    asked_at: float = 0.0
    expires_at: float = 0.0


class RunError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed."""

    code: str
    message: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands. Times are Unix seconds; `output` is the final answer."""

    id: str
    session_id: str
    status: RunStatus
    created_at: float
    ended_at: float | None = None
    model: str
    output: str | None = None
    usage: ChatUsage | None = None
    error: RunError | None = None
    questions: list[Question] = msgspec.field(default_factory=list[Question])
    metadata: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    object: Literal["hermes.run"] = "hermes.run"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question: a `decision` where leave was asked for, words (`answer`) where
    words were. `question_id` may be left out while there is only one."""

    question_id: str | None = None
    decision: Approval | None = None
    answer: str | None = None
