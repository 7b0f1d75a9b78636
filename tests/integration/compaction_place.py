"""A session over a real store with a model that follows rules, for tests of compaction."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from hermes_agent.agent.control import Control
from hermes_agent.context.compaction.measure import weigh_all, weigh_fixed
from hermes_agent.context.compaction.rules import Rules
from hermes_agent.domain.errors import ModelError, NotFoundError
from hermes_agent.domain.events import Compacted, Event, NotCompacted, TurnEnded
from hermes_agent.domain.messages import Message, ToolCall, ToolResult, Usage
from hermes_agent.domain.model import Delta, Finished, Request, ToolSpec
from hermes_agent.domain.ports import Emit
from hermes_agent.sessions.compaction import Compactor
from hermes_agent.sessions.live import Choices, LiveSession
from hermes_agent.sessions.locks import SessionLocks
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session

HEADINGS = (
    "Goal",
    "Constraints and preferences",
    "Decisions",
    "Facts",
    "Files",
    "Done",
    "In progress",
    "Open questions",
    "Next steps",
)
Rule = Callable[[Request], Message | ModelError]


def notes(**sections: str) -> str:
    """Notes in their form; `facts` and the like by their first word."""
    given = {name.lower(): text for name, text in sections.items()}
    return "\n".join(
        f"## {name}\n{given.get(name.split()[0].lower(), 'none')}" for name in HEADINGS
    )


def says(text: str, *calls: ToolCall, finish: str = "stop", usage: Usage | None = None) -> Message:
    """An answer."""
    ending = "tool_calls" if calls else finish
    made = msgspec.convert({"role": "assistant", "content": text, "finish": ending}, Message)
    return msgspec.structs.replace(made, tool_calls=calls, usage=usage)


def is_summary(request: Request) -> bool:
    """Whether a summary is asked for."""
    return "working notes" in request.system


class RuledModel:
    """Answers by a rule; counts tokens as we estimate them, times `factor`."""

    def __init__(self, rule: Rule, *, window: int = 16_000, factor: float = 1.0) -> None:
        self.name = "ruled"
        self.context_length = window
        self.rule = rule
        self.factor = factor
        self.requests: list[Request] = []

    @property
    def summaries(self) -> list[Request]:
        """The requests for a summary."""
        return [request for request in self.requests if is_summary(request)]

    @property
    def last(self) -> Request:
        """The latest other request."""
        return [request for request in self.requests if not is_summary(request)][-1]

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        self.requests.append(request)
        answer = self.rule(request)
        if isinstance(answer, ModelError):
            raise answer
        if answer.usage is None:
            size = weigh_fixed(request.system, request.tools) + weigh_all(request.messages)
            usage = Usage(input=int(size * self.factor), output=int(weigh_all([answer])))
            answer = msgspec.structs.replace(answer, usage=usage)
        yield Finished(answer)


class Tools:
    """`results` gives the output of a call."""

    def __init__(self, results: Callable[[ToolCall], str], *names: str) -> None:
        self._results = results
        self._names = names or ("terminal",)

    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(ToolSpec(name, "Does.", msgspec.Raw(b"{}")) for name in self._names)

    def independent(self, calls: Sequence[ToolCall]) -> bool:
        return True

    def summary(self, call: ToolCall) -> str:
        return call.name

    async def run(self, call: ToolCall, emit: Emit) -> ToolResult:
        return ToolResult(call_id=call.id, name=call.name, content=self._results(call))


class Place:
    """Opens the session anew for each turn, as the daemon does."""

    def __init__(
        self,
        store: SessionStore,
        folder: Path,
        model: RuledModel,
        *,
        tools: Tools | None = None,
        rules: Rules | None = None,
        redact: Callable[[str], str] = str,
        summariser: RuledModel | None = None,
        session_id: str = "first",
    ) -> None:
        self.store = store
        self.model = model
        self.session_id = session_id
        self.events: list[Event] = []
        self.later = 0.0
        self._locks = SessionLocks(folder)
        self._tools = tools or Tools(lambda call: "ok")
        folder.mkdir(exist_ok=True)

        async def choose() -> RuledModel | None:
            return summariser

        self.compactor = Compactor(
            enabled=True,
            rules=rules or Rules(threshold=0.5, target_ratio=0.2, protect_last_n=6),
            summariser=choose,
            redact=redact,
            timeout=5,
            clock=lambda: time.time() + self.later,
        )

    def open(self) -> LiveSession:
        """The newest session of the lineage."""
        row, history, stored = Session(id=self.session_id, source="cli", title=None), (), False
        with suppress(NotFoundError):
            row = self.store.get(self.store.tip(self.session_id))
            history, stored = self.store.repair(row.id).history, True
        self._locks.take(row.id)
        return LiveSession(
            store=self.store,
            locks=self._locks,
            row=row,
            stored=stored,
            system="Be good.",
            model=self.model,
            toolbox=self._tools,
            choices=Choices(),
            history=history,
            compactor=self.compactor,
        )

    async def say(self, text: str, *, turn: str | None = None) -> TurnEnded:
        """One turn."""
        live = self.open()
        try:
            return await live.run(text, Control(), self.events.append, turn=turn)
        finally:
            live.close()

    @property
    def compacted(self) -> list[Compacted]:
        return [event for event in self.events if isinstance(event, Compacted)]

    @property
    def failed(self) -> list[NotCompacted]:
        return [event for event in self.events if isinstance(event, NotCompacted)]

    def sent(self) -> str:
        """All that the model was shown with the latest request."""
        return "\n".join(message.content for message in self.model.last.messages)
