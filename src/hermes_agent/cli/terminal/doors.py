"""Which terminal the chat is held at: the full screen, or line by line where that cannot be."""

import os
import sys
from typing import TYPE_CHECKING, Protocol

from hermes_agent.cli.terminal.plain import Progress
from hermes_agent.cli.terminal.port import Terminal
from hermes_agent.domain.events import Event

if TYPE_CHECKING:
    from hermes_agent.cli.terminal.chat import Chat


class View(Protocol):
    """Shows a turn. The attributes may be changed at any time."""

    reasoning: bool
    progress: Progress
    activity: str

    def show(self, event: Event) -> None:
        """Show one event."""
        ...

    def tick(self) -> None:
        """A second has passed."""
        ...

    def abandon(self) -> None:
        """The turn broke off without an ending."""
        ...


def drawable() -> bool:
    """Whether lines can be redrawn here."""
    return os.environ.get("TERM", "dumb") not in ("", "dumb") and sys.stdout.isatty()


def open_terminal(chat: "Chat") -> tuple[Terminal, View]:
    """The terminal for this chat and the view that shows turns on it."""
    return _screen(chat) if drawable() else _typewriter(chat)


def _screen(chat: "Chat") -> tuple[Terminal, View]:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from hermes_agent.cli.terminal.completion import ChatCompleter
    from hermes_agent.cli.terminal.markdown import rendered
    from hermes_agent.cli.terminal.screen import Screen
    from hermes_agent.cli.terminal.status import status_line
    from hermes_agent.cli.terminal.view import ScreenView

    def status() -> StyleAndTextTuples:
        activity, rest = status_line(chat.standing(), screen.columns)
        return [("class:status.busy", activity), ("class:status", rest)]

    display = chat.agent.config.display
    screen = Screen(
        listener=chat,
        status=status,
        completer=ChatCompleter(lambda: chat.commands, lambda: chat.agent.cwd),
        history_file=chat.agent.paths.history_file,
        on_paste=chat.pastes.take,
    )
    view = ScreenView(
        screen,
        render=lambda block: rendered(block, colour=chat.colour),
        colour=chat.colour,
        progress=chat.agent.progress,
        reasoning=display.show_reasoning,
    )
    return screen, view


def _typewriter(chat: "Chat") -> tuple[Terminal, View]:
    from hermes_agent.cli.terminal.plain import PlainView
    from hermes_agent.cli.terminal.typewriter import Typewriter

    display = chat.agent.config.display
    view = PlainView(reasoning=display.show_reasoning, progress=chat.agent.progress)
    return Typewriter(chat), view
