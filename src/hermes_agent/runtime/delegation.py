"""Sub-agents of one session: sent out and stopped together, each with a session of its own."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from hermes_agent.agent.budget import TurnBudget
from hermes_agent.agent.control import Control
from hermes_agent.domain.delegating import SOURCE, Errand, ErrandReport, ExitReason, Trace
from hermes_agent.domain.errors import HermesError, StoreError, UsageError
from hermes_agent.domain.events import (
    BudgetSpent,
    Completed,
    Ending,
    Event,
    Failed,
    Interrupted,
    Notice,
    ToolFinished,
    ToolStarted,
    TurnEnded,
)
from hermes_agent.domain.model import Retrying
from hermes_agent.domain.ports import Model
from hermes_agent.runtime.agency import Agency
from hermes_agent.runtime.workplace import Workplace
from hermes_agent.sessions.live import Choices, LiveSession
from hermes_agent.store.ids import new_session_id
from hermes_agent.store.records import Session

_GOAL_CHARS = 80
_TRACED = 100

_log = logging.getLogger(__name__)


class Delegation:
    """The port `Delegate` for one session. `depth` counts the sub-agents above: 0 for a session
    that a person leads. `attach` before the first errand says which session it is."""

    def __init__(self, agency: Agency, work: Workplace, *, platform: str, depth: int = 0) -> None:
        self._agency = agency
        self._work = work
        self._platform = platform
        self._depth = depth
        self._parent: LiveSession | None = None

    def attach(self, parent: LiveSession) -> None:
        """The session whose model, budget and tools the sub-agents share."""
        self._parent = parent

    async def run(
        self, errands: Sequence[Errand], show: Callable[[str], None]
    ) -> Sequence[ErrandReport]:
        """See `Delegate.run`."""
        parent = self._parent
        if parent is None:
            raise UsageError("No sub-agents can be sent out here.")
        if parent.budget.left < 1:
            raise UsageError(
                "The turn's model calls are used up, none are left for sub-agents.",
                hint="Report what is done.",
            )
        names = [spec.name for spec in parent.toolbox.specs()]
        chosen = [self._agency.tools(each, names, self._depth + 1) for each in errands]
        model = await self._agency.model(parent.model)
        children = [
            _Child(self._agency, self._work, parent, errand, model, tools)
            for errand, tools in zip(errands, chosen, strict=True)
        ]
        for at, child in enumerate(children):
            child.show = _labelled(show, f"[{at + 1}] " if len(children) > 1 else "")
            child.platform, child.depth = self._platform, self._depth + 1
        tasks = [asyncio.ensure_future(child.work_off()) for child in children]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for child in children:
                child.control.stop()
            await _all_of(tasks)
            raise asyncio.CancelledError(_partial([task.result() for task in tasks])) from None
        return [task.result() for task in tasks]


class _Child:
    """One sub-agent."""

    def __init__(
        self,
        agency: Agency,
        work: Workplace,
        parent: LiveSession,
        errand: Errand,
        model: Model,
        tools: tuple[str, ...],
    ) -> None:
        self.control = Control()
        self.show: Callable[[str], None] = _unseen
        self.platform = ""
        self.depth = 1
        self._agency = agency
        self._work = work
        self._parent = parent
        self._errand = errand
        self._model = model
        self._tools = tools
        self._trace: list[Trace] = []

    async def work_off(self) -> ErrandReport:
        """Do the errand; whatever goes wrong is in the report."""
        began = time.monotonic()
        self.show(self._errand.goal.strip().partition("\n")[0][:_GOAL_CHARS])
        try:
            report = await self._attend()
        except HermesError as error:
            report = ErrandReport(exit_reason="error", error=_sentence(error))
        except Exception as error:  # noqa: BLE001 - the root of a task: logged, the others go on
            _log.exception("a sub-agent failed")
            report = ErrandReport(
                exit_reason="error", error=f"It failed unexpectedly ({type(error).__name__})."
            )
        report = msgspec.structs.replace(
            report,
            model=self._model.name,
            duration=time.monotonic() - began,
            tool_trace=tuple(self._trace[-_TRACED:]),
        )
        self.show(f"{report.exit_reason}, {report.api_calls} model calls")
        return report

    async def _attend(self) -> ErrandReport:
        work = self._work.beside()
        try:
            live = self._session(work)
            reason: ExitReason = "error"
            try:
                ended = await live.run(_task(self._errand), self.control, self._hear)
                reason, *_ = _read(ended.ending)
            finally:
                self._agency.thread.submit(_end, live, reason)
                live.close()
        finally:
            await work.environment.close()
        try:
            await self._parent.spent(ended.usage)
        except StoreError as error:
            _log.warning("What a sub-agent used could not be counted: %s", error.message)
        return _report(ended, live.id)

    def _session(self, work: Workplace) -> LiveSession:
        agency, parent = self._agency, self._parent
        identity = new_session_id()
        delegation = Delegation(agency, work, platform=self.platform, depth=self.depth)
        toolbox = work.toolbox(
            names=self._tools, can_ask=False, platform=self.platform, delegate=delegation
        )
        tools = {spec.name for spec in toolbox.specs()}
        system = agency.prompt(work, identity, tools).text
        most = self._errand.max_iterations or agency.settings.max_iterations
        agency.locks.take(identity)
        live = LiveSession(
            store=agency.store,
            locks=agency.locks,
            row=Session(
                id=identity,
                source=SOURCE,
                user_id=parent.row.user_id,
                model=self._model.name,
                system_prompt=system,
                parent_session_id=parent.id,
            ),
            stored=False,
            system=system,
            model=self._model,
            toolbox=toolbox,
            choices=Choices(
                max_iterations=min(most, agency.settings.max_iterations),
                effort=parent.choices.effort,
            ),
            thread=agency.thread,
            compactor=agency.compactor,
            budget=TurnBudget(parent.budget),
            treasury=agency.treasury,
        )
        delegation.attach(live)
        return live

    def _hear(self, event: Event) -> None:
        match event:
            case ToolStarted(call=call, summary=summary):
                self.show(summary or call.name)
            case ToolFinished(result=result):
                self._trace.append(Trace(result.name, result.status))
                if result.status != "ok":
                    self.show(f"{result.name}: {result.status}")
            case Retrying(reason=reason):
                self.show(f"asking again: {reason}")
            case Notice(text=text):
                self.show(text)
            case _:
                pass


def _task(errand: Errand) -> str:
    goal, context = errand.goal.strip(), errand.context.strip()
    return f"{goal}\n\n# What you need to know\n{context}" if context else goal


def _end(live: LiveSession, reason: ExitReason) -> None:
    try:
        live.end(reason)
    except HermesError as error:
        _log.warning("The session of a sub-agent could not be ended: %s", error.message)


def _report(ended: TurnEnded, session_id: str) -> ErrandReport:
    reason, summary, error = _read(ended.ending)
    return ErrandReport(
        exit_reason=reason,
        summary=summary,
        error=error,
        session_id=session_id,
        api_calls=ended.iterations,
        usage=ended.usage,
    )


def _read(ending: Ending) -> tuple[ExitReason, str, str]:
    match ending:
        case Completed(message=message):
            return "completed", message.content, ""
        case BudgetSpent(limit=limit, message=message):
            said = message.content if message else ""
            return "max_iterations", said, f"Not done within its limit of {limit} model calls."
        case Interrupted():
            return "interrupted", "", "It was interrupted."
        case Failed(message=message, hint=hint):
            return "error", "", f"{message} {hint}" if hint else message


def _sentence(error: HermesError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message


def _partial(reports: Sequence[ErrandReport]) -> str:
    """For whoever stopped them: how far each one was."""
    return "\n".join(
        f"Sub-agent {at + 1}: {each.exit_reason} after {each.api_calls} model calls; tools: "
        f"{', '.join(f'{t.tool} ({t.status})' for t in each.tool_trace) or 'none'}."
        + (f" It reported: {each.summary}" if each.summary else "")
        for at, each in enumerate(reports)
    )


async def _all_of(tasks: "Sequence[asyncio.Task[ErrandReport]]") -> None:
    """Until all have ended, however often the wait is cancelled: they were told to stop, and what
    they leave behind must be whole."""
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            continue


def _labelled(show: Callable[[str], None], label: str) -> Callable[[str], None]:
    def line(text: str) -> None:
        show(f"{label}{text}\n")

    return line


def _unseen(text: str) -> None:
    """Nobody watches."""
