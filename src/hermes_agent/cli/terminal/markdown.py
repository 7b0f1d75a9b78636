"""Finished Markdown blocks as terminal text, by rich."""

import io
import shutil

MAX_WIDTH = 100


def rendered(block: str, *, colour: bool) -> str:
    """`block` with headings, lists, tables and highlighted code, and an empty line after it."""
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
    console.print(LeftMarkdown(block, code_theme="ansi_dark", hyperlinks=False))
    lines = [line.rstrip() for line in out.getvalue().split("\n")]
    return "\n".join(lines).strip("\n") + "\n\n"
