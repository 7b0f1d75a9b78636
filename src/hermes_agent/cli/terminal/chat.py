"""The interactive chat: lines in, turns out, commands in between."""

import asyncio
import sys
import time
from collections.abc import Awaitable

from prompt_toolkit.formatted_text import StyleAndTextTuples

from hermes_agent.agent.control import Control
from hermes_agent.cli.app import Agent
from hermes_agent.cli.slash.table import slash_table
from hermes_agent.cli.terminal.asker import TerminalAsker
from hermes_agent.cli.terminal.completion import ChatCompleter
from hermes_agent.cli.terminal.lines import count, elapsed
from hermes_agent.cli.terminal.markdown import rendered
from hermes_agent.cli.terminal.pastes import Pastes
from hermes_agent.cli.terminal.screen import Presses, Screen
from hermes_agent.cli.terminal.style import Colour, coloured, paint
from hermes_agent.cli.terminal.view import ScreenView
from hermes_agent.domain.errors import HermesError
from hermes_agent.domain.events import Event
from hermes_agent.sessions.live import LiveSession


class Chat:
    """One interactive chat over one agent. It is the screen's listener."""

    def __init__(self, agent: Agent, session: LiveSession) -> None:
        self.agent = agent
        self.session = session
        self.colour = coloured()
        self.commands = slash_table(self)
        self.screen = Screen(
            listener=self,
            status=self._status,
            completer=ChatCompleter(lambda: self.commands, lambda: agent.cwd),
            history_file=agent.paths.history_file,
            on_paste=lambda text: self.pastes.take(text),
        )
        self.view = ScreenView(
            self.screen,
            render=lambda block: rendered(block, colour=self.colour),
            colour=self.colour,
            progress=agent.config.display.tool_progress,
            reasoning=agent.config.display.show_reasoning,
        )
        self.pastes = Pastes(agent.paths.pastes_dir)
        agent.asker.connect(
            TerminalAsker(
                self.screen.ask,
                approval_timeout=agent.config.approvals.timeout,
                clarify_timeout=agent.config.clarify.timeout,
            )
        )
        self._control: Control | None = None
        self._turn: asyncio.Task[None] | None = None
        self._queue: list[str] = []
        self._presses = Presses()
        self._began = time.monotonic()

    async def run(self, first: str | None = None) -> None:
        """Until the person leaves."""
        ticking = asyncio.ensure_future(self._tick())
        try:
            if first:
                asyncio.get_running_loop().call_soon(self.line, first)
            await self.screen.run()
        finally:
            ticking.cancel()
            if self._turn is not None:
                if self._control is not None:
                    self._control.stop()
                await asyncio.wait([self._turn])

    @property
    def busy(self) -> bool:
        """Whether a turn is running."""
        return self._turn is not None

    def line(self, text: str) -> None:
        """A command, a message, or a word to the agent at work."""
        try:
            found = self.commands.find(text.strip())
        except HermesError as error:
            self.complain(error)
            return
        if found is not None:
            command, argument = found
            if self.busy and not command.busy:
                self.say(f"/{command.name} waits until the agent is done; /stop ends it.", "yellow")
                return
            task = asyncio.ensure_future(self._command(command.run(argument)))
            self.agent.keep(task)
            return
        message = self.pastes.expand(text)
        if self.busy:
            self._while_busy(message)
        else:
            self.send(message)

    def send(self, text: str) -> None:
        """Begin a turn with this message."""
        self.screen.print(self._echo(text))
        self._turn = asyncio.ensure_future(self._run_turn(text))

    def queue(self, text: str) -> None:
        """Send this when the agent is done."""
        if self.busy:
            self._queue.append(text)
            self.say(f"Queued: {text}", "dim")
        else:
            self.send(text)

    def change_session(self, session: LiveSession) -> None:
        """Go on with another session."""
        self.session.close()
        self.session = session

    def interrupt(self) -> bool:
        """Stop the turn; a second press within two seconds leaves the program."""
        if self._control is None:
            return False
        if self._presses.again():
            self.screen.exit()
            return True
        self._queue.clear()
        self._control.stop()
        return True

    def say(self, text: str, colour: Colour | None = None) -> None:
        """A line from the program itself."""
        self.screen.print(paint(text, colour, on=self.colour) if colour else text)

    def complain(self, error: HermesError) -> None:
        """What went wrong and what to do."""
        self.say(f"✗ {error.message}", "red")
        if error.hint:
            self.say(f"  {error.hint}")

    def _while_busy(self, message: str) -> None:
        mode = self.agent.config.display.busy_input_mode
        if self._control is None or mode == "queue":
            self.queue(message)
        elif mode == "interrupt":
            self._queue.insert(0, message)
            self._control.stop()
        else:
            self._control.steer(message)
            self.say(f"↳ will be told: {message}", "dim")

    async def _command(self, running: Awaitable[None]) -> None:
        try:
            await running
        except HermesError as error:
            self.complain(error)

    async def _run_turn(self, text: str) -> None:
        self._control = Control()
        try:
            await self.agent.run_turn(self.session, text, self._control, self._show)
        except HermesError as error:
            self.complain(error)
        finally:
            self._control = None
            self._turn = None
        if self.agent.config.display.bell_on_complete:
            sys.stdout.write("\a")
        if self._queue and self.screen.app.is_running:
            self.send(self._queue.pop(0))

    def _show(self, event: Event) -> None:
        self.view.show(event)

    def _echo(self, text: str) -> str:
        lines = text.rstrip().splitlines()
        shown = lines if len(lines) <= 12 else [*lines[:10], f"… {len(lines) - 10} more lines"]
        mark = paint("❯", "cyan", on=self.colour)
        return "\n".join(f"{mark} {line}" for line in shown)

    def _status(self) -> StyleAndTextTuples:
        session = self.session
        window = session.model.context_length
        parts = [session.model.name]
        if session.last_input:
            share = 100 * session.last_input / window if window else 0
            parts.append(f"{count(session.last_input)}/{count(window)} {share:.0f}%")
        if session.usage.output:
            parts.append(f"↑{count(session.usage.input)} ↓{count(session.usage.output)}")
        if self.agent.config.display.show_cost and session.usage.cost_usd is not None:
            parts.append(f"${session.usage.cost_usd:.4f}")
        parts.append(elapsed(time.monotonic() - self._began))
        if self.agent.yolo:
            parts.append("YOLO")
        text = " " + " · ".join(parts)
        if self.busy:
            hint = f" ● {self.view.activity or 'waiting for the model'} · Ctrl-C stops ·"
            return [("class:status.busy", hint), ("class:status", text)]
        return [("class:status", text)]

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self.busy:
                self.screen.app.invalidate()
