"""How the redrawn part of the screen is laid out, and its colours."""

from collections.abc import Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import AppendAutoSuggestion
from prompt_toolkit.styles import Style

STYLE = Style.from_dict(
    {
        "prompt": "bold ansicyan",
        "status": "ansibrightblack",
        "status.busy": "ansiyellow",
        "panel.title": "bold ansiyellow",
        "panel.selected": "bold ansicyan",
        "panel.hint": "ansibrightblack",
        "auto-suggestion": "ansibrightblack",
        "completion-menu": "bg:default",
        "completion-menu.completion": "bg:default ansibrightblack",
        "completion-menu.completion.current": "bg:default bold ansicyan noreverse",
        "completion-menu.meta.completion": "bg:default ansibrightblack",
        "completion-menu.meta.completion.current": "bg:default ansicyan",
    }
)
MAX_INPUT_LINES = 10
MAX_COMPLETIONS = 8


def screen_layout(
    entry: Buffer,
    *,
    status: Callable[[], StyleAndTextTuples],
    live: Callable[[], ANSI | None],
    panel: Callable[[], StyleAndTextTuples],
) -> Layout:
    """From top to bottom: live text, panel, input, completions, status."""
    typing = Window(
        BufferControl(entry, input_processors=[AppendAutoSuggestion()]),
        wrap_lines=True,
        height=Dimension(min=1, max=MAX_INPUT_LINES),
        dont_extend_height=True,
    )
    mark = FormattedTextControl([("class:prompt", "❯ ")])
    body = HSplit(
        [
            ConditionalContainer(_text(live), Condition(lambda: live() is not None)),
            ConditionalContainer(_text(panel), Condition(lambda: bool(panel()))),
            VSplit([Window(mark, width=2, dont_extend_height=True), typing]),
            CompletionsMenu(max_height=MAX_COMPLETIONS),
            Window(FormattedTextControl(status), height=1, style="class:status"),
        ]
    )
    return Layout(body, focused_element=typing)


def _text(give: Callable[[], ANSI | StyleAndTextTuples | None]) -> Window:
    return Window(FormattedTextControl(give), wrap_lines=True, dont_extend_height=True)
