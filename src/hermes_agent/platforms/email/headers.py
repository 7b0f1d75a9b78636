"""Headers of a mail as it came, whatever was in them."""

import re
from collections.abc import Sequence
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32

MAX_HEADERS = 256 * 1024
"""Bytes of all headers together; what is behind is not looked at."""

MAX_IDS = 100
_ID = re.compile(r"<[!-;=?-~]{1,250}>")


class Headers:
    """All headers of one mail."""

    def __init__(self, raw: bytes) -> None:
        self._message: Message = BytesHeaderParser(policy=compat32).parsebytes(raw[:MAX_HEADERS])

    def all(self, name: str) -> Sequence[str]:
        """The values of all headers of this name, top first, as they came."""
        return [str(value) for value in self._message.get_all(name, [])]

    def text(self, name: str) -> str:
        """The first one, decoded (RFC 2047), on one line; empty when there is none."""
        return decoded(next(iter(self.all(name)), ""))

    def ids(self, name: str) -> list[str]:
        """The message ids in it, in their order."""
        return _ID.findall(" ".join(self.all(name)))[:MAX_IDS]


def decoded(value: str) -> str:
    """A header's words (RFC 2047) on one line, without what does not print."""
    try:
        pieces = decode_header(value[:4000])
    except (HeaderParseError, ValueError):
        pieces = [(value[:4000], None)]
    words = "".join(
        piece if isinstance(piece, str) else _letters(piece, charset) for piece, charset in pieces
    )
    return " ".join("".join(each if each.isprintable() else " " for each in words).split())


def _letters(data: bytes, charset: str | None) -> str:
    try:
        return data.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return data.decode("latin-1")
