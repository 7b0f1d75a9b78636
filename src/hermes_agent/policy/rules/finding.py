"""What a rule gives, and how it looks at a command."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from posixpath import join

import msgspec

from hermes_agent.policy.protected import clean
from hermes_agent.policy.shell import Command, Script, Word
from hermes_agent.policy.verdict import Action, Place


class Finding(msgspec.Struct, frozen=True):
    """A rule's answer; `action` is never `pass`. `exactly`: the remembered answer is for this
    very command, because `rule` alone would let too much through."""

    action: Action
    rule: str
    sentence: str
    exactly: bool = False
    lasting: bool = True


class View(msgspec.Struct, frozen=True):
    """A command with where it runs and what it is part of."""

    command: Command
    place: Place
    script: Script

    @property
    def program(self) -> str:
        """The program's name."""
        return self.command.program

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words after the program."""
        return self.command.argv[1:]

    def has(self, short: str = "", *long: str) -> bool:
        """Whether one of these options is given: letters in a cluster, or long names (a unique
        beginning of at least three letters is enough for GNU programs)."""
        for word in self.arguments:
            text = word.text
            if not text.startswith("-") or len(text) == 1:
                continue
            if text == "--":
                return False
            if text.startswith("--"):
                name = text[2:].partition("=")[0]
                if len(name) > 2 and any(one.startswith(name) for one in long):
                    return True
            elif any(c in short for c in text[1:]):
                return True
        return False

    def operands(self) -> list[Word]:
        """The words that are no options."""
        found: list[Word] = []
        only = False
        for word in self.arguments:
            if not only and word.text == "--":
                only = True
            elif only or not word.text.startswith("-") or word.text == "-":
                found.append(word)
        return found

    def texts(self) -> list[str]:
        """The words after the program as text."""
        return [w.text for w in self.arguments]

    def value(self, *options: str) -> Word | None:
        """The value of the first of these options: in the next word, after `=`, or glued on."""
        for at, word in enumerate(self.arguments):
            for option in options:
                if word.text == option and at + 1 < len(self.arguments):
                    return self.arguments[at + 1]
                glued = option + "=" if option.startswith("--") else option
                if word.text.startswith(glued) and len(word.text) > len(glued):
                    return Word(word.text[len(glued) :], word.dynamic)
        return None

    def path(self, word: Word) -> str | None:
        """The absolute path that a word names; None where only run time knows."""
        if word.dynamic or not word.text:
            return None
        return absolute(word.text, self.command.cwd, self.place)

    def pattern(self, word: Word) -> str | None:
        """The absolute pattern of a word that globs."""
        if word.dynamic or word.pattern is None:
            return None
        return absolute(word.pattern, self.command.cwd, self.place)

    def hits(self, word: Word, paths: Iterable[str]) -> str | None:
        """Which of `paths` a word names, itself or by a pattern; the first."""
        pattern = self.pattern(word)
        if pattern is not None:
            matcher = glob(pattern)
            return next((p for p in paths if matcher.match(p)), None)
        path = self.path(word)
        return path if path is not None and path in paths else None

    def written(self) -> Iterator[Word]:
        """The files that redirects open for writing."""
        return (r.target for r in self.command.redirects if r.writes)


Rule = Callable[[View], Finding | None]


def absolute(text: str, cwd: str | None, place: Place) -> str | None:
    """`text` against `cwd`, without `..`; None when `cwd` is needed and unknown."""
    if text.startswith("/"):
        return clean(text)
    if text == "~" or text.startswith("~/"):
        # Not expanded by the shell when quoted, but many programs do it themselves.
        return clean(place.home + text[1:])
    return clean(join(cwd, text)) if cwd else None


@lru_cache(maxsize=512)
def glob(pattern: str) -> re.Pattern[str]:
    """A pathname pattern: wildcards stay within one component, and `*` sees no dot files."""
    parts = [_component(p) for p in pattern.split("/")]
    return re.compile("/".join(parts) + r"\Z", re.S)


def _component(pattern: str) -> str:
    if not re.search(r"[*?\[]", pattern):
        return re.escape(pattern)
    made = [] if pattern.startswith(".") else [r"(?!\.)"]
    for part in re.findall(r"\*+|\?|\[[!^]?\]?[^\]]*\]|.", pattern, re.S):
        if part.startswith("*"):
            made.append("[^/]*")
        elif part == "?":
            made.append("[^/]")
        elif len(part) > 2 and part.startswith("["):
            negated = part[1] in "!^"
            inside = part[2 if negated else 1 : -1]
            made.append(f"[{'^/' if negated else ''}{_members(inside)}]")
        else:
            made.append(re.escape(part))
    return "(?=[^/])" + "".join(made)


def _members(inside: str) -> str:
    if "[:" in inside:
        return r"\s\S"
    low_high = re.sub(r"[^\w-]", lambda hit: "\\" + hit[0], inside)
    try:
        re.compile(f"[{low_high}]")
    except re.error:
        return re.escape(inside)
    return low_high


def ask(rule: str, sentence: str, *, exactly: bool = False) -> Finding:
    """An answer that asks a person."""
    return Finding("ask", rule, sentence, exactly)


def block(rule: str, sentence: str) -> Finding:
    """An answer that nothing lifts."""
    return Finding("block", rule, sentence)


def key(name: str, *details: str | None) -> str:
    """A rule's key with what narrows it, bounded in length."""
    given = [d for d in details if d]
    return ":".join([name, *(d if len(d) <= 200 else d[:160] + "…" for d in given)])


def first(view: View, rules: Sequence[Rule]) -> Finding | None:
    """The first answer of several rules."""
    return next((f for f in (rule(view) for rule in rules) if f is not None), None)
