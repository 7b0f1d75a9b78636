"""Telegram's HTML mode: https://core.telegram.org/bots/api#html-style."""

from collections.abc import Sequence
from html import escape

from hermes_agent.delivery.document import (
    Block,
    Code,
    Emphasis,
    Link,
    Mark,
    Paragraph,
    Table,
    emboldened,
)
from hermes_agent.delivery.lines import Line, aligned, lay
from hermes_agent.delivery.spans import spans

_TAGS: dict[Emphasis, str] = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strike": "s",
    "spoiler": "tg-spoiler",
    "code": "code",
}


class Telegram:
    """Headings are bold, tables preformatted text; quotations do not nest, so that only the
    outermost is one."""

    one_line = False
    joint = ""

    def write(self, blocks: Sequence[Block]) -> str:
        """See `Dialect.write`."""
        return lay(blocks, self)

    def marks(self, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        """Code stands alone: it can neither hold nor be inside anything; a link goes before."""
        if "code" not in marks:
            return marks
        link = next((mark for mark in marks if isinstance(mark, Link)), None)
        return (link or "code",)

    def open(self, mark: Mark) -> str:
        """The tag."""
        return f'<a href="{escape(mark.href)}">' if isinstance(mark, Link) else f"<{_TAGS[mark]}>"

    def close(self, mark: Mark) -> str:
        """The closing tag."""
        return "</a>" if isinstance(mark, Link) else f"</{_TAGS[mark]}>"

    def text(self, text: str, marks: tuple[Mark, ...]) -> str:
        """Text without tags."""
        return escape(text, quote=False)

    def paragraph(self, paragraph: Paragraph) -> str:
        """Headings are bold throughout."""
        return spans(emboldened(paragraph), self)

    def code(self, code: Code) -> list[Line]:
        """Preformatted, with its language."""
        return _preformatted(code.text, code.language)

    def table(self, table: Table) -> list[Line]:
        """Aligned columns."""
        return _preformatted("\n".join(aligned(table)), "")

    def rule(self) -> str:
        """Telegram has none."""
        return "———"

    def marker(self, number: int | None, depth: int) -> str:
        """A bullet or the number."""
        return ("◦ " if depth % 2 else "• ") if number is None else f"{number}. "

    def quote(self, lines: list[Line], depth: int) -> list[Line]:
        """One tag around all; within another quotation, a sign before every line."""
        if depth:
            return [line if line.flush else Line(f"&gt; {line.text}") for line in lines]
        texts = "\n".join(line.text for line in lines)
        return [Line(line, flush=True) for line in f"<blockquote>{texts}</blockquote>".split("\n")]


def _preformatted(text: str, language: str) -> list[Line]:
    text = escape(text, quote=False)
    if language:
        text = f'<code class="language-{language}">{text}</code>'
    return [Line(line, flush=True) for line in f"<pre>{text}</pre>".split("\n")]
