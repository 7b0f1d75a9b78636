"""What a shell leaves behind: its directory and its exported variables."""

import re

# What `export -p` prints: bash `declare -x N="v"` or `declare -x N=$'v'`, a POSIX shell
# `export N='v'`. bash escapes \ " $ ` inside double quotes and writes control characters in $''.
_EXPORT = re.compile(
    r"""^(?:declare\ -(?P<flags>[a-zA-Z]+)|export)\ (?P<name>[A-Za-z_][A-Za-z0-9_]*)
        =(?P<value>(?:\$'(?:[^'\\]|\\.)*'|'[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"$])*)$""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_PIECE = re.compile(r"""\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\.)*)"|([^'"$]+)""", re.DOTALL)
_QUOTED = re.compile(r'\\([\\"$`])|\\\n')
_ANSI_C = re.compile(rb"\\(?:([abefnrtvE\\'\"?])|([0-7]{1,3})|x([0-9a-fA-F]{1,2}))")
_LETTERS = {
    b"a": b"\a", b"b": b"\b", b"e": b"\x1b", b"E": b"\x1b", b"f": b"\f", b"n": b"\n",
    b"r": b"\r", b"t": b"\t", b"v": b"\v", b"\\": b"\\", b"'": b"'", b'"': b'"', b"?": b"?",
}  # fmt: skip


def parse(snapshot: bytes) -> tuple[str, dict[str, str]] | None:
    """The directory and the variables, or None if the snapshot is not whole.

    Bytes that are not UTF-8 come through as Python's surrogate escapes. Arrays are left out:
    they cannot be inherited.
    """
    text = snapshot.decode("utf-8", "surrogateescape")
    cwd, newline, rest = text.partition("\n")
    while newline and rest and not rest.startswith(("declare -", "export ")):
        more, newline, rest = rest.partition("\n")  # a directory's name may hold newlines
        cwd = f"{cwd}\n{more}"
    if not cwd.startswith("/") or not text.endswith("\n"):
        return None
    variables = {
        match["name"]: _value(match["value"])
        for match in _EXPORT.finditer(rest)
        if not set(match["flags"] or "") & {"a", "A"}
    }
    return cwd, variables


def _value(quoted: str) -> str:
    value = ""
    for ansi, single, double, bare in _PIECE.findall(quoted):
        if ansi:
            raw = ansi.encode("utf-8", "surrogateescape")
            value += _ANSI_C.sub(_ansi, raw).decode("utf-8", "surrogateescape")
        else:
            value += single or bare or _QUOTED.sub(r"\1", double)
    return value


def _ansi(match: "re.Match[bytes]") -> bytes:
    letter, octal, hexadecimal = match.groups()
    if letter:
        return _LETTERS[letter]
    return bytes([int(octal, 8) & 0xFF if octal else int(hexadecimal, 16)])
