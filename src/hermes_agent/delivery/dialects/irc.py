"""IRC with mIRC's formatting codes: https://modern.ircdocs.horse/formatting.

Whatever the text held of controls and line ends is gone before it gets here (`cleaning`).
"""

from hermes_agent.delivery.dialects.plain import Plain
from hermes_agent.delivery.document import Code, Emphasis, Link, Mark, Paragraph, emboldened
from hermes_agent.delivery.lines import Line
from hermes_agent.delivery.spans import spans

_CODES: dict[Emphasis, str] = {
    "bold": "\x02",
    "italic": "\x1d",
    "underline": "\x1f",
    "strike": "\x1e",
    "code": "\x11",
}


class Irc(Plain):
    """One line a post: a line end would end the command. Every line closes what it opens."""

    one_line = True

    def marks(self, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        """All but spoilers."""
        return tuple(mark for mark in marks if isinstance(mark, Link) or mark in _CODES)

    def open(self, mark: Mark) -> str:
        """The code."""
        return "" if isinstance(mark, Link) else _CODES[mark]

    def close(self, mark: Mark) -> str:
        """The code again, which ends what it began."""
        return super().close(mark) if isinstance(mark, Link) else _CODES[mark]

    def paragraph(self, paragraph: Paragraph) -> str:
        """Headings are bold."""
        return spans(emboldened(paragraph), self)

    def code(self, code: Code) -> list[Line]:
        """Every line in monospace; empty lines are no messages."""
        lines = [line for line in code.text.split("\n") if line.strip()]
        return [Line(f"\x11{line}\x11") for line in lines] or [Line("")]
