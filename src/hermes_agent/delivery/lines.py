"""The layout of the dialects that are made of lines: lists by indentation, quotations by marks."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hermes_agent.delivery.document import (
    Block,
    Code,
    Listing,
    Paragraph,
    Quoted,
    Rule,
    Table,
)
from hermes_agent.delivery.spans import Spans, spelled
from hermes_agent.delivery.widths import width

WIDEST = 40
"""Columns of text that a cell of a table is padded to at most."""


class Line(NamedTuple):
    """A line; one that is `flush` is never indented, such as those of a code block."""

    text: str
    flush: bool = False


class Lines(Spans, Protocol):
    """How a dialect writes blocks."""

    def paragraph(self, paragraph: Paragraph) -> str:
        """A paragraph or a heading."""
        ...

    def code(self, code: Code) -> list[Line]:
        """A code block."""
        ...

    def table(self, table: Table) -> list[Line]:
        """A table."""
        ...

    def rule(self) -> str:
        """A line across."""
        ...

    def marker(self, number: int | None, depth: int) -> str:
        """What stands before an entry of a list, at `depth` 0 for the outermost list."""
        ...

    def quote(self, lines: list[Line], depth: int) -> list[Line]:
        """A quotation, at `depth` 0 for the outermost."""
        ...


def lay(blocks: Sequence[Block], style: Lines) -> str:
    """The blocks as text."""
    return "\n".join(line.text for line in _lay(blocks, style, quotes=0, lists=0))


def _lay(blocks: Sequence[Block], style: Lines, *, quotes: int, lists: int) -> list[Line]:
    lines: list[Line] = []
    for block in blocks:
        match block:
            case Paragraph():
                found = [Line(line) for line in style.paragraph(block).split("\n")]
            case Code():
                found = style.code(block)
            case Table():
                found = style.table(block)
            case Rule():
                found = [Line(style.rule())]
            case Quoted():
                inner = _lay(block.blocks, style, quotes=quotes + 1, lists=0)
                found = style.quote(inner, quotes)
            case Listing():
                found = _list(block, style, quotes=quotes, lists=lists)
        if lines and not lists:
            lines.append(Line(""))
        lines += found
    return lines


def _list(listing: Listing, style: Lines, *, quotes: int, lists: int) -> list[Line]:
    lines: list[Line] = []
    for entry in listing.entries:
        marker = style.marker(entry.number, lists)
        indent = " " * len(marker)
        inner = _lay(entry.blocks, style, quotes=quotes, lists=lists + 1)
        if entry.begins and inner[0].flush:
            lines.append(Line(marker.rstrip()))
        for index, line in enumerate(inner):
            prefix = marker if entry.begins and index == 0 else indent
            lines.append(line if line.flush or not line.text else Line(prefix + line.text))
    return lines


def aligned(table: Table) -> list[str]:
    """The table as lines of text, its columns aligned as far as their cells are short."""
    rows = [[spelled(cell) for cell in row] for row in (table.header, *table.rows) if row]
    widths = [min(WIDEST, max(map(width, column))) for column in zip(*rows, strict=True)]
    lines = [
        " | ".join(
            cell + " " * (columns - width(cell)) for cell, columns in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    if table.header:
        lines.insert(1, "-+-".join("-" * columns for columns in widths))
    return lines
