"""Finished Markdown blocks as terminal text, by rich."""

import io
import shutil

from hermes_agent.cli.terminal.safe import clean

MAX_WIDTH = 100
EXAMPLE = "# Title\n\ntext `code`\n\n```python\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"


def rendered(block: str, *, colour: bool) -> str:
    """`block` with headings, lists, tables and highlighted code, and an empty line after it.

    Prose is broken at most after 100 columns. Code is not broken: the terminal does that, and a
    line that is copied stays one.
    """
    from rich.console import Console

    from hermes_agent.cli.terminal.richtext import LeftMarkdown

    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=colour,
        color_system="standard" if colour else None,
        width=min(MAX_WIDTH, shutil.get_terminal_size().columns),
        highlight=False,
        legacy_windows=False,
    )
    markdown = LeftMarkdown(block, code_theme="ansi_dark", hyperlinks=False)
    console.print(markdown, crop=False, overflow="ignore", no_wrap=False)
    lines = [line.rstrip() for line in out.getvalue().split("\n")]
    while lines and not clean(lines[0]).strip():
        del lines[0]
    while lines and not clean(lines[-1]).strip():
        del lines[-1]
    return "\n".join(lines) + "\n\n" if lines else ""


def warm() -> None:
    """Load what the first answer needs; it takes a tenth of a second."""
    rendered(EXAMPLE, colour=True)
