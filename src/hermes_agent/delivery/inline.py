"""The inside of a paragraph: from the parser's tokens to runs of text with marks."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from hermes_agent.delivery.cleaning import clean_line
from hermes_agent.delivery.document import Emphasis, Link, Mark, Run

if TYPE_CHECKING:
    from markdown_it.token import Token

SCHEMES = ("http", "https", "mailto", "tel", "ftp", "matrix", "tg")
"""Schemes of addresses that may become links."""

_ADDRESS = re.compile(rf"(?:{'|'.join(SCHEMES)}):[^\s\"'<>]+\Z", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-z-]+)\s*/?>\Z", re.IGNORECASE)
_EMPHASIS: dict[str, Emphasis] = {"strong": "bold", "em": "italic", "s": "strike"}
_TAGS: dict[str, Emphasis] = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strike",
    "del": "strike",
    "spoiler": "spoiler",
    "tg-spoiler": "spoiler",
}


class Inline:
    """Reads the paragraphs of one document of `length` characters. An address longer than
    `longest_link` is written out after its text instead of becoming a link."""

    def __init__(self, longest_link: int, length: int) -> None:
        self._longest_link = longest_link
        # One definition can be referred to a thousand times: addresses are repeated only as long
        # as the answer does not outgrow its source by much.
        self._left_for_addresses = length + 4096

    def read(self, children: "Sequence[Token]", line_end: str) -> tuple[Run, ...]:
        """The runs of a paragraph; `line_end` stands for its line ends."""
        return _Pass(self, line_end).over(children)

    def address(self, token: "Token") -> str:
        """Where a link or an image points to; nothing once too much was spent on addresses."""
        href = clean_line(str(token.attrGet("href") or token.attrGet("src") or ""))
        self._left_for_addresses -= len(href)
        return href if self._left_for_addresses >= 0 else ""

    def linkable(self, href: str) -> bool:
        """Whether it may become a link."""
        return len(href) <= self._longest_link and _ADDRESS.match(href) is not None


class _Pass:
    def __init__(self, inline: Inline, line_end: str) -> None:
        self._inline = inline
        self._line_end = line_end
        self._runs: list[Run] = []
        self._marks: list[Mark] = []
        self._depth: dict[Emphasis, int] = {}
        self._link: tuple[int, str] = (0, "")

    def over(self, children: "Sequence[Token]") -> tuple[Run, ...]:
        paired = _pairs(children)
        for position, child in enumerate(children):
            if child.type == "html_inline":
                self._tag(child, position in paired)
            else:
                self._token(child)
        return tuple(
            Run("".join(run.text for run in runs), marks)
            for marks, runs in groupby(self._runs, key=lambda run: run.marks)
        )

    def _say(self, text: str, *more: Mark) -> None:
        if text:
            self._runs.append(Run(text, (*self._marks, *more)))

    def _token(self, child: "Token") -> None:
        match child.type:
            case "softbreak" | "hardbreak":
                self._say(self._line_end)
            case "code_inline":
                self._say(clean_line(child.content), "code")
            case "image":
                self._image(child)
            case "link_open":
                href = self._inline.address(child)
                self._link = (len(self._runs), href)
                if self._inline.linkable(href):
                    self._marks.append(Link(href, bare=child.markup == "autolink"))
            case "link_close":
                self._close_link()
            case "strong_open" | "em_open" | "s_open" | "strong_close" | "em_close" | "s_close":
                name = child.type.partition("_")[0]
                self._emphasise(_EMPHASIS[name], opens=child.nesting > 0)
            case _:
                self._say(clean_line(child.content))

    def _tag(self, child: "Token", paired: bool) -> None:
        tag = _TAG.match(child.content)
        if tag and tag[2].lower() == "br":
            self._say(self._line_end)
        elif tag and paired:
            self._emphasise(_TAGS[tag[2].lower()], opens=not tag[1])
        else:
            self._say(clean_line(child.content))

    def _emphasise(self, mark: Emphasis, *, opens: bool) -> None:
        depth = self._depth.get(mark, 0) + (1 if opens else -1)
        self._depth[mark] = depth
        if opens and depth == 1:
            self._marks.append(mark)
        elif depth == 0:
            self._marks.remove(mark)

    def _image(self, child: "Token") -> None:
        href = self._inline.address(child)
        label = clean_line(child.content).strip() or "image"
        linked = any(isinstance(mark, Link) for mark in self._marks)
        if self._inline.linkable(href) and not linked:
            self._say(label, Link(href))
        else:
            self._say(f"{label} ({href})" if href else label)

    def _close_link(self) -> None:
        first, href = self._link
        label = "".join(run.text for run in self._runs[first:])
        link = next((mark for mark in self._marks if isinstance(mark, Link)), None)
        if link is None:
            if href not in ("", label, f"mailto:{label}"):
                self._say(f" ({href})")
            return
        self._marks.remove(link)
        if not label.strip():
            self._runs[first:] = [Run(href, (Link(href, bare=True),))]
        elif label == href and not link.bare:
            self._runs[first:] = [_bare(run, link) for run in self._runs[first:]]


def _bare(run: Run, link: Link) -> Run:
    bare = Link(link.href, bare=True)
    return Run(run.text, tuple(bare if mark is link else mark for mark in run.marks))


def _pairs(children: "Sequence[Token]") -> set[int]:
    """The positions of the tags that are known and closed."""
    opened: dict[str, list[int]] = {}
    paired: set[int] = set()
    for position, child in enumerate(children):
        tag = _TAG.match(child.content) if child.type == "html_inline" else None
        if tag is None or tag[2].lower() not in _TAGS:
            continue
        begun = opened.setdefault(tag[2].lower(), [])
        if not tag[1]:
            begun.append(position)
        elif begun:
            paired |= {begun.pop(), position}
    return paired
