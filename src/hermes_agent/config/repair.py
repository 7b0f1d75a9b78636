"""Mending a `.env` that a careless editor or script has torn."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

from hermes_agent.config import dotenv
from hermes_agent.config.secret_names import is_secret_variable
from hermes_agent.domain.errors import ConfigError

_QUOTE = re.compile("['\"]")


def repair(text: str) -> tuple[str, list[str]]:
    """The mended text, and what was done to it, in words that show no value.

    Known names that were written on one line go onto lines of their own; a line that cannot be
    read is made a comment.
    """
    done: list[str] = []
    lines: list[str] = []
    rest = text.replace("\0", "").removeprefix("\ufeff")
    if rest != text:
        done.append("removed invisible characters")
    number = 1
    while rest:
        piece, rest = _next(rest)
        if piece is None:
            line, newline, rest = rest.partition("\n")
            lines.append(f"# not understood: {line}{newline}")
            done.append(f"line {number}: made a comment, it could not be read")
            number += 1
            continue
        number += piece.count("\n")
        lines += _apart(piece)
        if lines[-1] != piece:
            done.append(f"line {number - 1}: put each variable on a line of its own")
    return "".join(lines), done


def _next(text: str) -> tuple[str | None, str]:
    """The next piece that can be read, and the rest; None if the next line cannot."""
    end = text.find("\n") + 1 or len(text)
    while True:
        try:
            pieces = dotenv.parse(text[:end])
        except ConfigError:
            # A quoted value may go on in the lines below.
            if end == len(text) or not _QUOTE.search(text[:end]):
                return None, text
            end = text.find("\n", end) + 1 or len(text)
            continue
        return "".join(piece.text for piece in pieces), text[end:]


def _apart(piece: str) -> list[str]:
    if piece.lstrip().startswith("#"):
        return [piece]
    name = piece.partition("=")[0].removeprefix("export ").strip()
    if not is_secret_variable(name) or any(quote in piece for quote in "'\""):
        return [piece]
    cuts = [0, *(match.start() for match in _run_on().finditer(piece)), len(piece)]
    parts = [piece[a:b] for a, b in pairwise(cuts)]
    return [part if part.endswith("\n") else part + "\n" for part in parts[:-1]] + [parts[-1]]


@cache
def _run_on() -> re.Pattern[str]:
    """Where a known name begins in the middle of a line."""
    lines = Path(__file__).with_name("known_variables.txt").read_text("utf-8").splitlines()
    # Longest first, so that no name is taken for the end of a longer one.
    names = sorted((line for line in lines if not line.startswith("#")), key=len, reverse=True)
    either = "|".join(names)
    return re.compile(rf"(?<=[^\s#'\"=])(?:{either})(?==)")
