"""Key bindings of the terminal application."""

from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from hermes_agent.cli.terminal.panel import Panel


class Keyed(Protocol):
    """What keys act on."""

    panel: Panel | None
    buffer: Buffer
    on_paste: Callable[[str], str]

    def submit(self) -> None:
        """Enter."""
        ...

    def interrupt(self) -> None:
        """Ctrl-C."""
        ...

    def exit(self) -> None:
        """Ctrl-D."""
        ...

    def clear(self) -> None:
        """Ctrl-L."""
        ...

    def suspend(self) -> None:
        """Ctrl-Z."""
        ...


def key_bindings(screen: Keyed) -> KeyBindings:
    """Enter sends, Alt-Enter and Ctrl-J make a new line; a panel takes arrows and letters."""
    keys = KeyBindings()
    in_panel = Condition(lambda: screen.panel is not None)
    empty = Condition(lambda: not screen.buffer.text)
    suggested = Condition(lambda: bool(_suggestion(screen.buffer)))

    @keys.add("enter")
    def _(_event: KeyPressEvent) -> None:
        state = screen.buffer.complete_state
        if state is not None and state.current_completion is not None:
            screen.buffer.complete_state = None
            return
        screen.submit()

    @keys.add("escape", "enter")
    @keys.add("c-j")
    def _(_event: KeyPressEvent) -> None:
        screen.buffer.insert_text("\n")

    @keys.add("tab", filter=~in_panel)
    def _(_event: KeyPressEvent) -> None:
        state = screen.buffer.complete_state
        if state is not None and state.completions:
            screen.buffer.complete_next()
        elif _suggestion(screen.buffer):
            screen.buffer.insert_text(_suggestion(screen.buffer))
        else:
            asked = CompleteEvent(completion_requested=True)
            screen.buffer.start_completion(insert_common_part=True, complete_event=asked)

    @keys.add("right", filter=suggested)
    @keys.add("c-e", filter=suggested)
    def _(_event: KeyPressEvent) -> None:
        screen.buffer.insert_text(_suggestion(screen.buffer))

    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        screen.buffer.insert_text(screen.on_paste(text))

    @keys.add("c-c")
    @keys.add("<sigint>")
    def _(_event: KeyPressEvent) -> None:
        screen.interrupt()

    @keys.add("c-d", filter=empty)
    def _(_event: KeyPressEvent) -> None:
        screen.exit()

    @keys.add("c-l")
    def _(_event: KeyPressEvent) -> None:
        screen.clear()

    @keys.add("c-z")
    def _(_event: KeyPressEvent) -> None:
        screen.suspend()

    @keys.add("up", filter=in_panel)
    def _(_event: KeyPressEvent) -> None:
        if screen.panel is not None:
            screen.panel.move(-1)

    @keys.add("down", filter=in_panel)
    def _(_event: KeyPressEvent) -> None:
        if screen.panel is not None:
            screen.panel.move(1)

    @keys.add("<any>", filter=in_panel & empty)
    def _(event: KeyPressEvent) -> None:
        panel = screen.panel
        if panel is not None and event.data.isprintable() and not panel.key(event.data.lower()):
            screen.buffer.insert_text(event.data)

    return keys


def _suggestion(buffer: Buffer) -> str:
    """What the history suggests to go on with; only at the end of the line."""
    found = buffer.suggestion
    return found.text if found is not None and buffer.document.is_cursor_at_the_end else ""
