"""The words of a command, from their nodes in the syntax tree."""

import re
from typing import TYPE_CHECKING

from hermes_agent.policy.shell import simple
from hermes_agent.policy.shell import words as make
from hermes_agent.policy.shell.limits import DEEPEST
from hermes_agent.policy.shell.model import Word
from hermes_agent.policy.shell.outputs import known_output
from hermes_agent.policy.shell.words import Piece

if TYPE_CHECKING:
    from tree_sitter import Node

    from hermes_agent.policy.shell.reader import Reader


def words_of(reader: "Reader", pieces: list[Piece]) -> list[Word]:
    """The words that one written word becomes."""
    return make.words(pieces, home=reader.home, cwd=reader.cwd)


def word_of(reader: "Reader", pieces: list[Piece]) -> Word:
    """The single word of an assignment or a redirect."""
    return make.words(pieces, home=reader.home, cwd=reader.cwd, one=True)[0]


def pieces_of(reader: "Reader", node: "Node") -> list[Piece]:
    """The parts of a word; commands in its substitutions are collected on the way."""
    kind = node.type
    if kind in ("word", "number", "variable_name", "test_operator", "special_variable_name"):
        if node.named_child_count:
            return _unknown(reader, node)
        return _plain(reader, node)
    if kind == "concatenation":
        return [p for c in node.children for p in _part(reader, c)]
    return _part(reader, node)


def _part(reader: "Reader", node: "Node") -> list[Piece]:
    """One part of a word."""
    match node.type:
        case "raw_string":
            return [Piece("quoted", reader.text(node)[1:-1])]
        case "ansi_c_string":
            return [Piece("quoted", make.ansi_c(reader.text(node)[2:-1]))]
        case "string" | "translated_string":
            return _string(reader, node)
        case "simple_expansion" | "expansion":
            return [_expansion(reader, node, quoted=False)]
        case "command_substitution":
            return [_substitution(reader, node, quoted=False)]
        case "process_substitution":
            return [_process(reader, node)]
        case "word" | "number" | "extglob_pattern" | "regex" if not node.named_child_count:
            return _plain(reader, node)
        case "$" | "brace_expression":
            return [Piece("plain", reader.text(node))] if node.type != "$" else []
        case "comment":
            simple.comment(reader, node)
            return []
        case _ if not node.named_child_count:
            return _plain(reader, node)
        case _:
            return _unknown(reader, node)


def _plain(reader: "Reader", node: "Node") -> list[Piece]:
    """Unquoted text; the shell would have ended the word at any white space in it."""
    made = make.plain(reader.text(node))
    if any(p.kind == "plain" and re.search(r"\s", p.text) for p in made):
        reader.doubt("syntax", "It cannot be read with certainty.", reader.text(node))
    return made


def _unknown(reader: "Reader", node: "Node") -> list[Piece]:
    """Arithmetic, patterns and the like: the value is unknown, but the commands are seen."""
    for child in node.named_children:
        _collect(reader, child)
    return [Piece("unknown", reader.text(node))]


def _collect(reader: "Reader", node: "Node") -> None:
    """The commands in the substitutions under a node that is part of a word."""
    if node.type in ("command_substitution", "process_substitution", "expansion", "string",
                     "concatenation", "simple_expansion"):  # fmt: skip
        pieces_of(reader, node)
        return
    reader.depth += 1
    if reader.depth < DEEPEST:
        for child in node.named_children:
            _collect(reader, child)
    elif node.named_child_count:
        reader.doubt("depth", "It is nested too deeply to be checked.", reader.text(node))
    reader.depth -= 1


def _string(reader: "Reader", node: "Node") -> list[Piece]:
    """A double-quoted string."""
    made: list[Piece] = [Piece("quoted", "")]
    at = node.start_byte
    children = node.children
    for child in children:
        # The grammar leaves some white space between the parts of a string to no node.
        if child.start_byte > at and child is not children[0]:
            gap = reader.source[at : child.start_byte].decode("utf-8", "replace")
            made.append(Piece("quoted", make.double_quoted(gap)))
        at = child.end_byte
        match child.type:
            case '"':
                continue
            case "simple_expansion" | "expansion":
                made.append(_expansion(reader, child, quoted=True))
            case "command_substitution":
                made.append(_substitution(reader, child, quoted=True))
            case "arithmetic_expansion":
                made += _unknown(reader, child)
            case _:
                made.append(Piece("quoted", make.double_quoted(reader.text(child))))
    return made


def _expansion(reader: "Reader", node: "Node", *, quoted: bool) -> Piece:
    """`$x` or `${x…}`: its value where that is certain."""
    text = reader.text(node)
    simple = re.fullmatch(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", text)
    if simple is None:
        if re.match(r"\$\s", text):
            # The grammar lets a lone dollar swallow the next line.
            reader.doubt("syntax", "It cannot be read with certainty.", text)
        _collect_all(reader, node)
        return Piece("unknown", text, splits=not quoted or "@" in text)
    name = simple[1] or simple[2]
    value = reader.variables.get(name)
    if value is None:
        return Piece("unknown", text, splits=not quoted)
    return Piece("quoted" if quoted else "known", value)


def _collect_all(reader: "Reader", node: "Node") -> None:
    """Commands hidden in `${x:-$(…)}`."""
    if node.named_child_count:
        for child in node.named_children:
            _collect(reader, child)
    for name in re.findall(r"\$\{([A-Za-z_]\w*):?=", reader.text(node)):
        reader.variables[name] = None


def _substitution(reader: "Reader", node: "Node", *, quoted: bool) -> Piece:
    """`$(…)` or backticks: a subshell; its output only where it is plain to see."""
    start = len(reader.commands)
    text = reader.text(node)
    with reader.saved("cwd", "variables", "upstream", "stdin"):
        reader.variables = dict(reader.variables)
        reader.upstream, reader.stdin = (), None
        if text.startswith("`") and "\\" in text:
            # One level of backslashes belongs to the backticks.
            reader.read(re.sub(r"\\([$`\\])", r"\1", text[1:-1]))
        else:
            reader.visit_children(node)
    inside = reader.commands[start:]
    value = known_output(inside[0]) if len(inside) == 1 else None
    if value is None or value.dynamic:
        return Piece("unknown", text, splits=not quoted)
    return Piece("quoted" if quoted else "known", value.text.rstrip("\n"))


def _process(reader: "Reader", node: "Node") -> Piece:
    """`<(…)` or `>(…)`."""
    start = len(reader.commands)
    with reader.saved("cwd", "variables", "upstream", "stdin"):
        reader.variables = dict(reader.variables)
        reader.stdin = None
        reader.visit_children(node)
    return Piece("process", reader.text(node), feeds=tuple(range(start, len(reader.commands))))
