"""What a client is told about the tools at work: one shape for every stream."""

from typing import Any

from hermes_agent.domain.events import Event, Notice, ToolFinished, ToolStarted
from hermes_agent.domain.model import Retrying

NAME = "hermes.tool.progress"
RETRY = "hermes.retry"
NOTICE = "hermes.notice"


def told(event: Event) -> tuple[str, dict[str, Any]] | None:
    """The name and the data of our own stream event for this; None where there is none."""
    match event:
        case ToolStarted(call=call, summary=summary):
            data = {"status": "started", "call_id": call.id, "tool": call.name, "summary": summary}
            return NAME, data
        case ToolFinished(result=result):
            return NAME, {
                "status": "finished",
                "call_id": result.call_id,
                "tool": result.name,
                "summary": result.summary,
                "result": result.status,
                "duration": round(result.duration, 3),
            }
        case Retrying(reason=reason, delay=delay, attempt=attempt):
            return RETRY, {"reason": reason, "delay": delay, "attempt": attempt}
        case Notice(text=text):
            return NOTICE, {"text": text}
        case _:
            return None
