"""Markdown as rich shows it, with headings at the left and code that can be copied."""

from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.syntax import Syntax
from rich.text import Text

MARGIN = "  "
MAX_HIGHLIGHTED = 20_000
"""Characters; a lexer takes about a second for a megabyte, and nobody reads that in colour."""


class LeftHeading(Heading):
    """A heading at the left margin."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class WholeCode(CodeBlock):
    """Code with its lines unbroken, set in by two columns."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        lexer = self.lexer_name if len(code) <= MAX_HIGHLIGHTED else "text"
        syntax = Syntax(code, lexer, theme=self.theme, word_wrap=True, padding=(0, 1))
        if options.max_width < console.width:
            # Inside of a list rich cuts what is longer than the line.
            yield syntax
            return
        highlighted = syntax.highlight(code) if lexer != "text" else Text(code)
        for line in highlighted.split("\n", allow_blank=True):
            whole = Text(MARGIN, end="\n").append_text(line) if line else Text("", end="\n")
            yield from whole.render(console, end="\n")


class LeftMarkdown(Markdown):
    """Markdown with these."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": LeftHeading,
        "fence": WholeCode,
        "code_block": WholeCode,
    }

    def __init__(self, markup: str, **options: Any) -> None:
        super().__init__(markup, **options)
