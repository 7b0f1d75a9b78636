"""Walks the syntax tree and collects the simple commands in it."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hermes_agent.policy.shell import pieces, running, simple
from hermes_agent.policy.shell import words as make
from hermes_agent.policy.shell.heredocs import HERESTRING, MARKS, READ_WRITE, Heredoc
from hermes_agent.policy.shell.limits import DEEPEST, EXCERPT, MOST_COMMANDS
from hermes_agent.policy.shell.model import Command, Doubt, DoubtKind, Redirect, Script, Word
from hermes_agent.policy.shell.parse import grammar, lifted
from hermes_agent.policy.shell.simple import REDIRECTS
from hermes_agent.policy.shell.words import Piece

if TYPE_CHECKING:
    from tree_sitter import Node

_STRAY = re.compile(rb"(?:[ \t\r\n]|\\\n|;)*")
_CONTINUED = re.compile(r"(?<!\\)((?:\\\\)*)\\\n")
_COMMENT_CONTINUED = re.compile(r"(?:^|[\s;&|()])#[^\n]*\\\n", re.M)


class Reader:
    """Reads one text and everything nested in it. Variables are followed while their values are
    certain: assigned a literal, outside of branches, loops and functions."""

    def __init__(self, *, home: str, cwd: str | None, variables: dict[str, str]) -> None:
        self.home = home
        self.cwd = cwd
        self.variables: dict[str, str | None] = dict(variables)
        self.commands: list[Command] = []
        self.doubts: list[Doubt] = []
        self.bombs: list[str] = []
        self.via: tuple[str, ...] = ()
        self.upstream: tuple[int, ...] = ()
        self.stdin: Word | None = None
        self.functions: list[str] = []
        self.certain = True
        self.depth = 0
        self.source = b""
        self.heredocs: tuple[Heredoc, ...] = ()
        self.marks = 0

    def script(self) -> Script:
        """What was collected."""
        return Script(
            commands=tuple(self.commands), doubts=tuple(self.doubts), bombs=tuple(self.bombs)
        )

    def read(self, text: str) -> None:
        """Read `text` in the present state; called again for nested shell text."""
        if self.depth >= DEEPEST or len(self.commands) > MOST_COMMANDS:
            self.doubt("depth", "It is nested too deeply to be checked.", text)
            return
        outer = self.source, self.heredocs, self.marks
        document = lifted(text)
        self.source = self.joined(document.text).encode("utf-8", "replace")
        self.heredocs, self.marks = document.heredocs, 0
        root = grammar(self.source).root_node
        if root.has_error:
            self.doubt("syntax", "It cannot be read as a shell command with certainty.", text)
        elif not self._covered(root):
            self.doubt("syntax", "Parts of it cannot be read with certainty.", text)
        self.depth += 1
        self.visit(root)
        self.depth -= 1
        if not document.sure or self.marks != len(MARKS.findall(document.text)):
            self.doubt("heredoc", "Its here-documents cannot be read with certainty.", text)
        self.source, self.heredocs, self.marks = outer

    def joined(self, text: str) -> str:
        """The shell drops a backslash at a line's end before it looks for words; the grammar
        does not always. Inside single quotes this loses a line break that no rule looks at, but
        in a comment it would hide the next line."""
        if "\\\n" not in text:
            return text
        if "#" in text and _COMMENT_CONTINUED.search(text):
            self.doubt("syntax", "Its broken lines cannot be read with certainty.", text)
            return text
        return _CONTINUED.sub(r"\1", text)

    def saved(self, *names: str) -> "_Saved":
        """A block at whose end these attributes have their values again."""
        return _Saved(self, *names)

    def doubt(self, kind: DoubtKind, sentence: str, excerpt: str) -> None:
        """Note something uncertain, once."""
        if not any(d.kind == kind for d in self.doubts):
            self.doubts.append(Doubt(kind, sentence, excerpt[:EXCERPT]))

    def text(self, node: "Node") -> str:
        """The node's source text."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    # -- structure ---------------------------------------------------------------------------

    def visit(self, node: "Node") -> None:
        """Collect the commands under `node`."""
        if self.depth >= DEEPEST:
            self.doubt("depth", "It is nested too deeply to be checked.", self.text(node))
            return
        handler = _HANDLERS.get(node.type)
        self.depth += 1
        if handler is not None:
            handler(self, node)
        else:
            for child in node.named_children:
                self.visit(child)
        self.depth -= 1

    def visit_chain(self, node: "Node") -> None:
        """Lists, pipelines and what is redirected, with the shell's precedence.

        The grammar reads `a && b | c` as a pipe from `a && b`, and `a && b > f` as a redirect of
        both, so the tree is first laid out as steps, each a pipeline of stages.
        """
        for position, stages in enumerate(self.steps(node, 0)):
            with self.saved("certain"):
                self.certain = self.certain and position == 0
                if len(stages) == 1:
                    self.stage(*stages[0])
                else:
                    self.pipeline(stages)

    def steps(self, node: "Node", level: int) -> "list[list[_Stage]]":
        """The pipelines of a list in order; each stage is a node with redirects after it."""
        if level > DEEPEST * 4:
            self.doubt("depth", "It is nested too deeply to be checked.", self.text(node))
            return []
        match node.type:
            case "list":
                # It nests to the left, as deep as it is long.
                parts: list[Node] = []
                while node.type == "list" and node.named_child_count:
                    children = node.named_children
                    parts += reversed(children[1:])
                    node = children[0]
                parts.append(node)
                return [s for part in reversed(parts) for s in self.steps(part, level + 1)]
            case "pipeline":
                joined: list[list[_Stage]] = []
                for child in node.named_children:
                    found = self.steps(child, level + 1)
                    if joined and found:
                        joined[-1].extend(found.pop(0))
                    joined += found
                return joined
            case "negated_command":
                return [s for c in node.named_children for s in self.steps(c, level + 1)]
            case "redirected_statement":
                simple.on_one_line(self, node)
                body = node.child_by_field_name("body")
                redirects = [c for c in node.named_children if c.type in REDIRECTS]
                if body is None:
                    return [[(None, redirects)]]
                found = self.steps(body, level + 1)
                if found:
                    last, before = found[-1][-1]
                    found[-1][-1] = (last, before + redirects)
                return found
            case "comment":
                simple.comment(self, node)
                return []
            case _:
                return [[(node, [])]]

    def pipeline(self, stages: "list[_Stage]") -> None:
        """Each stage runs in a subshell and is fed by those before it."""
        with self.saved("upstream", "cwd", "variables", "stdin"):
            kept, cwd, inherited = dict(self.variables), self.cwd, self.upstream
            for stage in stages:
                start = len(self.commands)
                self.variables, self.cwd = dict(kept), cwd
                self.stage(*stage)
                self.stdin = None
                self.upstream = tuple(range(start, len(self.commands))) or inherited

    def stage(self, body: "Node | None", nodes: "list[Node]") -> None:
        """A command or a compound with redirects after it."""
        redirects: list[Redirect] = []
        extra: list[Word] = []
        stdin: Word | None = None
        for node in nodes:
            stdin = self.redirect(node, redirects, extra) or stdin
        if body is not None and body.type == "command":
            simple.command(self, body, redirects, extra, stdin)
            return
        if redirects or extra:
            shown = self.text(nodes[0]) if nodes else ""
            running.add(self, tuple(extra), tuple(redirects), (), stdin, shown)
        if body is not None:
            with self.saved("stdin"):
                self.stdin = stdin or self.stdin
                self.visit(body)

    def visit_subshell(self, node: "Node") -> None:
        """What happens inside does not change variables or directory outside."""
        with self.saved("cwd", "variables"):
            self.variables = dict(self.variables)
            self.visit_children(node)

    def visit_branches(self, node: "Node") -> None:
        """Branches and loops: what they assign is uncertain, in the loop's own head too."""
        with self.saved("certain"):
            self.certain = False
            simple.forget_assigned(self, node)
            self.visit_children(node)

    def visit_function(self, node: "Node") -> None:
        """A body counts as run, and what it assigns can change at any call."""
        name = node.child_by_field_name("name")
        named = self.text(name) if name else ""
        simple.forget_assigned(self, node)
        start = len(self.commands)
        self.functions.append(named)
        with self.saved("certain", "cwd"):
            self.certain = False
            self.visit_children(node)
        self.functions.pop()
        inside = self.commands[start:]
        body = self.text(node)
        calls = [c for c in inside if c.argv and c.argv[0].text == named]
        if len(calls) > 1 or (calls and re.search(r"[^&]&\s*[;})]|\|", body)):
            self.bombs.append(body[:EXCERPT])

    def visit_children(self, node: "Node") -> None:
        """All named children in order."""
        for child in node.named_children:
            self.visit(child)

    def redirect(self, node: "Node", redirects: list[Redirect], extra: list[Word]) -> Word | None:
        """Note a redirect. The grammar counts words after the target to it: they are `extra`
        arguments. Gives the text of a here-document or here-string."""
        if node.type == "heredoc_redirect":
            self.doubt("heredoc", "Its here-documents cannot be read with certainty.", "")
            self.visit_children(node)
            return None
        simple.on_one_line(self, node)
        operator, fd = "<<<" if node.type == "herestring_redirect" else "", None
        targets: list[list[Piece]] = []
        for child in node.children:
            if child.type == "file_descriptor":
                digits = self.text(child)
                fd = int(digits) if digits.isdigit() and len(digits) < 5 else None
            elif not child.is_named:
                operator = self.text(child)
            else:
                targets.append(pieces.pieces_of(self, child))
        if not targets:
            return None
        for target in targets[1:]:
            extra += pieces.words_of(self, target)
        return self._marked(targets[0], operator, fd, redirects)

    def _marked(
        self, target: list[Piece], operator: str, fd: int | None, redirects: list[Redirect]
    ) -> Word | None:
        first = target[0].text[:1] if target and target[0].kind == "plain" else ""
        if first and MARKS.match(first) and operator == "<":
            self.marks += 1
            rest = [Piece("plain", target[0].text[1:]), *target[1:]]
            if first == READ_WRITE:
                redirects.append(Redirect("<>", pieces.word_of(self, rest), fd))
                return None
            if first == HERESTRING:
                return pieces.word_of(self, rest)
            index = rest[0].text
            if index.isdigit() and int(index) < len(self.heredocs):
                return self.document(self.heredocs[int(index)])
            self.marks -= 1
            return None
        word = pieces.word_of(self, target)
        if operator == "<<<":
            return word
        redirects.append(Redirect(operator, word, fd))
        return None

    def document(self, heredoc: Heredoc) -> Word:
        """A here-document's text; expansions in it are read as in double quotes."""
        body = heredoc.body
        if heredoc.literal or not re.search(r"[$`\\]", body):
            return Word(body)
        if not re.search(r"\$[\w({]|`", body):
            return Word(make.double_quoted(body))
        if re.search(r"\$[({]|`", body):
            quoted = re.sub(r'(?<!\\)"', r"\"", body)
            with self.saved("upstream", "stdin"):
                self.upstream, self.stdin = (), None
                self.read(f': "{quoted}"')
        return Word(body, dynamic=True)

    def _covered(self, root: "Node") -> bool:
        """Whether everything between a program's top commands is blank: nothing was dropped."""
        at = 0
        for child in root.children:
            if not _blank(self.source, at, child.start_byte):
                return False
            at = child.end_byte
        return _blank(self.source, at, len(self.source))


_Stage = tuple["Node | None", "list[Node]"]


class _Saved:
    """Puts a reader's attributes back at the end of a block."""

    def __init__(self, reader: Reader, *names: str) -> None:
        self.reader = reader
        self.kept = {name: getattr(reader, name) for name in names}

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        for name, value in self.kept.items():
            setattr(self.reader, name, value)


def _blank(source: bytes, start: int, end: int) -> bool:
    if start >= end:
        return True
    hit = _STRAY.match(source, start, end)
    return hit is not None and hit.end() == end


def _nothing(_reader: Reader, _node: "Node") -> None:
    """A word where a command was looked for."""


def _piece(reader: Reader, node: "Node") -> None:
    pieces.pieces_of(reader, node)


def _redirect_alone(reader: Reader, node: "Node") -> None:
    redirects: list[Redirect] = []
    extra: list[Word] = []
    stdin = reader.redirect(node, redirects, extra)
    running.add(reader, tuple(extra), tuple(redirects), (), stdin, reader.text(node))


_HANDLERS: dict[str, Callable[[Reader, "Node"], None]] = {
    "command": simple.visit_command,
    **dict.fromkeys(
        ("redirected_statement", "list", "pipeline", "negated_command"), Reader.visit_chain
    ),
    "subshell": Reader.visit_subshell,
    "if_statement": Reader.visit_branches,
    "while_statement": Reader.visit_branches,
    "for_statement": Reader.visit_branches,
    "c_style_for_statement": Reader.visit_branches,
    "case_statement": Reader.visit_branches,
    "function_definition": Reader.visit_function,
    "declaration_command": simple.visit_declaration,
    "unset_command": simple.visit_declaration,
    "variable_assignment": simple.visit_assignment,
    "variable_assignments": simple.visit_assignment,
    "comment": simple.comment,
    "file_redirect": _redirect_alone,
    "heredoc_redirect": _redirect_alone,
    "herestring_redirect": _redirect_alone,
    "raw_string": _nothing,
    **dict.fromkeys(
        ("string", "expansion", "simple_expansion", "command_substitution", "concatenation",
         "process_substitution", "arithmetic_expansion"),
        _piece,
    ),
}  # fmt: skip
