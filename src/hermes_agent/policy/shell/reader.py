"""Walks the syntax tree and collects the simple commands in it."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hermes_agent.policy.shell import words as make
from hermes_agent.policy.shell.heredocs import HEREDOC, HERESTRING, READ_WRITE, Heredoc
from hermes_agent.policy.shell.model import Command, Doubt, DoubtKind, Redirect, Script, Word
from hermes_agent.policy.shell.parse import grammar, lifted
from hermes_agent.policy.shell.words import Piece
from hermes_agent.policy.shell.wrappers import SHELLS, Inner, inner_commands

if TYPE_CHECKING:
    from tree_sitter import Node

_DEEPEST = 40
_MOST_COMMANDS = 4000
_MARKS = re.compile(f"[{HERESTRING}{HEREDOC}{READ_WRITE}]")
_STRAY = re.compile(rb"(?:[ \t\r\n]|\\\n|;)*")
_BINDERS = frozenset(("read", "mapfile", "readarray", "printf", "getopts", "let", "unset", "eval",
                      "source", ".", "wait", "select"))  # fmt: skip
_EXCERPT = 160
_REDIRECTS = frozenset(("file_redirect", "herestring_redirect", "heredoc_redirect"))
_CONTINUED = re.compile(r"(?<=[^\s\\])\\\n(?=\S)")


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
        if self.depth >= _DEEPEST or len(self.commands) > _MOST_COMMANDS:
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
        if not document.sure or self.marks != len(_MARKS.findall(document.text)):
            self.doubt("heredoc", "Its here-documents cannot be read with certainty.", text)
        self.source, self.heredocs, self.marks = outer

    def joined(self, text: str) -> str:
        """The shell drops a backslash at a line's end before it looks for words; the grammar
        does after. Only where that would split a word, and no comment could be lengthened."""
        if "\\\n" not in text or not _CONTINUED.search(text):
            return text
        if "#" in text:
            self.doubt("syntax", "Its broken lines cannot be read with certainty.", text)
        return _CONTINUED.sub("", text)

    def doubt(self, kind: DoubtKind, sentence: str, excerpt: str) -> None:
        """Note something uncertain, once."""
        if not any(d.kind == kind for d in self.doubts):
            self.doubts.append(Doubt(kind, sentence, excerpt[:_EXCERPT]))

    def text(self, node: "Node") -> str:
        """The node's source text."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    # -- structure ---------------------------------------------------------------------------

    def visit(self, node: "Node") -> None:
        """Collect the commands under `node`."""
        if self.depth >= _DEEPEST:
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
            with _Saved(self, "certain"):
                self.certain = self.certain and position == 0
                if len(stages) == 1:
                    self.stage(*stages[0])
                else:
                    self.pipeline(stages)

    def steps(self, node: "Node", level: int) -> "list[list[_Stage]]":
        """The pipelines of a list in order; each stage is a node with redirects after it."""
        if level > _DEEPEST * 4:
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
            case "negated_command" if node.named_child_count:
                return self.steps(node.named_children[0], level + 1)
            case "redirected_statement":
                body = node.child_by_field_name("body")
                redirects = [c for c in node.named_children if c.type in _REDIRECTS]
                if body is None:
                    return [[(None, redirects)]]
                found = self.steps(body, level + 1)
                if found:
                    last, before = found[-1][-1]
                    found[-1][-1] = (last, before + redirects)
                return found
            case "comment":
                self.comment(node)
                return []
            case _:
                return [[(node, [])]]

    def pipeline(self, stages: "list[_Stage]") -> None:
        """Each stage runs in a subshell and is fed by those before it."""
        with _Saved(self, "upstream", "cwd", "variables", "stdin"):
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
            self.command(body, redirects, extra, stdin)
            return
        if redirects or extra:
            shown = self.text(nodes[0]) if nodes else ""
            self.add(tuple(extra), tuple(redirects), (), stdin, shown)
        if body is not None:
            with _Saved(self, "stdin"):
                self.stdin = stdin or self.stdin
                self.visit(body)

    def visit_subshell(self, node: "Node") -> None:
        """What happens inside does not change variables or directory outside."""
        with _Saved(self, "cwd", "variables"):
            self.variables = dict(self.variables)
            self.visit_children(node)

    def visit_branches(self, node: "Node") -> None:
        """Branches and loops: what they assign is uncertain, in the loop's own head too."""
        with _Saved(self, "certain"):
            self.certain = False
            self.forget_assigned(node)
            self.visit_children(node)

    def visit_function(self, node: "Node") -> None:
        """A body counts as run, and what it assigns can change at any call."""
        name = node.child_by_field_name("name")
        named = self.text(name) if name else ""
        self.forget_assigned(node)
        start = len(self.commands)
        self.functions.append(named)
        with _Saved(self, "certain", "cwd"):
            self.certain = False
            self.visit_children(node)
        self.functions.pop()
        inside = self.commands[start:]
        body = self.text(node)
        calls = [c for c in inside if c.argv and c.argv[0].text == named]
        if len(calls) > 1 or (calls and re.search(r"[^&]&\s*[;})]|\|", body)):
            self.bombs.append(body[:_EXCERPT])

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
        operator, fd = "<<<" if node.type == "herestring_redirect" else "", None
        targets: list[list[Piece]] = []
        for child in node.children:
            if child.type == "file_descriptor":
                digits = self.text(child)
                fd = int(digits) if digits.isdigit() and len(digits) < 5 else None
            elif not child.is_named:
                operator = self.text(child)
            else:
                targets.append(self.pieces(child))
        if not targets:
            return None
        for pieces in targets[1:]:
            extra += self.words(pieces)
        return self._marked(targets[0], operator, fd, redirects)

    def _marked(
        self, target: list[Piece], operator: str, fd: int | None, redirects: list[Redirect]
    ) -> Word | None:
        first = target[0].text[:1] if target and target[0].kind == "plain" else ""
        if first and _MARKS.match(first) and operator == "<":
            self.marks += 1
            rest = [Piece("plain", target[0].text[1:]), *target[1:]]
            if first == READ_WRITE:
                redirects.append(Redirect("<>", self.word(rest), fd))
                return None
            if first == HERESTRING:
                return self.word(rest)
            index = rest[0].text
            if index.isdigit() and int(index) < len(self.heredocs):
                return self.document(self.heredocs[int(index)])
            self.marks -= 1
            return None
        word = self.word(target)
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
            with _Saved(self, "upstream", "stdin"):
                self.upstream, self.stdin = (), None
                self.read(f': "{quoted}"')
        return Word(body, dynamic=True)

    # -- simple commands ---------------------------------------------------------------------

    def command(
        self,
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
        for child in node.children:
            kind = child.type
            if (
                child.start_byte == end
                and kind not in _REDIRECTS
                and not (kind == "string" and self.source[end - 1 : end] == b"$")
            ):
                self.doubt("syntax", "It cannot be read with certainty.", self.text(node))
            end = child.end_byte if kind not in _REDIRECTS else -1
            if kind == "variable_assignment":
                assignments.append(self.assignment(child))
            elif kind in ("file_redirect", "herestring_redirect", "heredoc_redirect"):
                stdin = self.redirect(child, redirects, before if not argv else argv) or stdin
            elif kind == "command_name":
                argv += [w for c in child.children for w in self.words(self.pieces(c))]
            elif kind == "comment":
                self.comment(child)
            elif child.is_named or kind in ("==", "=~"):
                argv += self.words(self.pieces(child))
            elif kind != "$":  # `$"…"` is a string to be translated; the dollar is no text
                argv.append(Word(self.text(child)))
        source = self.text(node)
        self.add(tuple(before + argv + extra), tuple(redirects), tuple(assignments), stdin, source)

    def visit_command(self, node: "Node") -> None:
        """A simple command without redirects after it."""
        self.command(node)

    def visit_declaration(self, node: "Node") -> None:
        """`export`, `declare`, `local`, `readonly`, `unset`: commands with assignments as words."""
        argv = [Word(self.text(node.children[0]))]
        assignments: list[tuple[str, Word]] = []
        for child in node.named_children:
            if child.type == "variable_assignment":
                name, value = self.assignment(child)
                assignments.append((name, value))
                self.bind(name, None if value.dynamic else value.text)
                argv.append(Word(f"{name}={value.text}", value.dynamic))
            else:
                made = self.words(self.pieces(child))
                argv += made
                if argv[0].text in ("unset", "unsetenv"):
                    for word in made:
                        self.bind(word.text, None)
        self.add(tuple(argv), (), tuple(assignments), None, self.text(node), bound=True)

    def visit_assignment(self, node: "Node") -> None:
        """A bare assignment: it lasts."""
        found = [c for c in node.named_children if c.type == "variable_assignment"]
        made = [self.assignment(c) for c in (found or [node])]
        for name, value in made:
            self.bind(name, None if value.dynamic else value.text)
        self.add((), (), tuple(made), None, self.text(node))

    def assignment(self, node: "Node") -> tuple[str, Word]:
        """Name and value; an array's or an appended value counts as dynamic."""
        children = node.children
        target = children[0]
        name = self.text(target)
        if target.type == "subscript":
            self.pieces(target)
            name = name.partition("[")[0]
        operator = self.text(children[1]) if len(children) > 1 else "="
        if len(children) < 3:
            return name, Word("")
        value = children[2]
        if value.type == "array":
            inside = [w for c in value.named_children for w in self.words(self.pieces(c))]
            return name, Word(" ".join(w.text for w in inside), dynamic=True)
        word = self.word(self.pieces(value))
        if operator != "=" or target.type == "subscript":
            return name, Word(word.text, dynamic=True)
        return name, word

    def bind(self, name: str, value: str | None) -> None:
        """Remember a variable's value, if this line is certain to run."""
        self.variables[name] = value if self.certain and not self.functions else None

    def forget_assigned(self, node: "Node") -> None:
        """Whatever is assigned or read under `node` has no certain value from here on."""
        body = self.text(node)
        for name in re.findall(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=", body):
            self.variables[name] = None
        for name in re.findall(r"\b(?:for|select)\s+([A-Za-z_]\w*)", body):
            self.variables[name] = None
        if re.search(r"\b(?:cd|pushd|popd)\b", body):
            self.variables["PWD"] = None
            if "while" in body or "for" in body or "until" in body:
                self.cwd = None if re.search(r"\bcd\s+[^/~\s]", body) else self.cwd

    def comment(self, node: "Node") -> None:
        """A comment must begin where the shell sees one too."""
        start = node.start_byte
        if start and self.source[start - 1 : start] not in (b" ", b"\t", b"\n", b";", b"&", b"|",
                                                            b"(", b")"):  # fmt: skip
            self.doubt("syntax", "It cannot be read with certainty.", self.text(node))

    def add(
        self,
        argv: tuple[Word, ...],
        redirects: tuple[Redirect, ...],
        assignments: tuple[tuple[str, Word], ...],
        stdin: Word | None,
        source: str,
        *,
        bound: bool = False,
    ) -> None:
        """Record a command, then what it wraps, then what it changes for those after it."""
        if not argv and not redirects and not assignments:
            return
        if len(self.commands) > _MOST_COMMANDS:
            self.doubt("depth", "It holds too many commands to be checked.", source)
            return
        stdin = stdin or self.stdin
        inner = inner_commands(argv) if argv else []
        fed = self.fed(argv, redirects, stdin, inner)
        opaque = any(
            (i.text is not None and (i.text.dynamic or i.text.splits)) or (i.adds and _vague(i))
            for i in inner
        ) or (fed is not None and (fed.dynamic or fed.splits))
        here = len(self.commands)
        self.commands.append(
            Command(
                argv=argv,
                redirects=redirects,
                assignments=assignments,
                stdin=stdin,
                upstream=self.upstream,
                via=self.via,
                cwd=self.cwd,
                opaque=opaque,
                source=_shown(source)[:_EXCERPT],
            )
        )
        if argv:
            for each in inner:
                self.unwrap(each, argv, redirects, stdin, source)
            if fed is not None:
                self.nested(fed, argv, ())
            self.effects(self.commands[here], bound)

    def fed(
        self,
        argv: tuple[Word, ...],
        redirects: tuple[Redirect, ...],
        stdin: Word | None,
        inner: list[Inner],
    ) -> Word | None:
        """The script that a shell without one in its arguments gets on its standard input."""
        name = argv[0].text.rpartition("/")[2].lower() if argv else ""
        reads = (
            (name in SHELLS and not inner and _no_script(argv))
            or (name in ("at", "batch") and "-f" not in [w.text for w in argv])
            or (name == "ssh" and not inner)
            or (name in ("source", ".") and len(argv) > 1 and argv[1].text in _STDIN)
        )
        if not reads or any(r.operator == "<" for r in redirects):
            return None
        if stdin is not None:
            return stdin
        sources = [self.commands[i] for i in self.upstream if not self.commands[i].via]
        if len(sources) == 1:
            return known_output(sources[0])
        return None

    def unwrap(
        self,
        inner: Inner,
        argv: tuple[Word, ...],
        redirects: tuple[Redirect, ...],
        stdin: Word | None,
        source: str,
    ) -> None:
        """Record what a wrapper runs."""
        if inner.text is not None:
            self.nested(inner.text, argv, self.upstream, stdin)
            return
        words = inner.argv
        if inner.adds:
            words = tuple(_replaced(w, inner.token) for w in words)
            words = (*words, Word("$…", dynamic=True, splits=True))
        with _Saved(self, "via", "cwd", "depth"):
            self.depth += 1
            if self.depth >= _DEEPEST:
                self.doubt("depth", "It is nested too deeply to be checked.", source)
                return
            self.via = (*self.via, _name(argv))
            if inner.cwd is not None:
                self.cwd = None if inner.cwd.dynamic else _join(self.cwd, inner.cwd.text)
            keep = tuple(r for r in redirects if r.operator == "<")
            self.add(words, keep, inner.assignments, stdin, source)

    def nested(
        self,
        text: Word,
        argv: tuple[Word, ...],
        upstream: tuple[int, ...],
        stdin: Word | None = None,
    ) -> None:
        """Read shell text that a command runs. Dynamic parts in it stay expansions."""
        name = _name(argv)
        saved = ("via", "cwd", "variables", "certain", "upstream", "stdin")
        same_shell = name in ("eval", "source", ".")
        with _Saved(self, *(saved[:1] + saved[4:] if same_shell else saved)):
            self.via = (*self.via, name)
            self.upstream, self.stdin = upstream, stdin
            if not same_shell:
                self.variables = dict(self.variables)
            if name == "ssh":
                self.cwd = None
            self.read(text.text)

    def effects(self, command: Command, bound: bool) -> None:
        """What a command changes for those after it: directory, variables, names."""
        name = command.argv[0].text
        if command.via and command.via[-1] not in ("builtin", "command", "eval", "source", "."):
            return
        if name in ("cd", "pushd"):
            self.change_directory(command)
        elif name == "popd":
            self.cwd = None
            self.variables["PWD"] = None
        elif name in _BINDERS and not bound:
            for word in command.argv[1:]:
                for found in re.findall(r"[A-Za-z_]\w*", word.text):
                    self.variables[found] = None
        elif (name == "alias" and len(command.argv) > 1) or (
            name in ("shopt", "set") and "expand_aliases" in command.source
        ):
            self.doubt("alias", "It gives commands another meaning.", command.source)

    def change_directory(self, command: Command) -> None:
        """`cd`: assumed to succeed, which for the rules on relative paths is the worse case."""
        targets = [w for w in command.argv[1:] if not re.fullmatch(r"-[LPe@]+|--", w.text)]
        if not targets:
            self.cwd = self.home
        elif targets[0].dynamic or targets[0].pattern or targets[0].text == "-":
            self.cwd = None
        else:
            self.cwd = _join(self.cwd, targets[0].text)
        if self.cwd is not None and self.certain:
            self.variables["PWD"] = self.cwd
        else:
            self.variables["PWD"] = None

    # -- words -------------------------------------------------------------------------------

    def words(self, pieces: list[Piece]) -> list[Word]:
        """The words that one written word becomes."""
        return make.words(pieces, home=self.home, cwd=self.cwd)

    def word(self, pieces: list[Piece]) -> Word:
        """The single word of an assignment or a redirect."""
        return make.words(pieces, home=self.home, cwd=self.cwd, one=True)[0]

    def pieces(self, node: "Node") -> list[Piece]:
        """The parts of a word; commands in its substitutions are collected on the way."""
        kind = node.type
        if kind in ("word", "number", "variable_name", "test_operator", "special_variable_name"):
            if node.named_child_count:
                return self.unknown(node)
            return make.plain(self.text(node))
        if kind == "concatenation":
            return [p for c in node.children for p in self.part(c)]
        return self.part(node)

    def part(self, node: "Node") -> list[Piece]:
        """One part of a word."""
        match node.type:
            case "raw_string":
                return [Piece("quoted", self.text(node)[1:-1])]
            case "ansi_c_string":
                return [Piece("quoted", make.ansi_c(self.text(node)[2:-1]))]
            case "string" | "translated_string":
                return self.string(node)
            case "simple_expansion" | "expansion":
                return [self.expansion(node, quoted=False)]
            case "command_substitution":
                return [self.substitution(node, quoted=False)]
            case "process_substitution":
                return [self.process(node)]
            case "word" | "number" | "extglob_pattern" | "regex" if not node.named_child_count:
                return make.plain(self.text(node))
            case "$" | "brace_expression":
                return [Piece("plain", self.text(node))] if node.type != "$" else []
            case "comment":
                self.comment(node)
                return []
            case _ if not node.named_child_count:
                return make.plain(self.text(node))
            case _:
                return self.unknown(node)

    def unknown(self, node: "Node") -> list[Piece]:
        """Arithmetic, patterns and the like: the value is unknown, but the commands are seen."""
        for child in node.named_children:
            self.collect(child)
        return [Piece("unknown", self.text(node))]

    def collect(self, node: "Node") -> None:
        """The commands in the substitutions under a node that is part of a word."""
        if node.type in ("command_substitution", "process_substitution", "expansion", "string",
                         "concatenation", "simple_expansion"):  # fmt: skip
            self.pieces(node)
            return
        self.depth += 1
        if self.depth < _DEEPEST:
            for child in node.named_children:
                self.collect(child)
        elif node.named_child_count:
            self.doubt("depth", "It is nested too deeply to be checked.", self.text(node))
        self.depth -= 1

    def string(self, node: "Node") -> list[Piece]:
        """A double-quoted string."""
        made: list[Piece] = [Piece("quoted", "")]
        at = node.start_byte
        children = node.children
        for child in children:
            # The grammar leaves some white space between the parts of a string to no node.
            if child.start_byte > at and child is not children[0]:
                gap = self.source[at : child.start_byte].decode("utf-8", "replace")
                made.append(Piece("quoted", make.double_quoted(gap)))
            at = child.end_byte
            match child.type:
                case '"':
                    continue
                case "simple_expansion" | "expansion":
                    made.append(self.expansion(child, quoted=True))
                case "command_substitution":
                    made.append(self.substitution(child, quoted=True))
                case "arithmetic_expansion":
                    made += self.unknown(child)
                case _:
                    made.append(Piece("quoted", make.double_quoted(self.text(child))))
        return made

    def expansion(self, node: "Node", *, quoted: bool) -> Piece:
        """`$x` or `${x…}`: its value where that is certain."""
        text = self.text(node)
        simple = re.fullmatch(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", text)
        if simple is None:
            self.collect_all(node)
            return Piece("unknown", text, splits=not quoted or "@" in text)
        name = simple[1] or simple[2]
        value = self.variables.get(name)
        if value is None:
            return Piece("unknown", text, splits=not quoted)
        return Piece("quoted" if quoted else "known", value)

    def collect_all(self, node: "Node") -> None:
        """Commands hidden in `${x:-$(…)}`."""
        if node.named_child_count:
            for child in node.named_children:
                self.collect(child)
        for name in re.findall(r"\$\{([A-Za-z_]\w*):?=", self.text(node)):
            self.variables[name] = None

    def substitution(self, node: "Node", *, quoted: bool) -> Piece:
        """`$(…)` or backticks: a subshell; its output only where it is plain to see."""
        start = len(self.commands)
        text = self.text(node)
        with _Saved(self, "cwd", "variables", "upstream", "stdin"):
            self.variables = dict(self.variables)
            self.upstream, self.stdin = (), None
            if text.startswith("`") and "\\" in text:
                # One level of backslashes belongs to the backticks.
                self.read(re.sub(r"\\([$`\\])", r"\1", text[1:-1]))
            else:
                self.visit_children(node)
        inside = self.commands[start:]
        value = known_output(inside[0]) if len(inside) == 1 else None
        if value is None or value.dynamic:
            return Piece("unknown", text, splits=not quoted)
        return Piece("quoted" if quoted else "known", value.text.rstrip("\n"))

    def process(self, node: "Node") -> Piece:
        """`<(…)` or `>(…)`."""
        start = len(self.commands)
        with _Saved(self, "cwd", "variables", "upstream", "stdin"):
            self.variables = dict(self.variables)
            self.stdin = None
            self.visit_children(node)
        return Piece("process", self.text(node), feeds=tuple(range(start, len(self.commands))))

    # -- checks ------------------------------------------------------------------------------

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


_STDIN = frozenset(("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "-"))


def known_output(command: Command) -> Word | None:
    """What `echo`, `printf`, `pwd` or `which` print, where that is plain to see."""
    argv = command.argv
    if not argv or command.redirects:
        return None
    name, rest = argv[0].text, argv[1:]
    if name == "cat" and not rest:
        return command.stdin
    dynamic = any(w.dynamic or w.splits or w.pattern for w in rest)
    if name == "echo":
        while rest and re.fullmatch(r"-[neE]+", rest[0].text):
            dynamic = dynamic or "e" in rest[0].text
            rest = rest[1:]
        return Word(" ".join(w.text for w in rest), dynamic)
    if name == "printf" and rest and rest[0].text != "-v":
        form = rest[0].text
        if "%" not in form:
            return Word(make.ansi_c(form), dynamic)
        if form in ("%s", "%s\\n", "%b", "%b\\n"):
            return Word("\n".join(make.ansi_c(w.text) if "b" in form else w.text for w in rest[1:]),
                        dynamic)  # fmt: skip
        return Word(" ".join(w.text for w in rest), dynamic=True)
    if name == "pwd" and command.cwd:
        return Word(command.cwd)
    lookup = name in ("which", "type") or (name == "command" and rest and rest[0].text == "-v")
    if lookup and rest and not dynamic:
        return Word(rest[-1].text)
    return None


def _replaced(word: Word, token: str) -> Word:
    """`{}` stands for what is found at run time."""
    if token not in word.text:
        return word
    return Word(word.text, dynamic=True, splits=word.splits, pattern=word.pattern)


def _shown(source: str) -> str:
    if not _MARKS.search(source):
        return source
    plain = re.sub(f"{HEREDOC}\\d+", "<…", source)
    return plain.replace(HERESTRING, "<<").replace("<" + READ_WRITE, "<>")


def _no_script(argv: tuple[Word, ...]) -> bool:
    operands = [w.text for w in argv[1:] if not w.text.startswith(("-", "+"))]
    flags = [w.text for w in argv[1:] if re.fullmatch(r"-[A-Za-z]+", w.text)]
    return not operands or any("s" in f for f in flags) or operands[0] in _STDIN


def _vague(inner: Inner) -> bool:
    """Whether run time appends words to something that reads its words as a program."""
    if not inner.argv:
        return inner.text is not None
    name = _name(inner.argv)
    if name not in SHELLS:
        return name in ("eval", "env", "sudo", "command", "exec", "xargs", "nohup")
    return not any(re.fullmatch(r"-\w*c", w.text) for w in inner.argv[1:-1])


def _name(argv: tuple[Word, ...]) -> str:
    return argv[0].text.rpartition("/")[2].lower()


def _join(cwd: str | None, path: str) -> str | None:
    from posixpath import join, normpath

    if path.startswith("/"):
        return "/" + normpath(path).lstrip("/")
    return normpath(join(cwd, path)) if cwd else None


def _blank(source: bytes, start: int, end: int) -> bool:
    if start >= end:
        return True
    hit = _STRAY.match(source, start, end)
    return hit is not None and hit.end() == end


def _nothing(_reader: Reader, _node: "Node") -> None:
    """A word where a command was looked for."""


def _piece(reader: Reader, node: "Node") -> None:
    reader.pieces(node)


def _redirect_alone(reader: Reader, node: "Node") -> None:
    redirects: list[Redirect] = []
    extra: list[Word] = []
    stdin = reader.redirect(node, redirects, extra)
    reader.add(tuple(extra), tuple(redirects), (), stdin, reader.text(node))


_HANDLERS: dict[str, Callable[[Reader, "Node"], None]] = {
    "command": Reader.visit_command,
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
    "declaration_command": Reader.visit_declaration,
    "unset_command": Reader.visit_declaration,
    "variable_assignment": Reader.visit_assignment,
    "variable_assignments": Reader.visit_assignment,
    "comment": Reader.comment,
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
