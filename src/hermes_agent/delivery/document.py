"""An answer as a document: what every dialect is printed from.

Marks nest as the source nests them, outermost first; a run of text carries all of its own, so
that a paragraph can be cut anywhere and both halves stay whole.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

import msgspec


class Link(msgspec.Struct, frozen=True):
    """`href` is absolute and of a harmless scheme. `bare`: the text is the address itself."""

    href: str
    bare: bool = False


Emphasis = Literal["bold", "italic", "underline", "strike", "spoiler", "code"]
Mark = Emphasis | Link


class Run(msgspec.Struct, frozen=True):
    """A stretch of text with one set of marks. A line feed is a line break."""

    text: str
    marks: tuple[Mark, ...] = ()


class Paragraph(msgspec.Struct, frozen=True):
    """`heading` is its level, 1 to 6, or 0 for text."""

    runs: tuple[Run, ...]
    heading: int = 0


def emboldened(paragraph: Paragraph) -> tuple[Run, ...]:
    """Its runs, bold throughout if it is a heading: for dialects that have no headings."""
    if not paragraph.heading:
        return paragraph.runs
    return tuple(
        Run(run.text, ("bold", *(mark for mark in run.marks if mark != "bold")))
        for run in paragraph.runs
    )


class Code(msgspec.Struct, frozen=True):
    """A code block without its last line end; `language` is a word of letters or empty."""

    text: str
    language: str = ""


Cell = tuple[Run, ...]


class Table(msgspec.Struct, frozen=True):
    """Every row has as many cells as the header, which may be missing."""

    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Rule(msgspec.Struct, frozen=True):
    """A line across."""


Leaf = Paragraph | Code | Table | Rule


class Quoted(msgspec.Struct, frozen=True):
    """A quotation."""

    blocks: "tuple[Block, ...]"


class Entry(msgspec.Struct, frozen=True):
    """One entry of a list. `number` is None in a list of bullets; without `begins` it goes on
    from an earlier part."""

    blocks: "tuple[Block, ...]"
    number: int | None
    begins: bool


class Listing(msgspec.Struct, frozen=True):
    """A list."""

    entries: tuple[Entry, ...]


Block = Leaf | Quoted | Listing


class Step(msgspec.Struct, frozen=True):
    """One container on the way down to a leaf: a quotation, or an entry of the list `list_id`.

    `id` is unique within the document.
    """

    id: int
    list_id: int | None = None
    number: int | None = None


class Atom(msgspec.Struct, frozen=True):
    """A leaf where it stands, or its part from `start` to `end`: characters of a paragraph or
    of code, rows of a table. The steps of `path` from `opens` on begin with it."""

    leaf: Leaf
    path: tuple[Step, ...] = ()
    opens: int = 0
    start: int = 0
    end: int = 1
    offsets: tuple[int, ...] = ()
    """Where each run of a paragraph ends, so that cutting a long one stays cheap."""

    @property
    def size(self) -> int:
        """How many characters or rows it holds; printed it is never shorter."""
        return self.end - self.start

    @property
    def text(self) -> str:
        """The characters that `start` and `end` count."""
        match self.leaf:
            case Paragraph(runs=runs):
                return "".join(run.text for run in runs)
            case Code(text=text):
                return text
            case _:
                return ""

    def cut(self, start: int, end: int) -> "Atom":
        """Its part between the two, counted as `start` and `end` are."""
        opens = self.opens if start == self.start else len(self.path)
        return msgspec.structs.replace(self, start=start, end=end, opens=opens)

    def block(self) -> Leaf:
        """The leaf that it stands for."""
        leaf = self.leaf
        match leaf:
            case Paragraph():
                return Paragraph(self._runs(leaf.runs), leaf.heading)
            case Code(text=text, language=language):
                return Code(text[self.start : self.end], language)
            case Table(header=header, rows=rows):
                return Table(header, rows[self.start : self.end])
            case Rule():
                return leaf

    def _runs(self, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        found: list[Run] = []
        index = bisect_right(self.offsets, self.start)
        while index < len(runs):
            begins = self.offsets[index - 1] if index else 0
            if begins >= self.end:
                break
            run = runs[index]
            text = run.text[max(0, self.start - begins) : self.end - begins]
            found.append(run if text == run.text else Run(text, run.marks))
            index += 1
        return tuple(found)


def atom(leaf: Leaf, path: tuple[Step, ...] = (), opens: int = 0) -> Atom:
    """The whole leaf as an atom."""
    match leaf:
        case Paragraph(runs=runs):
            offsets = tuple(accumulate(len(run.text) for run in runs))
            return Atom(leaf, path, opens, 0, offsets[-1] if offsets else 0, offsets)
        case Code(text=text):
            return Atom(leaf, path, opens, 0, len(text))
        case Table(rows=rows):
            return Atom(leaf, path, opens, 0, len(rows))
        case Rule():
            return Atom(leaf, path, opens)


def tree(atoms: Sequence[Atom], depth: int = 0) -> tuple[Block, ...]:
    """The blocks that the atoms make together."""
    blocks: list[Block] = []
    entries: list[Entry] = []
    index = 0
    while index < len(atoms):
        first = atoms[index]
        if len(first.path) <= depth:
            blocks.append(first.block())
            index += 1
            continue
        step = first.path[depth]
        last = index + 1
        while last < len(atoms) and _at(atoms[last], depth) == step:
            last += 1
        inner = tree(atoms[index:last], depth + 1)
        if step.list_id is None:
            blocks.append(Quoted(inner))
        else:
            entries.append(Entry(inner, step.number, begins=depth >= first.opens))
            following = _at(atoms[last], depth) if last < len(atoms) else None
            if following is None or following.list_id != step.list_id:
                blocks.append(Listing(tuple(entries)))
                entries = []
        index = last
    return tuple(blocks)


def _at(atom: Atom, depth: int) -> Step | None:
    return atom.path[depth] if len(atom.path) > depth else None
