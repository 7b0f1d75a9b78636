"""Bytes of a file as text and back: what is not edited comes back byte for byte."""

import codecs

import msgspec

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_SNIFFED = 8192
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\b\x1b")
_MAX_CONTROL_SHARE = 0.1


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text and how its file writes it.

    `newline` is "\\r\\n" when every line ends so (`text` then has "\\n"), else "\\n" and `text`
    holds whatever the file holds. Bytes that are not UTF-8 are kept as lone surrogates.
    """

    text: str
    encoding: str = "utf-8"
    bom: bytes = b""
    newline: str = "\n"

    @property
    def sound(self) -> bool:
        """Whether every byte was text in this encoding."""
        return not any("\udc80" <= char <= "\udcff" for char in self.text)


def looks_binary(data: bytes) -> bool:
    """Whether the beginning of a file is no text: NULs, or many control characters."""
    if data.startswith(tuple(_UTF16)) and not data.startswith(codecs.BOM_UTF32_LE):
        return False
    head = data[:_SNIFFED]
    if b"\0" in head:
        return True
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head)
    return controls > len(head) * _MAX_CONTROL_SHARE


def decode(data: bytes) -> Text:
    """What the file says. `encode(decode(data).text, decode(data))` is `data` again."""
    for bom, encoding in _UTF16.items():
        if data.startswith(bom):
            try:
                return _unfold(data[len(bom) :].decode(encoding), encoding, bom)
            except UnicodeDecodeError:
                break
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    return _unfold(data[len(bom) :].decode("utf-8", "surrogateescape"), "utf-8", bom)


def _unfold(text: str, encoding: str, bom: bytes) -> Text:
    pairs = text.count("\r\n")
    if pairs and pairs == text.count("\n") == text.count("\r"):
        unfolded = text.replace("\r\n", "\n")
        return Text(text=unfolded, encoding=encoding, bom=bom, newline="\r\n")
    return Text(text=text, encoding=encoding, bom=bom)


def encode(text: str, like: Text) -> bytes:
    """`text` written the way `like` was."""
    if like.newline == "\r\n":
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    errors = "surrogateescape" if like.encoding == "utf-8" else "surrogatepass"
    return like.bom + text.encode(like.encoding, errors)
