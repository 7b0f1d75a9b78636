"""What is plugged in: the loop and the tools know these protocols, wiring gives the real things."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import msgspec

from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.delegating import Errand, ErrandReport
from hermes_agent.domain.errors import ContextOverflow
from hermes_agent.domain.events import Event
from hermes_agent.domain.execution import CommandResult, FileInfo, ProcessInfo
from hermes_agent.domain.jobs import Job, JobChange, NewJob
from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.domain.model import Delta, Request, ToolSpec

Emit = Callable[[Event], None]


class Model(Protocol):
    """A model behind a wire, or several with retry and fallback."""

    @property
    def name(self) -> str:
        """What the vendor calls it."""
        ...

    @property
    def context_length(self) -> int:
        """The window in tokens, as well as it is known."""
        ...

    def stream(self, request: Request) -> AsyncIterator[Delta]:
        """The answer as it comes; the last delta is `Finished`. Raises `ModelError`."""
        ...


class Toolbox(Protocol):
    """The tools of one session, with policy, truncation and redaction already round them."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told; the same bytes at every call of a session."""
        ...

    def independent(self, calls: Sequence[ToolCall]) -> bool:
        """Whether these calls may run side by side."""
        ...

    def summary(self, call: ToolCall) -> str:
        """One line for people; never fails, whatever the arguments are."""
        ...

    async def run(self, call: ToolCall, emit: Emit) -> ToolResult:
        """Run one call. Whatever goes wrong comes back as a result, cancellation too:
        a cancelled call ends its command and returns what there was, as `interrupted`."""
        ...


class Journal(Protocol):
    """Where a turn writes what happened, each line committed before the next step."""

    async def append(self, message: Message) -> Message:
        """Store a finished message; returned with its row id."""
        ...

    async def call_started(self, call: ToolCall) -> None:
        """A tool call is about to run."""
        ...

    async def call_finished(self, result: ToolResult) -> None:
        """A tool call ended; its result is safe."""
        ...


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation after an attempt to shorten it: the `messages` to go on with and the session
    that they stand in. `changed` is whether it got shorter, `usage` what the attempt cost."""

    messages: tuple[Message, ...]
    session_id: str
    changed: bool
    usage: Usage


class Compaction(Protocol):
    """Keeps a conversation within the model's window."""

    async def fit(
        self,
        messages: Sequence[Message],
        emit: Emit,
        overflow: ContextOverflow | None = None,
    ) -> Fitted | None:
        """Shorten the conversation if it is too long, or because a request met `overflow`. None
        when nothing was to be done. Never raises for what went wrong: the person is told, and
        the messages stay as they are."""
        ...


class Asker(Protocol):
    """A person who can be asked. Where there is none, the answer is no."""

    async def approve(self, request: ApprovalRequest) -> Approval:
        """The person's decision; a time-out is `deny`."""
        ...

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        """The person's words, or None when nobody answered."""
        ...


class Delegate(Protocol):
    """Sends out sub-agents: agents with a fresh context, fewer tools and a share of the budget."""

    async def run(
        self, errands: Sequence[Errand], show: Callable[[str], None]
    ) -> Sequence[ErrandReport]:
        """Do all of them side by side; the reports come in their order. `show` gets lines of
        progress. On cancellation the sub-agents and their commands end, and `CancelledError` goes
        on with what they had done, as text, in its first argument. Raises `UsageError` for tools
        that are not to be had and for a budget that is used up, `ModelError`."""
        ...


class Files(Protocol):
    """Files as the environment's commands see them. Paths are absolute or relative to `cwd`.

    Raises `OSError` of the fitting kind; policy has been asked before.
    """

    async def stat(self, path: str) -> FileInfo | None:
        """What is there, links followed; None when nothing is."""
        ...

    async def read(self, path: str, *, limit: int) -> bytes:
        """The first `limit` bytes. Only regular files."""
        ...

    async def write(self, path: str, data: bytes) -> None:
        """Replace atomically, parents made, mode and owner of an existing file kept."""
        ...

    async def remove(self, path: str) -> None:
        """Delete a file."""
        ...

    async def list(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        ...


class Processes(Protocol):
    """The background processes of an environment. An unknown id raises `NotFoundError`."""

    def list(self) -> Sequence[ProcessInfo]:
        """Running ones and those that ended not long ago, oldest first."""
        ...

    def poll(self, name: str) -> tuple[ProcessInfo, str]:
        """How it stands, and what it printed since the last poll."""
        ...

    def log(self, name: str, *, offset: int | None = None, limit: int = 200) -> tuple[str, int]:
        """Lines of its output, and how many there are: `limit` lines from line `offset` (the
        first is 0), or the last `limit`."""
        ...

    async def wait(self, name: str, timeout: float) -> ProcessInfo:
        """Until it has ended, at most `timeout` seconds; `exit_code` tells which."""
        ...

    async def kill(self, name: str) -> ProcessInfo:
        """End it with everything that it started."""
        ...

    async def write(self, name: str, data: str) -> None:
        """Write to its input. Raises `EnvironmentFault` when nobody reads there."""
        ...


class Environment(Protocol):
    """Where commands run: this machine, a sandbox, later a container or another machine."""

    @property
    def name(self) -> str:
        """`local`, `bubblewrap`, …"""
        ...

    @property
    def cwd(self) -> str:
        """The session's working directory; `cd` in a command moves it."""
        ...

    @property
    def files(self) -> Files:
        """The files that commands here see."""
        ...

    @property
    def processes(self) -> Processes:
        """What `spawn` started."""
        ...

    async def run(
        self,
        command: str,
        *,
        workdir: str | None = None,
        timeout: float,
        pty: bool = False,
        on_output: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run to the end in a shell. With `workdir` nothing of it carries over to the next
        command; without, its directory and exported variables do. On cancellation the whole
        process group is killed within 200 ms and `CancelledError` goes on, with the output so far
        in its first argument."""
        ...

    async def spawn(
        self, command: str, *, workdir: str | None = None, pty: bool = False
    ) -> ProcessInfo:
        """Start in the background."""
        ...

    async def close(self) -> None:
        """End what still runs and give everything back."""
        ...


class Jobs(Protocol):
    """The scheduled jobs of a home. Every method is one transaction and safe in any thread.

    `name` is an id, the unique beginning of one, or a job's name. Raises `NotFoundError` for one
    that fits none or several, `UsageError` for settings that make no sense, `StoreError`.
    """

    def list(self) -> Sequence[Job]:
        """All jobs, the oldest first."""
        ...

    def get(self, name: str) -> Job:
        """One job."""
        ...

    def create(self, new: NewJob) -> Job:
        """Make a job; it runs when its schedule says."""
        ...

    def change(self, name: str, change: JobChange) -> Job:
        """Change a job. Another schedule begins now."""
        ...

    def pause(self, name: str, reason: str = "") -> Job:
        """Let it rest until `resume`."""
        ...

    def resume(self, name: str) -> Job:
        """Let it run again from now on; its failures are forgotten."""
        ...

    def run(self, name: str) -> Job:
        """Have it run now, whatever its schedule and state, when the daemon next looks."""
        ...

    def remove(self, name: str) -> Job:
        """Delete it; what it wrote stays."""
        ...
