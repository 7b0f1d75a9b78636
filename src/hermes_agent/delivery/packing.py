"""Cutting a document into parts that fit: between leaves, else at lines, else at words."""

import unicodedata
from collections.abc import Callable, Sequence

from hermes_agent.delivery.document import Atom, Code, Paragraph, Run, Table, atom
from hermes_agent.delivery.spans import spelled

Fits = Callable[[Sequence[Atom]], bool]

_JOINERS = "\u200d\ufe0e\ufe0f"


def pack(atoms: Sequence[Atom], fits: Fits, *, limit: int) -> list[list[Atom]]:
    """The parts in order, none of them blank. `fits` prints a part and measures it; of anything
    larger than `limit` it is not asked. The same beginning gives the same parts, but the last."""
    left = list(atoms)
    parts: list[list[Atom]] = []
    done = 0
    while done < len(left):
        taken = _leading(left, done, fits, limit)
        part = left[done : done + taken]
        done += taken
        if done < len(left) and not _fitting(left[done : done + 1], fits, limit):
            # A leaf that no part can hold: begin it here if that brings it on, else in the next.
            head, tail = _divide(left[done], part, fits, limit)
            if head is not None:
                left[done : done + 1] = [head, *tail]
                part.append(head)
                done += 1
            elif not part:
                left[done : done + 1] = _simpler(left[done])
                continue
        if done < len(left) and len(part) > 1 and _is_heading(part[-1]):
            part.pop()
            done -= 1
        parts.append(part)
    return parts


def _leading(atoms: list[Atom], done: int, fits: Fits, limit: int) -> int:
    def fit(count: int) -> bool:
        return _fitting(atoms[done : done + count], fits, limit)

    return _most(fit, len(atoms) - done)


def _fitting(atoms: Sequence[Atom], fits: Fits, limit: int) -> bool:
    if _shortest(atoms) > limit:
        return False
    last = atoms[-1]
    if isinstance(last.leaf, Table):
        # Rows count little and print long: a table that is far too long is not printed in full.
        rows = 32
        while rows < last.size:
            if not fits([*atoms[:-1], last.cut(last.start, last.start + rows)]):
                return False
            rows *= 2
    return fits(atoms)


def _shortest(atoms: Sequence[Atom]) -> int:
    """What the atoms need at least, whatever the dialect: there is a sign between any two."""
    return sum(atom.size + 1 for atom in atoms) - 1


def _most(fits: Callable[[int], bool], available: int) -> int:
    """The largest count that fits, at most `available`; 0 where not even one does. Counts are
    tried by doubling, so that nothing much larger than the answer is ever tried."""
    good, step = 0, 1
    while good < available and fits(min(available, good + step)):
        good = min(available, good + step)
        step *= 2
    bad = min(available, good + step) if good < available else available + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if fits(middle):
            good = middle
        else:
            bad = middle
    return good


def _divide(
    leaf: Atom, part: list[Atom], fits: Fits, limit: int
) -> tuple[Atom | None, Sequence[Atom]]:
    """As much of the leaf as the part still holds, if that is worth while, and the rest of it."""

    def ends(count: int) -> bool:
        tried = [*part, leaf.cut(leaf.start, leaf.start + count)]
        return _shortest(tried) <= limit and fits(tried)

    count = _most(ends, leaf.size)
    table = isinstance(leaf.leaf, Table)
    worth = (3 if table else limit // 3) if part else 1
    if count < worth:
        return None, ()
    cut, rest = (leaf.start + count,) * 2 if table else _edge(leaf, leaf.start + count)
    return leaf.cut(leaf.start, cut), [leaf.cut(rest, leaf.end)] if rest < leaf.end else ()


def _edge(leaf: Atom, end: int) -> tuple[int, int]:
    """Where to cut at or before `end`, and where the rest begins after that."""
    text, begin = leaf.text, leaf.start
    code = isinstance(leaf.leaf, Code)
    cut = end
    if end < leaf.end:
        line = text.rfind("\n", begin, end + 1)
        word = _last_space(text, begin, end - 1 if code else end)
        if line > (begin if code else begin + (end - begin) // 2):
            cut = line
        elif word is not None:
            # Every character of code counts: the space stays in front of the cut.
            cut = word + 1 if code else word
        else:
            cut = _whole(text, begin, end)
    rest = cut
    # Indentation belongs to code; in a paragraph, spaces at a cut are nothing.
    while rest < leaf.end and (text[rest] == "\n" if code else text[rest].isspace()):
        rest += 1
    return cut, rest


def _last_space(text: str, begin: int, end: int) -> int | None:
    return next((cut for cut in range(end, begin, -1) if text[cut].isspace()), None)


def _whole(text: str, begin: int, end: int) -> int:
    """At most `end`, not within a character that is made of several code points."""
    cut = end
    while cut > max(begin + 1, end - 16):
        after, before = text[cut], text[cut - 1]
        if not (
            after in _JOINERS
            or before == "\u200d"
            or unicodedata.combining(after)
            or "\U0001f3fb" <= after <= "\U0001f3ff"
        ):
            return cut
        cut -= 1
    return end


def _simpler(leaf: Atom) -> list[Atom]:
    """The leaf with less around it, for when nothing of it fits: without marks, then out of its
    containers. A single character without both always fits."""
    inner = leaf.leaf
    if isinstance(inner, Table):
        rows = [inner.header, *inner.rows[leaf.start : leaf.end]]
        lines = [" | ".join(map(spelled, row)) for row in rows if row]
        text = "\n".join(line for line in lines if line.strip())
        return [atom(Paragraph((Run(text),)), leaf.path, leaf.opens)]
    block = leaf.block()
    if isinstance(block, Paragraph) and (block.heading or any(run.marks for run in block.runs)):
        return [atom(Paragraph((Run(spelled(block.runs)),)), leaf.path, leaf.opens)]
    if isinstance(block, Code) and block.language:
        return [atom(Code(block.text), leaf.path, leaf.opens)]
    if isinstance(block, Code):
        return [atom(Paragraph((Run(block.text),)), leaf.path, leaf.opens)]
    if leaf.path:
        return [atom(block)]
    # Not reached with a limit of the dialect's `least` or more; dropping it beats never ending.
    return []


def _is_heading(last: Atom) -> bool:
    return isinstance(last.leaf, Paragraph) and last.leaf.heading > 0
