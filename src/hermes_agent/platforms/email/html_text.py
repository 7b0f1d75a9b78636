"""The words of an HTML mail."""

import re

from hermes_agent.platforms.email.html_tags import Tag, Words, tokens

MAX_HTML = 500_000

_BLOCKS = frozenset(
    "address article aside blockquote center dd div dl dt fieldset figure footer form h1 h2 h3 h4 "
    "h5 h6 header hr li main nav ol p pre section table tr ul".split()
)
_MAX_LINK = 2000


def html_text(html: str) -> str:
    """Plain text: blocks are lines, links keep their address, quotes have a `>`. Takes any text;
    what goes beyond `MAX_HTML` characters is left out."""
    writer = _Writer()
    for token in tokens(html[:MAX_HTML]):
        match token:
            case Words(text):
                writer.words(text)
            case Tag(closing=True):
                writer.closes(token.name)
            case Tag():
                writer.opens(token)
    return writer.text()


class _Writer:
    def __init__(self) -> None:
        self._lines: list[tuple[int, str]] = []
        self._line: list[str] = []
        self._depth = 0
        self._pre = 0
        self._link: tuple[str, int] | None = None

    def opens(self, tag: Tag) -> None:
        name = tag.name
        if name == "br":
            self._end_line()
        elif name == "a":
            self._link = (tag.value("href"), len(self._line))
        elif name == "img":
            self._line.append(tag.value("alt"))
        elif name in ("td", "th"):
            self._line.append("\t" if self._line else "")
        elif name in _BLOCKS:
            self._end_block()
            self._depth += name == "blockquote"
            self._pre += name == "pre"
            if name == "li":
                self._line.append("- ")

    def closes(self, name: str) -> None:
        if name == "a" and self._link is not None:
            (href, begin), self._link = self._link, None
            shown = "".join(self._line[begin:])
            if href.startswith(("http://", "https://")) and href.rstrip("/") not in shown:
                self._line.append(f" ({href[:_MAX_LINK]})")
        elif name in _BLOCKS:
            self._end_block()
            self._depth = max(0, self._depth - (name == "blockquote"))
            self._pre = max(0, self._pre - (name == "pre"))

    def words(self, text: str) -> None:
        if not self._pre:
            self._line.append(re.sub(r"[ \t\r\n]+", " ", text))
            return
        first, *rest = text.split("\n")
        self._line.append(first)
        for each in rest:
            self._end_line()
            self._line.append(each)

    def text(self) -> str:
        """All of it; at most one empty line in a row."""
        self._end_line()
        marked = (
            ">" * min(depth, 5) + (" " if depth and line else "") + line
            for depth, line in self._lines
        )
        return re.sub(r"\n{3,}", "\n\n", "\n".join(marked)).strip()

    def _end_line(self) -> None:
        line = "".join(self._line)
        self._line.clear()
        if self._link is not None:
            self._link = (self._link[0], 0)
        shown = line.rstrip() if self._pre else re.sub(r" {2,}", " ", line).strip(" ")
        self._lines.append((self._depth, shown))

    def _end_block(self) -> None:
        if any(each.strip() for each in self._line):
            self._end_line()
        else:
            self._line.clear()
