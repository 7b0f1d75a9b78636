"""Markdown to a document: CommonMark with tables and strikethrough.

Bare addresses stay text (the platforms find them). Of HTML only a few inline tags mean anything;
all others are text.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from hermes_agent.delivery.cleaning import clean, visible
from hermes_agent.delivery.document import (
    Atom,
    Cell,
    Code,
    Leaf,
    Paragraph,
    Rule,
    Run,
    Step,
    Table,
    atom,
)
from hermes_agent.delivery.inline import Inline

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

DEEPEST = 40
"""Levels of nesting that are parsed; the parser drops what is deeper, so such a text is taken as
it is written."""
QUOTES, LISTS = 3, 6
"""Levels of quotations and of lists that are shown; deeper ones join the last."""

_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,32}(?=$|[\s,{:])")


def parse(markdown: str, *, longest_link: int) -> list[Atom]:
    """The document as its leaves in order; empty only for a blank text. `longest_link` is the
    most characters an address may have to become a link. Linear in the text; never raises."""
    text = clean(markdown)
    if not visible(text):
        return []
    tokens = _parser().parse(text)
    deepest = max(token.level + max(token.nesting, 0) for token in tokens) if tokens else 0
    atoms = [] if deepest >= DEEPEST else _Reader(Inline(longest_link, len(text))).read(tokens)
    return atoms or _literal(text)


def _literal(text: str) -> list[Atom]:
    blocks = (block.strip("\n") for block in re.split(r"\n[ \t]*\n", text))
    return [atom(Paragraph((Run(block),))) for block in blocks if visible(block)]


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST})
    return parser.enable(["table", "strikethrough"]).disable("html_block")


class _Reader:
    def __init__(self, inline: Inline) -> None:
        self._inline = inline
        self._ids = 0
        self._begun: set[int] = set()
        self._path: list[Step | None] = []
        self._lists: list[tuple[int, int | None]] = []
        self._heading = 0
        self._atoms: list[Atom] = []

    def read(self, tokens: "Sequence[Token]") -> list[Atom]:
        index = 0
        while index < len(tokens):
            token = tokens[index]
            match token.type:
                case "inline":
                    runs = self._inline.read(token.children or (), " " if self._heading else "\n")
                    if any(visible(run.text) for run in runs):
                        self._add(Paragraph(runs, self._heading))
                case "fence" | "code_block":
                    self._code(token)
                case "hr":
                    self._add(Rule())
                case "table_open":
                    index = self._table(tokens, index + 1)
                case _:
                    self._contain(token)
            index += 1
        return self._atoms

    def _contain(self, token: "Token") -> None:
        match token.type:
            case "heading_open":
                self._heading = int(token.tag[1:])
            case "heading_close":
                self._heading = 0
            case "blockquote_open":
                shown = self._levels(quotes=True) < QUOTES
                self._path.append(Step(self._id()) if shown else None)
            case "bullet_list_open":
                self._lists.append((self._id(), None))
            case "ordered_list_open":
                start = token.attrGet("start")
                self._lists.append((self._id(), 1 if start is None else int(start)))
            case "list_item_open":
                self._begin_entry()
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "blockquote_close" | "list_item_close":
                self._path.pop()
            case _:
                pass

    def _begin_entry(self) -> None:
        list_id, number = self._lists[-1]
        shown = self._levels(quotes=False) < LISTS
        self._path.append(Step(self._id(), list_id, number) if shown else None)
        if number is not None:
            self._lists[-1] = (list_id, number + 1)

    def _levels(self, *, quotes: bool) -> int:
        return sum(step is not None and (step.list_id is None) is quotes for step in self._path)

    def _id(self) -> int:
        self._ids += 1
        return self._ids

    def _add(self, leaf: Leaf) -> None:
        path = tuple(step for step in self._path if step is not None)
        opens = next(
            (index for index, step in enumerate(path) if step.id not in self._begun), len(path)
        )
        self._begun.update(step.id for step in path[opens:])
        self._atoms.append(atom(leaf, path, opens))

    def _code(self, token: "Token") -> None:
        text = token.content.strip("\n")
        language = _LANGUAGE.match(token.info.strip())
        if visible(text):
            self._add(Code(text, language.group() if language else ""))

    def _table(self, tokens: "Sequence[Token]", index: int) -> int:
        rows: list[tuple[Cell, ...]] = []
        cells: list[Cell] = []
        while tokens[index].type != "table_close":
            match tokens[index].type:
                case "tr_open":
                    cells = []
                case "inline":
                    cells.append(self._inline.read(tokens[index].children or (), " "))
                case "tr_close":
                    rows.append(tuple(cells))
                case _:
                    pass
            index += 1
        if any(visible(run.text) for row in rows for cell in row for run in cell):
            # A table without rows is its header: there is nothing to repeat it over.
            self._add(Table(rows[0], tuple(rows[1:])) if rows[1:] else Table((), tuple(rows)))
        return index
