"""Characters that no message may carry, whoever wrote them."""

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")

# Controls but tab and line feed; bidirectional embeddings, overrides and isolates, which show a
# text in another order than it is written; the byte order mark and what is no character at all.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """The text in valid Unicode, lines ended by line feeds, without controls. Surrogates that
    make a pair become their character, others U+FFFD."""
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))


def clean_line(text: str) -> str:
    """The same as one line: entities such as `&#10;` bring line ends where none were seen."""
    return clean(text).replace("\n", " ")


def visible(text: str) -> bool:
    """Whether there is anything to see: platforms refuse messages of spaces and joiners."""
    return any(
        not character.isspace() and unicodedata.category(character) != "Cf" for character in text
    )
