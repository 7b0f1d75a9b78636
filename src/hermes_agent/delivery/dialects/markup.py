"""HTML for the platforms that take whole documents of it."""

from collections.abc import Mapping, Sequence
from html import escape

from hermes_agent.delivery.document import (
    Block,
    Cell,
    Code,
    Emphasis,
    Link,
    Listing,
    Mark,
    Paragraph,
    Quoted,
    Rule,
    Table,
)
from hermes_agent.delivery.spans import spans


class Markup:
    """`tags` are the opening tags of marks without their brackets, `styles` the CSS of elements
    by name, `schemes` those that a link may have (none: any)."""

    one_line = False
    joint = ""

    def __init__(
        self,
        *,
        tags: Mapping[Emphasis, str],
        styles: Mapping[str, str],
        schemes: Sequence[str] = (),
    ) -> None:
        self._tags = tags
        self._styles = styles
        self._schemes = tuple(f"{scheme}:" for scheme in schemes)

    def write(self, blocks: Sequence[Block]) -> str:
        """See `Dialect.write`."""
        return "".join(map(self._block, blocks))

    def marks(self, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        """Those that have a tag."""
        return tuple(
            mark
            for mark in marks
            if (
                not self._schemes or mark.href.lower().startswith(self._schemes)
                if isinstance(mark, Link)
                else mark in self._tags
            )
        )

    def open(self, mark: Mark) -> str:
        """The tag."""
        if isinstance(mark, Link):
            return f'<a href="{escape(mark.href)}">'
        name, _, attributes = self._tags[mark].partition(" ")
        return self._tag(name, attributes)

    def close(self, mark: Mark) -> str:
        """The closing tag."""
        return "</a>" if isinstance(mark, Link) else f"</{self._tags[mark].partition(' ')[0]}>"

    def text(self, text: str, marks: tuple[Mark, ...]) -> str:
        """Text without tags."""
        return escape(text, quote=False).replace("\n", "<br>")

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph(runs=runs, heading=heading):
                return self._element(f"h{heading}" if heading else "p", spans(runs, self))
            case Code():
                return self._code(block)
            case Table():
                return self._table(block)
            case Rule():
                return "<hr>"
            case Quoted(blocks=blocks):
                return self._element("blockquote", self.write(blocks))
            case Listing():
                return self._list(block)

    def _code(self, code: Code) -> str:
        language = f'class="language-{code.language}"' if code.language else ""
        return self._element("pre", f"<code {language}".rstrip() + f">{_verbatim(code)}</code>")

    def _table(self, table: Table) -> str:
        head = self._element("thead", self._row(table.header, "th")) if table.header else ""
        body = "".join(self._row(row, "td") for row in table.rows)
        return self._element("table", head + self._element("tbody", body))

    def _row(self, row: Sequence[Cell], name: str) -> str:
        cells = "".join(self._element(name, spans(cell, self)) for cell in row)
        return self._element("tr", cells)

    def _list(self, listing: Listing) -> str:
        entries = "".join(
            self._element("li", self._entry(entry.blocks)) for entry in listing.entries
        )
        number = listing.entries[0].number
        if number is None:
            return self._element("ul", entries)
        return self._element("ol", entries, f'start="{number}"' if number != 1 else "")

    def _entry(self, blocks: Sequence[Block]) -> str:
        """A paragraph that begins an entry needs no element of its own."""
        first, *rest = blocks
        if isinstance(first, Paragraph) and not first.heading:
            return spans(first.runs, self) + self.write(rest)
        return self.write(blocks)

    def _element(self, name: str, content: str, attributes: str = "") -> str:
        return f"{self._tag(name, attributes)}{content}</{name}>"

    def _tag(self, name: str, attributes: str = "") -> str:
        style = self._styles.get(name)
        parts = (name, attributes, f'style="{style}"' if style else "")
        return f"<{' '.join(part for part in parts if part)}>"


def _verbatim(code: Code) -> str:
    return escape(code.text, quote=False)
