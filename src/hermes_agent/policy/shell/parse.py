"""Text to `Script`: limits, the grammar, and the checks that both readings agree."""

import functools
import re
import time
from typing import TYPE_CHECKING

from hermes_agent.policy.shell.heredocs import Lifted, lift
from hermes_agent.policy.shell.model import Command, Doubt, Script

if TYPE_CHECKING:
    from tree_sitter import Parser, Tree

# Linux hands a program no argument longer than this (MAX_ARG_STRLEN), so nothing longer can
# reach `bash -c`; what remains after here-documents are lifted out is far shorter in practice.
LONGEST = 128 * 1024
LONGEST_SYNTAX = 48 * 1024
# The grammar's error recovery is quadratic in these, in memory too.
_MOST_PIPES = 1000
_MOST_SECONDS = 0.25
_CHUNK = 8192


class TooComplex(Exception):
    """The command is beyond what can be checked in bounded time."""


def parse(
    text: str, *, cwd: str | None, home: str, variables: dict[str, str] | None = None
) -> Script:
    """Read `text` as bash would. `cwd` and `home` are absolute; `variables` are known values.

    What cannot be read for certain is in `Script.doubts`. Raises `TooComplex`.
    """
    # Only now: the reader needs this module's `grammar`, and light commands need neither.
    from hermes_agent.policy.shell.reader import Reader

    if len(text) > LONGEST:
        raise TooComplex(f"the command is longer than {LONGEST // 1024} KB")
    known = {"HOME": home, "IFS": " \t\n", **({"PWD": cwd} if cwd else {}), **(variables or {})}
    reader = Reader(home=home, cwd=cwd, variables=known)
    reader.read(text)
    script = reader.script()
    if any(d.kind == "syntax" for d in script.doubts):
        script = _line_by_line(text, script, home, cwd, known)
    return script


def _line_by_line(
    text: str, script: Script, home: str, cwd: str | None, known: dict[str, str]
) -> Script:
    """What error recovery may have swallowed stands on a line of its own more often than not."""
    from hermes_agent.policy.shell.reader import Reader

    commands = list(script.commands)
    for line in re.split(r"[\n;]|&&|\|\|", text)[:200]:
        if line.strip() and len(line) < _CHUNK:
            reader = Reader(home=home, cwd=cwd, variables=dict(known))
            reader.read(line)
            commands += [_alone(c) for c in reader.script().commands]
    return Script(commands=tuple(commands), doubts=script.doubts, bombs=script.bombs)


def _alone(command: Command) -> Command:
    import msgspec

    return msgspec.structs.replace(command, upstream=())


def lifted(text: str) -> Lifted:
    """`text` without here-documents. Raises `TooComplex` when what remains is too much."""
    found = lift(text)
    if len(found.text) > LONGEST_SYNTAX or found.text.count("|") > _MOST_PIPES:
        raise TooComplex("the command is too long to be checked")
    return found


def grammar(source: bytes) -> "Tree":
    """The syntax tree. Raises `TooComplex` when it takes too long."""
    started = time.perf_counter()

    def late(_offset: int, _error: bool) -> bool:
        return time.perf_counter() - started > _MOST_SECONDS

    parser = _parser()
    try:
        if len(source) < 2048:
            return parser.parse(source)
        return parser.parse(
            lambda offset, _point: source[offset : offset + _CHUNK], progress_callback=late
        )
    except ValueError as error:
        parser.reset()
        raise TooComplex("the command is too involved to be checked") from error


@functools.cache
def _parser() -> "Parser":
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def doubt(sentence: str, excerpt: str) -> Doubt:
    """A syntax doubt with a short excerpt."""
    return Doubt("syntax", sentence, excerpt[:120])
