"""Discord's Markdown: https://support.discord.com/hc/articles/210298617."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from hermes_agent.delivery.document import Block, Code, Emphasis, Link, Mark, Paragraph, Table
from hermes_agent.delivery.lines import Line, aligned, lay
from hermes_agent.delivery.spans import spans

_MARKERS: dict[Emphasis, str] = {
    "bold": "**",
    "italic": "*",
    "underline": "__",
    "strike": "~~",
    "spoiler": "||",
}
_APART = "\u200b"
_PINGS = re.compile(r"@(?=everyone|here)|<(?=[@#:/]|a:|t:|id:)", re.IGNORECASE)
_ADDRESS = re.compile(r"(https?://[^\s<>]+)", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\*_~|`\[]")
_LINE_START = re.compile(r"^(\s*)(#{1,3}(?=\s)|[-+](?=[\s#])|>|\d+(?=[.)]\s))", re.MULTILINE)


def inert(text: str) -> str:
    """The text such that it pings nobody and names no channel, role or emoji."""
    return _PINGS.sub(lambda found: found.group() + _APART, text)


class Discord:
    """Headings of three levels, tables as code, and all that would ping made inert."""

    one_line = False
    joint = _APART

    def write(self, blocks: Sequence[Block]) -> str:
        """See `Dialect.write`."""
        return lay(blocks, self)

    def marks(self, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        """A bare address is found by Discord; as a link's text it would be refused."""
        return tuple(mark for mark in marks if not (isinstance(mark, Link) and mark.bare))

    def open(self, mark: Mark) -> str:
        """The marker."""
        if isinstance(mark, Link):
            return "["
        return "" if mark == "code" else _MARKERS[mark]

    def close(self, mark: Mark) -> str:
        """The marker again."""
        if isinstance(mark, Link):
            return f"]({_address(mark.href)})"
        return "" if mark == "code" else _MARKERS[mark]

    def text(self, text: str, marks: tuple[Mark, ...]) -> str:
        """Text in which nothing is a marker; addresses stay whole."""
        if "code" in marks:
            return _code_span(text)
        if any(isinstance(mark, Link) for mark in marks):
            # An address within a link's text makes Discord refuse the link.
            return _escaped(text.replace("://", f":{_APART}//")).replace("]", "\\]")
        pieces = _ADDRESS.split(text)
        return "".join(
            _address(piece, "()") if index % 2 else _escaped(piece)
            for index, piece in enumerate(pieces)
        )

    def paragraph(self, paragraph: Paragraph) -> str:
        """Headings of the first three levels; deeper ones look like the third."""
        text = spans(paragraph.runs, self)
        return f"{'#' * min(3, paragraph.heading)} {text}" if paragraph.heading else text

    def code(self, code: Code) -> list[Line]:
        """A fence that nothing inside can end."""
        return _fenced(code.text, code.language)

    def table(self, table: Table) -> list[Line]:
        """Aligned columns."""
        return _fenced("\n".join(aligned(table)), "")

    def rule(self) -> str:
        """Discord has none."""
        return "───"

    def marker(self, number: int | None, depth: int) -> str:
        """A dash or the number."""
        return "- " if number is None else f"{number}. "

    def quote(self, lines: list[Line], depth: int) -> list[Line]:
        """A sign before every line; quotations do not nest."""
        return lines if depth else [Line(f"> {line.text}", flush=True) for line in lines]


def _address(address: str, also: str = "") -> str:
    """The address without the characters that are markers to Discord."""
    return quote(address, safe=f"/:?#[]@!$&'+,;=%~-._{also}")


def _escaped(text: str) -> str:
    text = _LINE_START.sub(_line_start, _SPECIAL.sub(r"\\\g<0>", text))
    return inert(text)


def _line_start(found: re.Match[str]) -> str:
    marker = found[2]
    return f"{found[1]}{marker}\\" if marker.isdigit() else f"{found[1]}\\{marker}"


def _code_span(text: str) -> str:
    if "`" not in text:
        return f"`{text}`"
    # A doubled backtick would end the span, so that runs of them are taken apart.
    return f"`` {re.sub('`(?=`)', f'`{_APART}', text)} ``"


def _fenced(text: str, language: str) -> list[Line]:
    text = text.replace("```", f"`{_APART}`{_APART}`")
    return [Line(line, flush=True) for line in (f"```{language}", *text.split("\n"), "```")]
