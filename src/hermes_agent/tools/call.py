"""The tools of one session: find, read the arguments, run, and let nothing escape but a result."""

import asyncio
import importlib
import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import msgspec

from hermes_agent.domain.errors import DeniedError, NotFoundError, UsageError
from hermes_agent.domain.events import ToolOutput
from hermes_agent.domain.messages import ToolCall, ToolResult
from hermes_agent.domain.model import ToolSpec
from hermes_agent.domain.ports import Emit, Journal
from hermes_agent.tools import parallel, schema
from hermes_agent.tools.arguments import ArgumentFault, Shape, parse, validate
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext, ToolModule
from hermes_agent.tools.place import absolute
from hermes_agent.tools.result import encode, shorten
from hermes_agent.tools.table import TABLE, Entry
from hermes_agent.tools.wrappers import Answer, Step, gated, redacted, settled, timed

CALLABLE = frozenset(
    ("web_search", "web_extract", "read_file", "write_file", "search_files", "patch", "terminal")
)
"""The tools that programs may call."""

_SUMMARY_CHARS = 200
_KEPT_CHARS = 2_000


class SessionToolbox:
    """`domain.ports.Toolbox` over the builtin tools.

    `tools` are the names the session has, in any order (see `toolsets.resolve`). `context` is
    what every call gets, but for `emit_output`. `side_effect_free` says of a shell command
    whether it only looks; without it commands never run side by side.
    """

    def __init__(
        self,
        *,
        tools: Sequence[str],
        context: ToolContext,
        redact: Callable[[str], str] = str,
        side_effect_free: Callable[[str], bool] | None = None,
        table: Mapping[str, Entry] = TABLE,
    ) -> None:
        self._entries = {
            name: entry
            for name, entry in table.items()
            if name in set(tools) and (not entry.needs or getattr(context, entry.needs) is not None)
        }
        self._context = context
        self.journal: Journal | None = None
        """Where the calls of programs are noted; those of the model are noted by the loop."""
        self._redact = redact
        self._side_effect_free = side_effect_free
        self._gate = asyncio.Semaphore(context.limits.parallel)
        self._specs: tuple[ToolSpec, ...] | None = None
        self._shapes: dict[str, Shape] = {}

    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told; the same bytes at every call."""
        if self._specs is None:
            self._specs = schema.load_all(entry.module for entry in self._entries.values())
        return self._specs

    def summary(self, call: ToolCall) -> str:
        """One line for people; never fails, whatever the arguments are."""
        try:
            arguments, _ = self._arguments(call)
            line = self._module(call.name).summary(arguments)
        except (ArgumentFault, NotFoundError):
            line = call.name
        except Exception:  # a line on the screen must not end a turn: logged
            import logging

            logging.getLogger(__name__).exception("summary of %s failed", call.name)
            line = call.name
        return _one_line(self._redact(line))

    def independent(self, calls: Sequence[ToolCall]) -> bool:
        """Whether these calls may run side by side: none touches what another one changes.

        A call that cannot be understood changes nothing. More calls than may run at once wait
        for each other inside `run`.
        """
        return parallel.disjoint(self._claims(call) for call in calls)

    def _claims(self, call: ToolCall) -> tuple[parallel.Claim, ...]:
        entry = self._entries.get(call.name)
        if entry is None:
            return ()
        try:
            arguments, _ = self._arguments(call)
        except ArgumentFault:
            return ()
        effect = entry.effect
        if call.name == "terminal" and self._only_looks(arguments):
            effect = "look_all"
        return parallel.claims(call.name, effect, arguments, self._resolve)

    def _only_looks(self, arguments: Arguments) -> bool:
        command = arguments.get("command")
        if self._side_effect_free is None or not isinstance(command, str):
            return False
        return not arguments.get("background") and self._side_effect_free(command)

    def _resolve(self, path: str) -> str:
        """Two names of one file must look the same; the guard follows links."""
        try:
            path = posixpath.normpath(absolute(path, self._context.environment))
            return self._context.guard.check_read(path)
        except (DeniedError, UsageError):
            return path

    async def run(self, call: ToolCall, emit: Emit) -> ToolResult:
        """Run one call; whatever happens is in the result (see `wrappers`)."""

        def show(text: str) -> None:
            emit(ToolOutput(call.id, text))

        inner = _Inner(self, call)
        context = msgspec.structs.replace(self._context, emit_output=show, inner=inner)
        answer = await self._step(call)(context)
        return self._result(call, answer)

    async def run_inner(self, call: ToolCall) -> ToolResult:
        """Run a call of a program's. It has its place already: the call that runs the program."""
        if self.journal is not None:
            await self.journal.call_started(call)
        result = self._result(call, await self._ungated(call)(self._context))
        if self.journal is not None:
            # No message will hold it, and the program has it: what is kept is for people.
            kept = shorten(result.content, _KEPT_CHARS)
            await self.journal.call_finished(msgspec.structs.replace(result, content=kept))
        return result

    def _step(self, call: ToolCall) -> Step:
        return gated(self._ungated(call), self._gate)

    def _ungated(self, call: ToolCall) -> Step:
        async def work(context: ToolContext) -> Outcome:
            return await self._perform(call, context)

        return timed(redacted(settled(work, call.name), self._redact))

    async def _perform(self, call: ToolCall, context: ToolContext) -> Outcome:
        module = self._module(call.name)
        arguments, notes = self._arguments(call)
        if self._entries[call.name].effect in ("change", "everything"):
            context.session.looks.clear()
        outcome = await module.run(arguments, context)
        if notes and isinstance(outcome.data, dict):
            note = "; ".join(notes)
            outcome = msgspec.structs.replace(outcome, data={**outcome.data, "note": note})
        return outcome

    def _result(self, call: ToolCall, answer: Answer) -> ToolResult:
        outcome = answer.outcome
        return ToolResult(
            call_id=call.id,
            name=call.name,
            content=encode(outcome.data, self._context.limits.output_chars),
            status=answer.status,
            duration=answer.duration,
            summary=_one_line(outcome.summary),
            diff=outcome.diff,
            images=outcome.images,
        )

    def _module(self, name: str) -> ToolModule:
        entry = self._entries.get(name)
        if entry is None:
            raise _unknown(name, list(self._entries))
        module = importlib.import_module(f"hermes_agent.tools.builtin.{entry.module}")
        return cast("ToolModule", module)

    def _arguments(self, call: ToolCall) -> tuple[Arguments, list[str]]:
        return validate(parse(call.arguments), self._shape(call.name))

    def _shape(self, name: str) -> Shape:
        shape = self._shapes.get(name)
        if shape is None:
            entry = self._entries.get(name)
            if entry is None:
                raise _unknown(name, list(self._entries))
            spec = schema.load(entry.module)
            shape = self._shapes[name] = msgspec.json.decode(spec.parameters, type=Shape)
        return shape


class _Inner:
    """The port `InnerTools` for the call `outer`."""

    def __init__(self, toolbox: SessionToolbox, outer: ToolCall) -> None:
        self._toolbox = toolbox
        self._outer = outer

    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(spec for spec in self._toolbox.specs() if spec.name in CALLABLE)

    def prepare(self, number: int, name: str, arguments: Arguments) -> ToolCall:
        text = msgspec.json.encode(arguments).decode()
        return ToolCall(id=f"{self._outer.id}:{number}", name=name, arguments=text)

    def summary(self, call: ToolCall) -> str:
        return self._toolbox.summary(call)

    async def run(self, call: ToolCall) -> ToolResult:
        if call.name not in CALLABLE:
            said = encode({"error": f"Programs cannot call {call.name}."}, _KEPT_CHARS)
            return ToolResult(call_id=call.id, name=call.name, content=said, status="error")
        return await self._toolbox.run_inner(call)


def _unknown(name: str, known: list[str]) -> NotFoundError:
    import difflib

    lowered = {tool.lower(): tool for tool in known}
    plain = name.strip().lower().replace("-", "_").removeprefix("functions.")
    near = difflib.get_close_matches(plain, lowered, n=3, cutoff=0.6)
    hint = (
        f"Did you mean {' or '.join(lowered[tool] for tool in near)}?"
        if near
        else f"The tools are: {', '.join(known) or 'none'}."
    )
    return NotFoundError(f"There is no tool {name!r}.", hint=hint)


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SUMMARY_CHARS else f"{flat[: _SUMMARY_CHARS - 1]}…"
