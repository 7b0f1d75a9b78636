"""The bodies of /api/sessions."""

from typing import Annotated, Literal

import msgspec

from hermes_agent.domain.messages import Finish, Message, Role
from hermes_agent.store.records import Session, SessionSummary


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions, last active first."""

    data: list[SessionSummary]
    object: Literal["list"] = "list"


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session without its prompt. Times are Unix seconds."""

    id: str
    source: str
    user_id: str | None
    model: str | None
    parent_session_id: str | None
    title: str | None
    started_at: float
    ended_at: float | None
    end_reason: str | None
    message_count: int
    tool_call_count: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    estimated_cost_usd: float | None
    actual_cost_usd: float | None
    object: Literal["hermes.session"] = "hermes.session"

    @classmethod
    def of(cls, row: Session) -> "SessionView":
        """From the stored row."""
        names = [name for name in cls.__struct_fields__ if name != "object"]
        return cls(**{name: getattr(row, name) for name in names})


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message. Of pictures only the number is told. Nobody said a `summary`: it stands
    for earlier messages, which its session's parent keeps."""

    id: int | None
    role: Role
    content: str
    timestamp: float
    images: int = 0
    tool_calls: list[CallView] = msgspec.field(default_factory=list[CallView])
    tool_call_id: str | None = None
    tool_name: str | None = None
    finish_reason: Finish | None = None
    model: str | None = None
    summary: bool = False

    @classmethod
    def of(cls, message: Message) -> "MessageView":
        """From the stored message."""
        return cls(
            id=message.id,
            role=message.role,
            content=message.content,
            timestamp=message.timestamp,
            images=len(message.images),
            tool_calls=[
                CallView(id=call.id, name=call.name, arguments=call.arguments)
                for call in message.tool_calls
            ],
            tool_call_id=message.tool_call_id,
            tool_name=message.tool_name,
            finish_reason=message.finish,
            model=message.model,
            summary=message.summary,
        )


class MessageList(msgspec.Struct, frozen=True, kw_only=True):
    """Messages in order; `has_more` when the limit cut the list."""

    data: list[MessageView]
    has_more: bool
    object: Literal["list"] = "list"


class SessionRename(msgspec.Struct, frozen=True, kw_only=True):
    """A new title; null takes it away."""

    title: Annotated[str, msgspec.Meta(max_length=1000)] | None
