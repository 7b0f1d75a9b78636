"""Telegram's HTML mode read as strictly as the server does.

https://core.telegram.org/bots/api#html-style
"""

import re
from html import unescape
from typing import Any

_ALIASES = {"strong": "b", "em": "i", "ins": "u", "strike": "s", "del": "s"}
_TYPES = {
    "b": "bold",
    "i": "italic",
    "u": "underline",
    "s": "strikethrough",
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TOKEN = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s[^<>]*)?)>|(&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)|(<)"
)
_ATTRIBUTE = re.compile(r"([a-z-]+)=\"([^\"]*)\"")


class Unparsable(ValueError):
    """The text is not in Telegram's HTML."""


def units(text: str) -> int:
    """The length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """The text and its entities. Raises `Unparsable` in the server's words."""
    text = ""
    open_tags: list[tuple[str, dict[str, Any]]] = []
    entities: list[dict[str, Any]] = []
    place = 0
    for match in _TOKEN.finditer(source):
        text += source[place : match.start()]
        place = match.end()
        closing, name, attributes, reference, stray = match.groups()
        at = len(source[: match.start()].encode())
        if reference:
            text += unescape(reference)
        elif stray:
            raise Unparsable(f'Unsupported start tag "" at byte offset {at}')
        elif closing:
            if not open_tags or open_tags[-1][0] != _known(name, at):
                raise Unparsable(f"Unmatched end tag at byte offset {at}")
            _, entity = open_tags.pop()
            entity["length"] = units(text) - entity["offset"]
            if entity["length"]:
                entities.append(entity)
        else:
            tag = _known(name, at)
            entity = {"type": _TYPES[tag], "offset": units(text), "length": 0}
            found = dict(_ATTRIBUTE.findall(attributes))
            if tag == "a":
                entity["url"] = unescape(found.get("href", ""))
            if tag == "code" and "class" in found and open_tags and open_tags[-1][0] == "pre":
                open_tags[-1][1]["language"] = found["class"].removeprefix("language-")
            open_tags.append((tag, entity))
    if open_tags:
        raise Unparsable(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    text += source[place:]
    entities.sort(key=lambda each: (each["offset"], -each["length"]))
    return text, entities


def _known(name: str, at: int) -> str:
    tag = _ALIASES.get(name.lower(), name.lower())
    if tag not in _TYPES:
        raise Unparsable(f'Unsupported start tag "{name}" at byte offset {at}')
    return tag


_COMMAND = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]{3,32})?(?![\w/@])")
_MENTION = re.compile(r"(?<![\w@])@[A-Za-z0-9_]{3,32}\b")


def found_entities(text: str) -> list[dict[str, Any]]:
    """What the server finds by itself in a person's text: commands and mentions."""
    found: list[dict[str, Any]] = [
        {
            "type": kind,
            "offset": units(text[: match.start()]),
            "length": units(match.group()),
        }
        for kind, pattern in (("bot_command", _COMMAND), ("mention", _MENTION))
        for match in pattern.finditer(text)
    ]
    commands = [each for each in found if each["type"] == "bot_command"]
    return [
        each
        for each in found
        if each["type"] != "mention"
        or not any(c["offset"] < each["offset"] < c["offset"] + c["length"] for c in commands)
    ]


_REPLACED = re.compile(r"[\x00-\x09\x0b-\x1f]")
_REMOVED = re.compile(r"[\r\u2028-\u202e]")


def cleaned(text: str) -> str:
    """As the server stores a text: control characters are blanks, the edges are bare."""
    return _REPLACED.sub(" ", _REMOVED.sub("", text)).strip()
