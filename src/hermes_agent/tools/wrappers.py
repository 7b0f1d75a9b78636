"""What stands round every tool call: each wrapper is one idea, `tools/call.py` puts them together.

A step takes the context of a call and gives an `Answer`. Errors become answers in `settled`;
outside of it nothing raises.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import msgspec

from hermes_agent.domain.errors import DeniedError, HermesError
from hermes_agent.domain.messages import CallStatus
from hermes_agent.tools.contract import Outcome, ToolContext


class Answer(msgspec.Struct, frozen=True):
    """How a call ended; `duration` is in seconds."""

    outcome: Outcome
    status: CallStatus
    duration: float = 0.0


Work = Callable[[ToolContext], Awaitable[Outcome]]
Step = Callable[[ToolContext], Awaitable[Answer]]


def settled(work: Work, name: str) -> Step:
    """Whatever goes wrong becomes an answer: the turn goes on, and the model can react.

    This is the root of a tool's task: a fault in a tool is logged here.
    """

    async def step(context: ToolContext) -> Answer:
        try:
            outcome = await work(context)
        except asyncio.CancelledError as stop:
            return Answer(_interrupted(stop), "interrupted")
        except DeniedError as denial:
            return Answer(Outcome({"error": _sentence(denial), "status": "blocked"}), "denied")
        except HermesError as error:
            return Answer(Outcome({"error": _sentence(error)}, ok=False), "error")
        except OSError as error:
            return Answer(Outcome({"error": _system(error)}, ok=False), "error")
        except Exception as error:  # the root of the task: logged, and the turn lives
            import logging

            logging.getLogger(__name__).exception("tool %s failed", name)
            text = f"The tool {name} failed unexpectedly ({type(error).__name__}: {error})."
            return Answer(Outcome({"error": f"{text} Try another way."}, ok=False), "error")
        return Answer(outcome, "ok" if outcome.ok else "error")

    return step


def _interrupted(stop: asyncio.CancelledError) -> Outcome:
    """`CancelledError` carries what a command had printed (see `Environment.run`)."""
    said: dict[str, object] = {"error": "Interrupted before it finished.", "status": "interrupted"}
    partial: object = stop.args[0] if stop.args else None
    if isinstance(partial, str):
        said = {"output": partial, "exit_code": 130, **said}
    return Outcome(said, ok=False)


def _sentence(error: HermesError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message


def _system(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    name: object = error.filename
    return f"{reason}: {name}" if isinstance(name, str) else reason


def timed(inner: Step) -> Step:
    """How long it took."""

    async def step(context: ToolContext) -> Answer:
        import time

        start = time.monotonic()
        answer = await inner(context)
        return msgspec.structs.replace(answer, duration=time.monotonic() - start)

    return step


def gated(inner: Step, gate: asyncio.Semaphore) -> Step:
    """Only so many at a time. One that is stopped while it waits never ran."""

    async def step(context: ToolContext) -> Answer:
        try:
            await gate.acquire()
        except asyncio.CancelledError:
            waiting = Outcome(
                {"error": "Interrupted before it began.", "status": "interrupted"}, ok=False
            )
            return Answer(waiting, "interrupted")
        try:
            return await inner(context)
        finally:
            gate.release()

    return step


def redacted(inner: Step, redact: Callable[[str], str]) -> Step:
    """No secret leaves a tool: not to the model, not to the person, not while it runs."""

    async def step(context: ToolContext) -> Answer:
        emit = context.emit_output

        def show(text: str) -> None:
            emit(redact(text))

        answer = await inner(msgspec.structs.replace(context, emit_output=show))
        outcome = answer.outcome
        clean = Outcome(
            data=cast("dict[str, object] | str", _each_text(outcome.data, redact)),
            ok=outcome.ok,
            summary=redact(outcome.summary),
            diff=None if outcome.diff is None else redact(outcome.diff),
            images=outcome.images,
        )
        return msgspec.structs.replace(answer, outcome=clean)

    return step


def _each_text(value: object, change: Callable[[str], str]) -> object:
    """The value with every text in it changed; the keys are the tools' own and stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {key: _each_text(member, change) for key, member in members.items()}
    if isinstance(value, list | tuple):
        return [_each_text(member, change) for member in cast("list[object]", value)]
    return value
