"""HTML mail: a little style in the elements themselves, since mail programs drop style sheets."""

from collections.abc import Sequence

from hermes_agent.delivery.dialects.markup import Markup
from hermes_agent.delivery.document import Block

_MONO = "font-family:monospace;background:#f4f4f4"
_CELL = "border:1px solid #ccc;padding:4px 8px;text-align:left"
_BODY = "font-family:sans-serif;line-height:1.5;color:#222"

_MARKUP = Markup(
    tags={"bold": "strong", "italic": "em", "underline": "u", "strike": "s", "code": "code"},
    styles={
        "blockquote": "margin:0 0 0 8px;padding-left:12px;border-left:3px solid #ccc",
        "code": _MONO,
        "pre": f"{_MONO};padding:8px;white-space:pre-wrap",
        "table": "border-collapse:collapse",
        "td": _CELL,
        "th": _CELL,
    },
)


class Email:
    """One element that holds the whole; the plain alternative is the post's other text."""

    one_line = False

    def write(self, blocks: Sequence[Block]) -> str:
        """See `Dialect.write`."""
        return f'<div style="{_BODY}">{_MARKUP.write(blocks)}</div>'
