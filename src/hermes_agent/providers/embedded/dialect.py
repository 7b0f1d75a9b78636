"""How the small model is spoken to: a short prompt, worked examples, plain-JSON tool calls.

Small coder models ignore the call syntax of their own chat template, but follow examples.
So the server is given nothing but chat messages (no `tools`, hence no parser of its own that
could refuse an answer), a call is one JSON object that is the whole answer, and a result
comes back as a user turn. What precedes the conversation is the same bytes in every session,
so that the server computes it once.
"""

import functools
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Literal

import msgspec

from hermes_agent.domain.messages import Message, ToolCall

RESULT = "Tool output:\n"
RESULT_LIMIT = 4_000
"""Characters of a tool's output that the model sees; reading costs it 10 ms a token."""


class Turn(msgspec.Struct, frozen=True):
    """A message as the server takes it."""

    role: Literal["system", "user", "assistant"]
    content: str


class Example(msgspec.Struct, frozen=True):
    """A worked exchange, shown when all the tools that it `needs` are there."""

    needs: tuple[str, ...]
    turns: tuple[Turn, ...]


class Signature(msgspec.Struct, frozen=True):
    """A tool in one line, shorter than its schema."""

    name: str
    line: str


@functools.cache
def signatures() -> tuple[Signature, ...]:
    """The tools that the model can handle."""
    return msgspec.json.decode(_text("tools.json"), type=tuple[Signature, ...])


@functools.cache
def opening(tools: frozenset[str]) -> tuple[Turn, ...]:
    """System prompt and examples for these tools; constant bytes."""
    known = [tool.line for tool in signatures() if tool.name in tools]
    system = _text("prompt.md" if known else "prompt-plain.md").strip()
    examples = msgspec.json.decode(_text("examples.json"), type=tuple[Example, ...])
    shown = (turn for one in examples if tools.issuperset(one.needs) for turn in one.turns)
    return (
        Turn("system", system.replace("{{tools}}", "\n".join(f"- {line}" for line in known))),
        *shown,
    )


def conversation(messages: Iterable[Message], *, where: str) -> tuple[Turn, ...]:
    """The messages as turns that alternate. `where` (directory, date) goes before the first."""
    turns: list[Turn] = []
    for message in messages:
        turn = _turn(message)
        if turns and turns[-1].role == turn.role:
            joined = f"{turns[-1].content}\n\n{turn.content}".strip()
            turns[-1] = Turn(turn.role, joined)
        else:
            turns.append(turn)
    if turns and turns[0].role == "user" and where:
        turns[0] = Turn("user", f"({where})\n{turns[0].content}")
    return tuple(turns)


def call_text(call: ToolCall) -> str:
    """A call as the model writes it; the spacing of the examples."""
    try:
        arguments = msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        arguments = {}
    import json

    return json.dumps({"name": call.name, "arguments": arguments}, ensure_ascii=False)


def fitting(turns: Sequence[Turn], *, limit: int) -> tuple[Turn, ...]:
    """The latest turns within `limit` characters, beginning with a person's words.

    The beginning is dropped in halves of the limit, not turn by turn: what is left stays the
    same for many calls, and so does the server's computed prefix.
    """
    total = sum(len(turn.content) for turn in turns)
    if total <= limit:
        return tuple(turns)
    step = limit // 2
    drop = -(-(total - limit) // step) * step
    gone = 0
    for number, turn in enumerate(turns):
        starts = turn.role == "user" and not turn.content.startswith(RESULT)
        if starts and gone >= drop:
            return tuple(turns[number:])
        gone += len(turn.content)
    last = [n for n, t in enumerate(turns) if t.role == "user" and not t.content.startswith(RESULT)]
    return tuple(turns[last[-1] :]) if last else tuple(turns)


def _turn(message: Message) -> Turn:
    match message.role:
        case "tool":
            return Turn("user", RESULT + _result(message.content))
        case "assistant":
            calls = "\n".join(call_text(call) for call in message.tool_calls)
            # What was said beside a call would teach the model to chat instead of calling.
            return Turn("assistant", calls or message.content)
        case "user":
            return Turn("user", message.content)


def _result(content: str) -> str:
    """A tool's result without its JSON wrapping, its middle cut when long."""
    text = content
    try:
        found = msgspec.json.decode(content, type=_Outcome)
    except msgspec.DecodeError:
        pass
    else:
        text = content if found.output is None else found.output.strip()
        if found.error:
            text = f"{text}\nerror: {found.error}".strip()
        if found.exit_code:
            text = f"{text}\n(exit code {found.exit_code})".strip()
    text = text.strip() or "(no output)"
    if len(text) > RESULT_LIMIT:
        head, tail = RESULT_LIMIT * 2 // 5, RESULT_LIMIT * 3 // 5
        text = f"{text[:head]}\n… {len(text) - head - tail} characters left out …\n{text[-tail:]}"
    return text


class _Outcome(msgspec.Struct):
    output: str | None = None
    exit_code: int = 0
    error: str | None = None


def _text(name: str) -> str:
    return (resources.files(__package__ or __name__) / name).read_text(encoding="utf-8")
