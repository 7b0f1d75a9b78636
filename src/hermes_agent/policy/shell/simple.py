"""Simple commands and assignments, from their nodes in the syntax tree."""

import re
from typing import TYPE_CHECKING

from hermes_agent.policy.shell import pieces, running
from hermes_agent.policy.shell.model import Redirect, Word

if TYPE_CHECKING:
    from tree_sitter import Node

    from hermes_agent.policy.shell.reader import Reader

REDIRECTS = frozenset(("file_redirect", "herestring_redirect", "heredoc_redirect"))


def command(
    reader: "Reader",
    node: "Node",
    redirects: list[Redirect] | None = None,
    extra: list[Word] | None = None,
    stdin: Word | None = None,
) -> None:
    """A simple command, with what its enclosing node found after it."""
    redirects, extra = list(redirects or ()), list(extra or ())
    argv: list[Word] = []
    assignments: list[tuple[str, Word]] = []
    before: list[Word] = []
    end = -1
    on_one_line(reader, node)
    for child in node.children:
        kind = child.type
        if (
            child.start_byte == end
            and kind not in REDIRECTS
            and not (kind == "string" and reader.source[end - 1 : end] == b"$")
        ):
            reader.doubt("syntax", "It cannot be read with certainty.", reader.text(node))
        end = child.end_byte if kind not in REDIRECTS else -1
        if kind == "variable_assignment":
            assignments.append(assignment(reader, child))
        elif kind in REDIRECTS:
            stdin = reader.redirect(child, redirects, argv if argv else before) or stdin
        elif kind == "command_name":
            argv += _words(reader, child.children)
        elif kind == "comment":
            comment(reader, child)
        elif child.is_named or kind in ("==", "=~"):
            argv += pieces.words_of(reader, pieces.pieces_of(reader, child))
        elif kind != "$":  # `$"…"` is a string to be translated; the dollar is no text
            argv.append(Word(reader.text(child)))
    source = reader.text(node)
    running.add(
        reader, tuple(before + argv + extra), tuple(redirects), tuple(assignments), stdin, source
    )


def visit_command(reader: "Reader", node: "Node") -> None:
    """A simple command without redirects after it."""
    command(reader, node)


def visit_declaration(reader: "Reader", node: "Node") -> None:
    """`export`, `declare`, `local`, `readonly`, `unset`: commands with assignments as words."""
    on_one_line(reader, node)
    argv = [Word(reader.text(node.children[0]))]
    assignments: list[tuple[str, Word]] = []
    for child in node.named_children:
        if child.type == "variable_assignment":
            name, value = assignment(reader, child)
            assignments.append((name, value))
            bind(reader, name, None if value.dynamic else value.text)
            argv.append(Word(f"{name}={value.text}", value.dynamic))
        else:
            made = pieces.words_of(reader, pieces.pieces_of(reader, child))
            argv += made
            if argv[0].text in ("unset", "unsetenv"):
                for word in made:
                    bind(reader, word.text, None)
    running.add(reader, tuple(argv), (), tuple(assignments), None, reader.text(node), bound=True)


def visit_assignment(reader: "Reader", node: "Node") -> None:
    """A bare assignment: it lasts."""
    found = [c for c in node.named_children if c.type == "variable_assignment"]
    made = [assignment(reader, c) for c in (found or [node])]
    for name, value in made:
        bind(reader, name, None if value.dynamic else value.text)
    running.add(reader, (), (), tuple(made), None, reader.text(node))


def assignment(reader: "Reader", node: "Node") -> tuple[str, Word]:
    """Name and value; an array's or an appended value counts as dynamic."""
    children = node.children
    target = children[0]
    name = reader.text(target)
    if target.type == "subscript":
        pieces.pieces_of(reader, target)
        name = name.partition("[")[0]
    operator = reader.text(children[1]) if len(children) > 1 else "="
    if len(children) < 3:
        return name, Word("")
    value = children[2]
    if value.type == "array":
        inside = _words(reader, value.named_children)
        return name, Word(" ".join(w.text for w in inside), dynamic=True)
    word = pieces.word_of(reader, pieces.pieces_of(reader, value))
    if operator != "=" or target.type == "subscript":
        return name, Word(word.text, dynamic=True)
    return name, word


def bind(reader: "Reader", name: str, value: str | None) -> None:
    """Remember a variable's value, if this line is certain to run."""
    reader.variables[name] = value if reader.certain and not reader.functions else None


def forget_assigned(reader: "Reader", node: "Node") -> None:
    """Whatever is assigned or read under `node` has no certain value from here on."""
    body = reader.text(node)
    for name in re.findall(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=", body):
        reader.variables[name] = None
    for name in re.findall(r"\b(?:for|select)\s+([A-Za-z_]\w*)", body):
        reader.variables[name] = None
    if re.search(r"\b(?:cd|pushd|popd)\b", body):
        reader.variables["PWD"] = None
        if "while" in body or "for" in body or "until" in body:
            reader.cwd = None if re.search(r"\bcd\s+[^/~\s]", body) else reader.cwd


def on_one_line(reader: "Reader", node: "Node") -> None:
    """A line break ends a command; where the grammar reads on, it is wrong."""
    end = node.start_byte
    for child in node.children:
        if b"\n" in reader.source[end : child.start_byte]:
            reader.doubt("syntax", "It cannot be read with certainty.", reader.text(node))
        end = child.end_byte


def comment(reader: "Reader", node: "Node") -> None:
    """A comment must begin where the shell sees one too."""
    start = node.start_byte
    if start and reader.source[start - 1 : start] not in (b" ", b"\t", b"\n", b";", b"&", b"|",
                                                        b"("):  # fmt: skip
        reader.doubt("syntax", "It cannot be read with certainty.", reader.text(node))


def _words(reader: "Reader", nodes: "list[Node]") -> list[Word]:
    return [w for node in nodes for w in pieces.words_of(reader, pieces.pieces_of(reader, node))]
