"""Plain text."""

from collections.abc import Callable, Sequence

from hermes_agent.delivery.document import Block, Code, Mark, Paragraph, Table
from hermes_agent.delivery.lines import Line, aligned, lay
from hermes_agent.delivery.spans import Spelled, spans


class Plain(Spelled):
    """`soften` is put on all text, for platforms that read markup even in plain text."""

    one_line = False

    def __init__(self, soften: Callable[[str], str] = str) -> None:
        self._soften = soften

    def write(self, blocks: Sequence[Block]) -> str:
        """See `Dialect.write`."""
        return lay(blocks, self)

    def text(self, text: str, marks: tuple[Mark, ...]) -> str:
        """The text, softened."""
        return self._soften(text)

    def paragraph(self, paragraph: Paragraph) -> str:
        """Headings look like paragraphs."""
        return spans(paragraph.runs, self)

    def code(self, code: Code) -> list[Line]:
        """The lines of the code."""
        return [Line(line) for line in self._soften(code.text).split("\n")]

    def table(self, table: Table) -> list[Line]:
        """Aligned columns."""
        return [Line(self._soften(line)) for line in aligned(table)]

    def rule(self) -> str:
        """Three dashes."""
        return "---"

    def marker(self, number: int | None, depth: int) -> str:
        """A dash or the number."""
        return "- " if number is None else f"{number}. "

    def quote(self, lines: list[Line], depth: int) -> list[Line]:
        """A sign before every line, as in mail."""
        return [Line(f"> {line.text}".rstrip()) for line in lines]
