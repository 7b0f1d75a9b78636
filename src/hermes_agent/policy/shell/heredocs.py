"""Here-documents lifted out of the text before it is parsed.

The grammar knows `<<` only in its simpler uses, and a body may be megabytes of harmless text.
Every `<<WORD` becomes `<` and a mark, so that what remains is ordinary redirection; the parser
must find each mark again as a redirect's target, else the two readings differ and a person
is asked.
"""

import re

import msgspec

# Private-use characters: normalisation has removed any that the command itself contained.
HERESTRING = "\ue000"
HEREDOC = "\ue001"
READ_WRITE = "\ue002"

MARKS = re.compile(f"[{HERESTRING}{HEREDOC}{READ_WRITE}]")

_SPECIAL = re.compile(r"[\\'\"`$<#()\n]")
_IN_QUOTES = re.compile(r"[\\\"`$\n]")
_IN_BRACES = re.compile(r"[\\'\"`$}{]")
_IN_ARITHMETIC = re.compile(r"[()]")
_DELIMITER = re.compile(r"(?:'[^'\n]*'|\"[^\"\n]*\"|\\.|[^\s;&|<>()'\"\\])+")
_BLANKS = re.compile(r"(?:[ \t]|\\\n)*")


class Heredoc(msgspec.Struct, frozen=True):
    """`literal` when the delimiter was quoted: nothing in `body` is expanded."""

    body: str
    literal: bool


class Lifted(msgspec.Struct, frozen=True):
    """`text` without bodies; `sure` is False where the reading may differ from the shell's."""

    text: str
    heredocs: tuple[Heredoc, ...] = ()
    sure: bool = True


class _Pending(msgspec.Struct):
    index: int
    delimiter: str
    literal: bool
    strip_tabs: bool
    depth: int


def lift(text: str) -> Lifted:
    """Take the here-documents out of `text`."""
    if "<<" not in text and "<>" not in text:
        return Lifted(text)
    return _Lifter(text).run()


class _Lifter:
    """One pass over the text with a stack of quoting contexts: c(ommand), p(arenthesis),
    q(uotes), b(races), a(rithmetic)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out: list[str] = []
        self.copied = 0
        self.found: dict[int, Heredoc] = {}
        self.pending: list[_Pending] = []
        self.count = 0
        self.stack = ["c"]
        self.sure = True

    def run(self) -> Lifted:
        at = 0
        while at < len(self.text):
            context = self.stack[-1]
            if context == "q":
                at = self._quotes(at)
            elif context == "b":
                at = self._braces(at)
            elif context == "a":
                at = self._arithmetic(at)
            else:
                at = self._command(at)
        self.out.append(self.text[self.copied :])
        if self.stack != ["c"] or self.pending:
            self.sure = False
        heredocs = tuple(self.found.get(i, Heredoc("", literal=True)) for i in range(self.count))
        return Lifted("".join(self.out), heredocs, self.sure)

    def _command(self, at: int) -> int:
        hit = _SPECIAL.search(self.text, at)
        if hit is None:
            return len(self.text)
        at = hit.start()
        match self.text[at]:
            case "\\":
                return at + 2
            case "'":
                return self._skip_single(at)
            case '"':
                self.stack.append("q")
            case "`":
                return self._skip_backticks(at)
            case "$":
                return self._dollar(at)
            case "<":
                return self._less(at)
            case "#":
                if at == 0 or self.text[at - 1] in " \t\n;&|()":
                    end = self.text.find("\n", at)
                    return len(self.text) if end < 0 else end
            case "(":
                doubled = self.text.startswith("((", at)
                self.stack.append("a" if doubled else "p")
                return at + (2 if doubled else 1)
            case ")":
                if self.stack[-1] == "p":
                    if any(p.depth >= len(self.stack) for p in self.pending):
                        self.sure = False
                    self.stack.pop()
                else:
                    self.sure = False
            case _:
                return self._newline(at)
        return at + 1

    def _quotes(self, at: int) -> int:
        hit = _IN_QUOTES.search(self.text, at)
        if hit is None:
            return len(self.text)
        at = hit.start()
        match self.text[at]:
            case "\\":
                return at + 2
            case '"':
                self.stack.pop()
            case "`":
                return self._skip_backticks(at)
            case "$":
                return self._dollar(at)
            case _:
                if self.pending:
                    self.sure = False
        return at + 1

    def _braces(self, at: int) -> int:
        hit = _IN_BRACES.search(self.text, at)
        if hit is None:
            return len(self.text)
        at = hit.start()
        match self.text[at]:
            case "\\":
                return at + 2
            case "'":
                # Inside double quotes a single quote in ${…} is an ordinary character.
                return at + 1 if "q" in self.stack else self._skip_single(at)
            case '"':
                if len(self.stack) > 1 and self.stack[-2] == "q":
                    self.sure = False
                self.stack.append("q")
            case "`":
                return self._skip_backticks(at)
            case "$":
                return self._dollar(at)
            case "{":
                pass
            case _:
                self.stack.pop()
        return at + 1

    def _arithmetic(self, at: int) -> int:
        hit = _IN_ARITHMETIC.search(self.text, at)
        if hit is None:
            return len(self.text)
        at = hit.start()
        if self.text[at] == "(":
            self.stack.append("p")
            # A parenthesis in arithmetic holds no commands, but `$(` may; a shift is no document.
            self.sure = self.sure and "<<" not in self.text
            return at + 1
        self.stack.pop()
        if not self.text.startswith("))", at):
            self.sure = False
        return at + 2

    def _dollar(self, at: int) -> int:
        if self.text.startswith("$((", at):
            self.stack.append("a")
            return at + 3
        if self.text.startswith("$(", at):
            self.stack.append("p")
            return at + 2
        if self.text.startswith("${", at):
            self.stack.append("b")
            return at + 2
        if self.text.startswith("$'", at) and self.stack[-1] != "q":
            end = re.compile(r"(?:[^'\\]|\\.)*'", re.S).match(self.text, at + 2)
            return end.end() if end else len(self.text)
        return at + 2 if self.text[at + 1 : at + 2] in ("#", "$") else at + 1

    def _less(self, at: int) -> int:
        text = self.text
        if text.startswith("<<<", at):
            self._replace(at, self._blanks(at + 3), "<" + HERESTRING)
            return self.copied
        if text.startswith("<>", at):
            self._replace(at, self._blanks(at + 2), "<" + READ_WRITE)
            return self.copied
        if not text.startswith("<<", at):
            return at + 1
        strip = text.startswith("<<-", at)
        start = self._blanks(at + (3 if strip else 2))
        word = _DELIMITER.match(text, start)
        if word is None:
            self.sure = False
            return at + 2
        raw = word.group()
        if "$" in raw or "`" in raw:
            self.sure = False
        literal = any(c in raw for c in "'\"\\")
        delimiter = re.sub(r"\\(.)", r"\1", re.sub(r"['\"]", "", raw)) if literal else raw
        self.pending.append(_Pending(self.count, delimiter, literal, strip, len(self.stack)))
        self._replace(at, word.end(), f"<{HEREDOC}{self.count}")
        self.count += 1
        return self.copied

    def _newline(self, at: int) -> int:
        """The bodies of this line's documents follow."""
        if not self.pending:
            return at + 1
        if any(p.depth != len(self.stack) for p in self.pending):
            self.sure = False
        start = at = at + 1
        for document in self.pending:
            body: list[str] = []
            while True:
                if at >= len(self.text):
                    self.sure = False
                    break
                end = self.text.find("\n", at)
                end = len(self.text) if end < 0 else end
                line = self.text[at:end]
                at = end + 1
                shown = line.lstrip("\t") if document.strip_tabs else line
                if shown == document.delimiter:
                    break
                # `EOF)` closes document and substitution at once in some shells' eyes.
                if len(self.stack) > 1 and shown.startswith(document.delimiter + ")"):
                    self.sure = False
                if not document.literal and line.endswith("\\"):
                    # The shell joins these lines before it looks for the delimiter.
                    self.sure = (
                        self.sure
                        and self.text[at : at + 1] != ""
                        and not self.text[at:].lstrip("\t").startswith(document.delimiter)
                    )
                body.append(shown)
            self.found[document.index] = Heredoc("\n".join(body), document.literal)
        self.pending.clear()
        self._replace(start, min(at, len(self.text)), "")
        return self.copied

    def _skip_single(self, at: int) -> int:
        end = self.text.find("'", at + 1)
        return len(self.text) if end < 0 else end + 1

    def _skip_backticks(self, at: int) -> int:
        end = re.compile(r"(?:[^`\\]|\\.)*`", re.S).match(self.text, at + 1)
        if end is None or "<<" in end.group():
            self.sure = False
        return end.end() if end else len(self.text)

    def _blanks(self, at: int) -> int:
        hit = _BLANKS.match(self.text, at)
        return hit.end() if hit else at

    def _replace(self, start: int, end: int, by: str) -> None:
        self.out += (self.text[self.copied : start], by)
        self.copied = end
