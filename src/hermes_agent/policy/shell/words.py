"""From a word as written to the words a shell would make of it."""

import itertools
import re
from typing import Literal

import msgspec

from hermes_agent.policy.shell.model import Word

# plain: unquoted text as written · quoted: text without meaning to the shell · known: the value
# of an unquoted expansion, still to be split · unknown: an expansion whose value is not known,
# as written · process: <(…) or >(…)
PieceKind = Literal["plain", "quoted", "known", "unknown", "process"]

_MARK = 0xE100
_MOST_WORDS = 64
_GLOB = re.compile(r"[*?\[]")
_SIMPLE_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_ANSI_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|(.))",
    re.S,
)


class Piece(msgspec.Struct, frozen=True):
    """A part of a word. `splits`: the value may be several words or none."""

    kind: PieceKind
    text: str
    splits: bool = False
    feeds: tuple[int, ...] = ()


def plain(text: str) -> list[Piece]:
    """Unquoted text as pieces, backslashes undone."""
    if "\\" not in text:
        return [Piece("plain", text)]
    pieces: list[Piece] = []
    for part in re.split(r"(\\.)", text, flags=re.S):
        if part.startswith("\\") and len(part) > 1:
            if part[1] != "\n":
                pieces.append(Piece("quoted", part[1]))
        elif part:
            pieces.append(Piece("plain", part))
    return pieces


def double_quoted(text: str) -> str:
    """The literal stretch of a double-quoted string, backslashes undone."""
    if "\\" not in text:
        return text
    return re.sub(r"\\([$`\"\\\n])", lambda hit: "" if hit[1] == "\n" else hit[1], text, flags=re.S)


def ansi_c(text: str) -> str:
    """What stands between the quotes of `$'…'`, escapes undone (bash manual, ANSI-C Quoting)."""

    def undo(hit: re.Match[str]) -> str:
        two, four, eight, octal, control, simple = hit.groups()
        if two or four or eight:
            code = int(two or four or eight, 16)
            return chr(code) if code < 0x110000 else ""
        if octal:
            return chr(int(octal, 8) & 0xFF)
        if control:
            return chr(ord(control) & 0x1F)
        return _SIMPLE_ESCAPES.get(simple, simple if simple in "\\'\"?" else "\\" + simple)

    decoded = _ANSI_ESCAPE.sub(undo, text)
    return decoded.partition("\0")[0]


def words(pieces: list[Piece], *, home: str, cwd: str | None, one: bool = False) -> list[Word]:
    """Brace, tilde and field splitting. `one` for assignments and redirects: no splitting."""
    if len(pieces) == 1 and pieces[0].kind in ("plain", "quoted"):
        only = pieces[0]
        if only.kind == "quoted" or not _interesting(only.text):
            return [Word(only.text)]
    variants = [pieces] if one else _braces(pieces)
    if variants is None:
        return [Word("".join(p.text for p in pieces), dynamic=True, splits=True)]
    made: list[Word] = []
    for variant in variants:
        tilded = _tilde(variant, home, cwd)
        made += [_word(tilded)] if one else [_word(field) for field in _fields(tilded)]
    return made


def _interesting(text: str) -> bool:
    return any(c in text for c in "*?[~{")


def _word(pieces: list[Piece]) -> Word:
    text = "".join(p.text for p in pieces)
    dynamic = any(p.kind in ("unknown", "process") for p in pieces)
    pattern = None
    if any(p.kind in ("plain", "known") and _GLOB.search(p.text) for p in pieces):
        pattern = "".join(
            p.text if p.kind in ("plain", "known") else _GLOB.sub(r"[\g<0>]", p.text)
            for p in pieces
        )
    return Word(
        text,
        dynamic,
        any(p.splits for p in pieces),
        pattern,
        any(p.kind == "process" for p in pieces),
        tuple(itertools.chain.from_iterable(p.feeds for p in pieces)),
    )


def _tilde(pieces: list[Piece], home: str, cwd: str | None) -> list[Piece]:
    if not pieces or pieces[0].kind != "plain" or not pieces[0].text.startswith("~"):
        return pieces
    name, slash, rest = pieces[0].text[1:].partition("/")
    if not slash and len(pieces) > 1:
        return pieces
    if name == "":
        value: str | None = home
    elif name == "+":
        value = cwd
    elif name == "root":
        value = "/root"
    elif re.fullmatch(r"[a-z_][a-z0-9_-]*", name):
        parent = home.rpartition("/")[0]
        value = f"{parent or '/home'}/{name}"
    else:
        value = None
    if value is None:
        return [
            Piece("unknown", "~" + name, splits=False),
            Piece("plain", slash + rest),
            *pieces[1:],
        ]
    return [Piece("quoted", value), Piece("plain", slash + rest), *pieces[1:]]


def _fields(pieces: list[Piece]) -> list[list[Piece]]:
    if not any(p.kind == "known" and re.search(r"\s", p.text) for p in pieces):
        if len(pieces) == 1 and pieces[0].kind == "known" and not pieces[0].text:
            return []
        return [pieces]
    fields: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.kind != "known":
            fields[-1].append(piece)
            continue
        for part in re.split(r"(\s+)", piece.text):
            if part.isspace():
                fields.append([])
            elif part:
                fields[-1].append(Piece("known", part))
    return [field for field in fields if field]


def _braces(pieces: list[Piece]) -> list[list[Piece]] | None:
    """Brace expansion; None when it makes too many words to look at."""
    text = "".join(p.text for p in pieces if p.kind == "plain")
    if "{" not in text or "}" not in text or ("," not in text and ".." not in text):
        return [pieces]
    coded = "".join(
        p.text if p.kind == "plain" else chr(_MARK + i) for i, p in enumerate(pieces[:4096])
    )
    expanded = _expand(coded, _MOST_WORDS)
    if expanded is None:
        return None
    return [_decode(variant, pieces) for variant in expanded]


def _decode(coded: str, pieces: list[Piece]) -> list[Piece]:
    made: list[Piece] = []
    for stretch in re.split(r"([\ue100-\uf0ff])", coded):
        if len(stretch) == 1 and 0 <= ord(stretch) - _MARK < len(pieces):
            made.append(pieces[ord(stretch) - _MARK])
        elif stretch:
            made.append(Piece("plain", stretch))
    return made or [Piece("quoted", "")]


def _expand(text: str, most: int) -> list[str] | None:
    done: list[str] = []
    todo = [text]
    while todo:
        if len(done) + len(todo) > most:
            return None
        current = todo.pop(0)
        group = _first_group(current)
        if group is None:
            done.append(current)
            continue
        start, end, choices = group
        todo = [current[:start] + choice + current[end:] for choice in choices] + todo
    return done


def _first_group(text: str) -> tuple[int, int, list[str]] | None:
    """The first `{a,b}` or `{1..3}` that expands, its bounds and alternatives."""
    for start in (i for i, c in enumerate(text) if c == "{"):
        depth = 0
        commas: list[int] = []
        for at in range(start, len(text)):
            if text[at] == "{":
                depth += 1
            elif text[at] == "," and depth == 1:
                commas.append(at)
            elif text[at] == "}":
                depth -= 1
                if depth:
                    continue
                if commas:
                    edges = [start, *commas, at]
                    parts = [text[a + 1 : b] for a, b in itertools.pairwise(edges)]
                    return start, at + 1, parts
                steps = _sequence(text[start + 1 : at])
                if steps is not None:
                    return start, at + 1, steps
                break
    return None


def _sequence(text: str) -> list[str] | None:
    hit = re.fullmatch(r"(-?\d{1,9}|[A-Za-z])\.\.(-?\d{1,9}|[A-Za-z])(?:\.\.(-?\d{1,9}))?", text)
    if hit is None:
        return None
    first, last, step = hit.groups()
    numeric = not first.isalpha()
    if numeric == last.isalpha():
        return None
    low, high = (int(first), int(last)) if numeric else (ord(first), ord(last))
    stride = abs(int(step or 1)) or 1
    values = range(low, high + 1, stride) if low <= high else range(low, high - 1, -stride)
    return [str(v) if numeric else chr(v) for v in values[: _MOST_WORDS + 1]]
