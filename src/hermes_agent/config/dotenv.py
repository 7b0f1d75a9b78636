r"""`.env` and environment files: one parser and one writer.

`KEY=VALUE` lines, `export` before them or not, spaces round the `=` or not, CRLF or LF, a BOM or
none; `#` and `;` begin a comment line; single and double quotes may span lines. A value without
quotes goes to the end of the line, spaces in it included. Nothing is interpolated. A name alone on
a line sets nothing. Of a repeated name the last counts.

Where python-dotenv (https://saurabh-kumar.com/python-dotenv/#file-format), EnvironmentFile=
(systemd.exec(5)) and docker's --env-file differ, this holds:

- quotes are taken off (docker keeps them), and what follows the closing one is an error (systemd
  and shells join it on), because it is mostly a torn line;
- ` #` ends a value without quotes, as in python-dotenv (the others keep it): quote such a value;
- a backslash outside quotes is itself, as in docker and python-dotenv (systemd takes it off, and
  joins lines at the end of one);
- in double quotes `\n`, `\t`, `\r` are what they are in C, as in python-dotenv (systemd and
  shells keep them): keys in PEM form are often written so; `\"`, `\\`, `\$` and `` \` `` are the
  characters, any other backslash is itself;
- in single quotes `\'` and `\\` are the characters, as in python-dotenv;
- a line that is nothing of all this is an error; the others skip it, and a secret is missing.

The writer quotes so that systemd, a shell and python-dotenv read the same value back; only of a
value that holds both `'` and `$` python-dotenv keeps a backslash.
"""

import re
from pathlib import Path

import msgspec

from hermes_agent.config.reading import read_text
from hermes_agent.domain.errors import ConfigError, UsageError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_START = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$", "`": "`"}


class Line(msgspec.Struct, frozen=True):
    """A piece of the file as it stands there: an assignment, or (no name) anything else."""

    text: str
    name: str = ""
    value: str = ""


def parse(text: str, source: str = ".env") -> list[Line]:
    """The file, piece by piece; joined texts give it back. Raises `ConfigError`."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        _refuse(text, text.index("\0"), source, "a NUL byte")
    lines: list[Line] = []
    at = 0
    while at < len(text):
        end = _line_end(text, at)
        start = _START.match(text, at, end)
        if start is None:
            bare = text[at:end].strip()
            if bare and not bare.startswith(("#", ";")) and not _is_bare_name(bare):
                _refuse(text, at, source, "expected NAME=value")
            lines.append(Line(text[at:end]))
            at = end
            continue
        value, stop = _value(text, start.end(), source)
        lines.append(Line(text[at:stop], start[1], value))
        at = stop
    return lines


def values(text: str, source: str = ".env") -> dict[str, str]:
    """The variables; of a repeated name the last counts."""
    return {line.name: line.value for line in parse(text, source) if line.name}


def read(path: Path) -> dict[str, str]:
    """The variables of a file, none if there is no file. Raises `ConfigError`."""
    text = read_text(path, "the secrets file")
    return {} if text is None else values(text, str(path))


def format_line(name: str, value: str) -> str:
    """One assignment with its newline. Line breaks inside the value are taken out."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a name for an environment variable")
    flat = "".join(value.splitlines()).replace("\0", "")
    if _PLAIN.fullmatch(flat):
        return f"{name}={flat}\n"
    if "'" not in flat and "\\" not in flat:
        return f"{name}='{flat}'\n"
    return f"{name}={_double_quoted(flat)}\n"


def format_exactly(name: str, value: str) -> str:
    """One assignment with its newline, line breaks inside the value kept.

    systemd and a POSIX shell read the same back; control characters they do not.
    """
    if "\n" not in value and "\r" not in value:
        return format_line(name, value)
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a name for an environment variable")
    return f"{name}={_double_quoted(value)}\n"


def bare_name(line: Line) -> str:
    """The name that stands on this line alone, without a value; empty if none does."""
    words = line.text.split()
    return words[-1] if not line.name and words and _is_bare_name(line.text.strip()) else ""


def _double_quoted(value: str) -> str:
    escaped = "".join(f"\\{c}" if c in '\\"$`' else c for c in value)
    return f'"{escaped}"'


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _is_bare_name(line: str) -> bool:
    words = line.split()
    return NAME.fullmatch(words[-1]) is not None and words[:-1] in ([], ["export"])


def _value(text: str, at: int, source: str) -> tuple[str, int]:
    """The value that begins at `at`, and where its last line ends."""
    quote = text[at : at + 1]
    if quote not in ("'", '"'):
        end = _line_end(text, at)
        return _COMMENT.sub("", text[at:end].rstrip("\r\n")).rstrip(), end
    parts: list[str] = []
    pos = at + 1
    while True:
        char = text[pos : pos + 1]
        if char == "":
            _refuse(text, at, source, f"the quote {quote} is never closed")
        if char == quote:
            break
        if char == "\\" and quote == '"' and text[pos + 1 : pos + 2] in _ESCAPES:
            parts.append(_ESCAPES[text[pos + 1]])
            pos += 2
            continue
        if char == "\\" and quote == "'" and text[pos + 1 : pos + 2] in ("'", "\\"):
            parts.append(text[pos + 1])
            pos += 2
            continue
        if char != "\r" or text[pos + 1 : pos + 2] != "\n":
            parts.append(char)
        pos += 1
    end = _line_end(text, pos)
    if _COMMENT.sub("", text[pos + 1 : end].rstrip("\r\n")).strip():
        _refuse(text, pos, source, f"text after the closing quote {quote}")
    return "".join(parts), end


def _refuse(text: str, at: int, source: str, problem: str) -> None:
    # The line itself is not shown: it may hold a secret.
    line = text.count("\n", 0, at) + 1
    raise ConfigError(
        f"{source}, line {line}: {problem}",
        hint="Mend the line, or let hermes config migrate try.",
    )
