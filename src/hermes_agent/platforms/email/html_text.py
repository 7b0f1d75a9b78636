"""The words of an HTML mail."""

import re
from html.parser import HTMLParser

MAX_HTML = 200_000

_BLOCKS = frozenset(
    "address article aside blockquote center dd div dl dt fieldset figure footer form h1 h2 h3 h4 "
    "h5 h6 header hr li main nav ol p pre section table tr ul".split()
)
_SILENT = frozenset("head script style template title noscript".split())


def html_text(html: str) -> str:
    """Plain text: blocks are lines, links keep their address, quotes have a `>`. Takes any text;
    what goes beyond `MAX_HTML` characters is left out."""
    reader = _Reader()
    reader.feed(html[:MAX_HTML])
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[int, str]] = []
        self._line = ""
        self._depth = 0
        self._silent = ""
        self._pre = 0
        self._links: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent:
            return
        if tag in _SILENT:
            self._silent = tag
        elif tag == "br":
            self._end_line()
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", self._line))
        elif tag == "img":
            self._line += dict(attrs).get("alt") or ""
        elif tag in ("td", "th"):
            self._line += "\t" if self._line.strip() else ""
        elif tag in _BLOCKS:
            self._end_block()
            self._depth += tag == "blockquote"
            self._pre += tag == "pre"
            self._line += "- " if tag == "li" else ""

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent = "" if tag == self._silent else self._silent
        elif tag == "a" and self._links:
            href, before = self._links.pop()
            shown = self._line.removeprefix(before)
            if href.startswith(("http://", "https://")) and href.rstrip("/") not in shown:
                self._line += f" ({href[:2000]})"
        elif tag in _BLOCKS:
            self._end_block()
            self._depth = max(0, self._depth - (tag == "blockquote"))
            self._pre = max(0, self._pre - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if not self._pre:
            self._line += re.sub(r"[ \t\r\n]+", " ", data)
            return
        first, *rest = data.split("\n")
        self._line += first
        for each in rest:
            self._end_line()
            self._line = each

    def text(self) -> str:
        """All of it; at most one empty line in a row."""
        self._end_line()
        marked = (
            ">" * min(depth, 5) + (" " if depth and line else "") + line
            for depth, line in self._lines
        )
        return re.sub(r"\n{3,}", "\n\n", "\n".join(marked)).strip()

    def _end_line(self) -> None:
        line = self._line.rstrip() if self._pre else re.sub(r" {2,}", " ", self._line).strip(" ")
        self._lines.append((self._depth, line))
        self._line = ""

    def _end_block(self) -> None:
        if self._line.strip():
            self._end_line()
