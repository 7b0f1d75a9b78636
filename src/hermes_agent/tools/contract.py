"""What a builtin tool is, and what it gets to work with.

`tools/builtin/<name>.py` holds two functions, `summary` and `run` (see `ToolModule`);
`tools/builtin/<name>.json` beside it holds `name`, `description` and `parameters`, the JSON
Schema of the arguments. The arguments are validated before either function is called.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.messages import Image, ToolCall, ToolResult
from hermes_agent.domain.model import ToolSpec
from hermes_agent.domain.outside import ToolSource
from hermes_agent.domain.ports import Asker, Delegate, Environment, Jobs
from hermes_agent.knowledge.memory import MemoryFiles
from hermes_agent.knowledge.recall import Recall
from hermes_agent.knowledge.skills.shelf import Shelf
from hermes_agent.tools.session import ToolSession

Arguments = dict[str, object]


class Guard(Protocol):
    """Which paths tools may touch. Paths are absolute; the answer is the resolved path."""

    def check_read(self, path: str) -> str:
        """Raises `DeniedError` when the file may not be read."""
        ...

    def check_write(self, path: str) -> str:
        """Raises `DeniedError` when the file may not be written."""
        ...


class InnerTools(Protocol):
    """The session's tools for a program that a tool runs: each call passes what a call of the
    model's passes, and stands in the store beside it."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """Those that a program may call."""
        ...

    def prepare(self, number: int, name: str, arguments: Arguments) -> ToolCall:
        """The call with this number."""
        ...

    def summary(self, call: ToolCall) -> str:
        """One line for people."""
        ...

    async def run(self, call: ToolCall) -> ToolResult:
        """Whatever goes wrong is in the result."""
        ...


class Programs(msgspec.Struct, frozen=True, kw_only=True):
    """What running a program takes. `approve` gives the program to run, or raises `DeniedError`;
    `folder` is a private directory that programs see by the same path, None where there is none.
    `timeout` is in seconds."""

    approve: Callable[[str], Awaitable[str]]
    folder: Callable[[], str | None]
    timeout: float = 300.0
    max_calls: int = 50


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in characters.

    `output_chars` caps every tool's result, `terminal_chars` what a command printed.
    """

    terminal_timeout: float = 180.0
    terminal_chars: int = 50_000
    output_chars: int = 100_000
    clarify_timeout: float = 120.0
    parallel: int = 8


def _ignore(text: str) -> None:
    """Nobody watches."""


class ToolContext(msgspec.Struct, frozen=True, kw_only=True):
    """All that a tool may use. A tool touches files and runs commands only through this.

    `approve_command(command, workdir)` returns the command to run (without what cannot be seen)
    and raises `DeniedError` when it may not run. `emit_output` shows text to the person while
    the tool runs. `jobs` are the scheduled ones, None where there are none to be had; `chat` is
    where the session is led, None in a terminal. `notes`, `recall` and `skills` are what the agent
    keeps, None where it may not. `outside` brings the tools of other servers, None where there are
    none. `offered` are the names of the session's own tools and toolsets. `delegate` sends out
    sub-agents, None where there may be none. `programs` is None where the session's commands run in
    a place that cannot call back; `inner` are the tools for one, set for each call.
    """

    environment: Environment
    asker: Asker
    guard: Guard
    approve_command: Callable[[str, str | None], Awaitable[str]]
    session: ToolSession = msgspec.field(default_factory=ToolSession)
    emit_output: Callable[[str], None] = _ignore
    limits: Limits = Limits()
    jobs: Jobs | None = None
    chat: Origin | None = None
    notes: MemoryFiles | None = None
    recall: Recall | None = None
    outside: ToolSource | None = None
    skills: Shelf | None = None
    delegate: Delegate | None = None
    programs: Programs | None = None
    inner: InnerTools | None = None
    offered: frozenset[str] = frozenset()


class Outcome(msgspec.Struct, frozen=True):
    """What a tool gives: `data` is JSON (or text) and `images` are for the model, the rest is for
    the person.

    `ok` False means that the tool could not do it and `data` says why under `error`.
    `summary` replaces the one line shown while it ran; `diff` is a unified diff.
    """

    data: dict[str, object] | str
    ok: bool = True
    summary: str = ""
    diff: str | None = None
    images: tuple[Image, ...] = ()


class ToolModule(Protocol):
    """A module of `tools/builtin`.

    `run` may raise `DeniedError`, `OSError`, any other `HermesError` and `CancelledError`
    (its first argument, if it is text, is the output so far); the wrappers make results of them.
    """

    @staticmethod
    def summary(arguments: Arguments) -> str:
        """One line for people: what this call is about to do."""
        ...

    @staticmethod
    async def run(arguments: Arguments, context: ToolContext) -> Outcome:
        """Do it."""
        ...
