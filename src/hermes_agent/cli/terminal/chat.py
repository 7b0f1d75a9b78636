"""The interactive chat: lines in, turns out, commands in between."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from hermes_agent.agent.control import Control
from hermes_agent.cli.app import Agent
from hermes_agent.cli.slash.table import slash_table
from hermes_agent.cli.terminal.asker import TerminalAsker
from hermes_agent.cli.terminal.doors import open_terminal
from hermes_agent.cli.terminal.leaving import Leaving, Presses
from hermes_agent.cli.terminal.pastes import Pastes
from hermes_agent.cli.terminal.safe import clean
from hermes_agent.cli.terminal.status import Standing
from hermes_agent.cli.terminal.style import Colour, coloured, paint
from hermes_agent.domain.errors import HermesError
from hermes_agent.domain.events import Completed, Notice
from hermes_agent.sessions.costs import briefly
from hermes_agent.sessions.live import LiveSession

if TYPE_CHECKING:
    from hermes_agent.sessions.reviewing import Review

ECHOED_LINES = 12
LEAVING_TIME = 5.0

_log = logging.getLogger(__name__)


class Chat:
    """One interactive chat over one agent. It is the terminal's listener."""

    def __init__(self, agent: Agent, session: LiveSession) -> None:
        self.agent = agent
        self.session = session
        self.colour = coloured()
        self.commands = slash_table(self)
        self.pastes = Pastes(agent.paths.pastes_dir)
        self.terminal, self.view = open_terminal(self)
        agent.asker.connect(
            TerminalAsker(
                self.terminal.ask,
                approval_timeout=agent.config.approvals.timeout,
                clarify_timeout=agent.config.clarify.timeout,
            )
        )
        self._control: Control | None = None
        self._turn: asyncio.Task[None] | None = None
        self._command: asyncio.Task[None] | None = None
        self._queue: list[str] = []
        self._presses = Presses()
        self._began = self._turn_began = time.monotonic()

    async def run(self) -> int:
        """Until the person leaves, or a signal says so; returns the exit status."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unforeseen)
        ticking = asyncio.ensure_future(self._tick())
        leaving = Leaving(self.terminal)
        leaving.watch(loop)
        try:
            await self.terminal.run()
        finally:
            ticking.cancel()
            await self._end_turn()
            leaving.forget(loop)
        return leaving.status

    @property
    def busy(self) -> bool:
        """Whether a turn is running."""
        return self._turn is not None

    def line(self, text: str) -> None:
        """A command, a message, or a word to the agent at work."""
        try:
            found = self.commands.find(text.strip())
        except HermesError as error:
            self.terminal.print(self._echo(text))
            self.complain(error)
            return
        if found is not None:
            self.terminal.print(self._echo(text))
            command, argument = found
            if (self.busy or self._command is not None) and not command.busy:
                self.say(f"/{command.name} waits until the agent is done; /stop ends it.", "yellow")
                return
            task = asyncio.ensure_future(self._run_command(command.run(argument)))
            if not command.busy:
                self._command = task
            self.agent.keep(task)
            return
        message = self.pastes.expand(text)
        if self.busy:
            self._while_busy(message)
        elif self._command is not None:
            self._queue.append(message)
        else:
            self.send(message)

    def send(self, text: str, *, expanded: bool = False, echo: bool = True) -> None:
        """Begin a turn with this message; `expanded` says that its references are in it, `echo`
        that it is shown: not where a command stands for it, which was shown already."""
        if echo:
            self.terminal.print(self._echo(text))
        self.agent.reviews.stop(self.session.id)
        self._turn_began = time.monotonic()
        self._control = Control()
        self._turn = asyncio.ensure_future(self._run_turn(text, self._control, expanded))

    def queue(self, text: str) -> None:
        """Send this when the agent is done."""
        if self.busy:
            self._queue.append(text)
            self.say(f"Queued: {text}", "dim")
        else:
            self.send(text)

    def change_session(self, session: LiveSession) -> None:
        """Go on with another session."""
        self.agent.reviews.left(self.session.id, self._noted)
        self.session.close()
        self.session = session
        self.tell_notices()

    def tell_notices(self) -> None:
        """Say what the agent has noticed since."""
        for notice in self.agent.notices:
            self.view.show(Notice(notice.text))
        self.agent.notices.clear()

    def stop(self) -> bool:
        """Stop the turn or the command, forget what is queued; False when nothing runs."""
        if self._control is None:
            return self._command is not None and self._command.cancel()
        if self._queue:
            self.say(f"No longer queued: {len(self._queue)}", "dim")
            self._queue.clear()
        self._control.stop()
        return True

    def interrupt(self) -> bool:
        """Stop the turn; a second press within two seconds leaves the program."""
        if not self.busy and self._command is None:
            return False
        if self._presses.again():
            self.terminal.exit()
        else:
            self.stop()
        return True

    def say(self, text: str, colour: Colour | None = None) -> None:
        """A line from the program itself."""
        text = clean(text)
        self.terminal.print(paint(text, colour, on=self.colour) if colour else text)

    def complain(self, error: HermesError) -> None:
        """What went wrong and what to do."""
        self.say(f"✗ {error.message}", "red")
        if error.hint:
            self.say(f"  {error.hint}")
        self.terminal.refresh()

    def standing(self) -> Standing:
        """How things are, for the status line."""
        session = self.session
        since = self._turn_began if self.busy else self._began
        return Standing(
            model=session.model.name,
            activity=(self.view.activity or "waiting for the model") if self.busy else "",
            since=time.monotonic() - since,
            context=session.last_input,
            window=session.model.context_length,
            sent=session.usage.input,
            received=session.usage.output,
            cost=briefly(session.budget.ever) if self.agent.config.display.show_cost else "",
            yolo=self.agent.work.yolo,
            queued=len(self._queue),
        )

    def _while_busy(self, message: str) -> None:
        mode = self.agent.config.display.busy_input_mode
        if self._control is None or self._control.stopping or mode == "queue":
            self.queue(message)
        elif mode == "interrupt":
            self._queue.insert(0, message)
            self._control.stop()
        else:
            self.agent.keep(asyncio.ensure_future(self._steer(message, self._control)))

    async def _steer(self, message: str, control: Control) -> None:
        self.say(f"↳ will be told: {message}", "dim")
        try:
            expanded = await self.agent.expand(message)
        except HermesError as error:
            self.complain(error)
            return
        if control is self._control and not control.stopping:
            control.steer(expanded)
        else:
            self.queue(message)

    async def _run_command(self, running: Awaitable[None]) -> None:
        try:
            await running
        except HermesError as error:
            self.complain(error)
        except asyncio.CancelledError:
            self.say("■ Stopped.", "yellow")
        except Exception as error:  # noqa: BLE001  the root of a task
            self._shock(error)
        finally:
            if self._command is asyncio.current_task():
                self._command = None
                self._next()
            self.terminal.refresh()

    async def _run_turn(self, text: str, control: Control, expanded: bool) -> None:
        completed = False
        try:
            ended = await self.agent.run_turn(
                self.session, text, control, self.view.show, expanded=expanded
            )
            completed = isinstance(ended.ending, Completed)
        except HermesError as error:
            self.view.abandon()
            self.complain(error)
        except asyncio.CancelledError:
            self.view.abandon()  # stopped before the loop could hear of it
        except Exception as error:  # noqa: BLE001  the root of a task
            self.view.abandon()
            self._shock(error)
        finally:
            self._control = self._turn = None
        self._take_back(control, completed)
        if completed:
            self.agent.reviews.after(self.session, self._noted)
        if self.agent.config.display.bell_on_complete:
            self.terminal.bell()
        self._next()
        self.terminal.refresh()

    def _noted(self, review: "Review") -> None:
        """What a look in the background left in the notes."""
        from hermes_agent.sessions.reviewing import told

        if review.changes and self.agent.progress != "off":
            self.say(told(review), "dim")

    def _take_back(self, control: Control, completed: bool) -> None:
        """What was said to the agent and did not reach it any more."""
        unheard: list[str] = []
        while (said := control.take()) is not None:
            unheard.append(said.text)
        if completed:
            self._queue[:0] = unheard
        elif unheard:
            self.terminal.put_back("\n".join(unheard))

    def _next(self) -> None:
        if self._queue and not self.busy and self.terminal.running:
            self.send(self._queue.pop(0))

    async def _end_turn(self) -> None:
        if self._turn is None or self._control is None:
            return
        self._control.stop()
        _, late = await asyncio.wait([self._turn], timeout=LEAVING_TIME)
        for task in late:
            task.cancel()

    def _shock(self, error: BaseException) -> None:
        """A fault of ours: one line for the person, everything for the log."""
        _log.error("Unforeseen fault in the chat", exc_info=error)
        said = " ".join(str(error).split())[:200]
        self.say(f"✗ A fault of the program: {type(error).__name__}: {said}", "red")
        self.say(f"  Details are in {self.agent.paths.logs_dir / 'errors.log'}")

    def _unforeseen(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._shock(error)
        else:
            _log.error("%s", context.get("message"))

    def _echo(self, text: str) -> str:
        lines = clean(text).rstrip().splitlines()
        if len(lines) > ECHOED_LINES:
            more = len(lines) - ECHOED_LINES + 2
            lines = [*lines[: ECHOED_LINES - 2], f"… {more} more lines"]
        mark = paint("❯", "cyan", on=self.colour)
        return "\n".join(f"{mark} {line[:2000]}" for line in lines)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self.busy:
                self.view.tick()
                self.terminal.tick()
