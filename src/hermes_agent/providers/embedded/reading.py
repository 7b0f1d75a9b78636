"""Reading the small model's answers: text as it comes, and tool calls in whatever wrapping."""

import json
import re
from collections.abc import Set
from typing import Annotated, Any, cast

import msgspec

_OPENERS = re.compile(r"```|<tool_call>|(?:^|\n)\s*\{")
_FENCE = re.compile(r"^\s*(?:```[\w-]*|<tool_call>)\s*")
_NAMES = ("name", "tool", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_strings = json.JSONDecoder(strict=False)  # models put raw newlines into strings


class Call(msgspec.Struct, frozen=True):
    """A tool call read from text; `arguments` is a JSON object."""

    name: str
    arguments: str


class Reader:
    """Takes an answer piece by piece; holds back what may be a call."""

    def __init__(self, tools: Set[str]) -> None:
        self.tools = tools
        self.call: Call | None = None
        self._text = ""
        self._shown = 0
        self._tried = 0

    def feed(self, piece: str) -> str:
        """What can be shown now. Once `call` is set, the rest of the answer is of no use."""
        self._text += piece
        if not self.tools:
            return self._show(len(self._text))
        opener = _OPENERS.search(self._text)
        if opener is None:
            # The end may be the beginning of an opener.
            whole = (
                self._text.rstrip(" \t\n`<tol_ca>") if len(self._text) < 12 else self._text[:-12]
            )
            return self._show(len(whole))
        shown = self._show(opener.start())
        if self._text.rfind("}") >= self._tried:
            self._tried = len(self._text)
            self.call = parse(self._text[opener.start() :], self.tools)
        return shown

    def close(self, *, cut: bool) -> str:
        """The answer is over; the rest to show. `cut`: it ended at the token limit.

        A call that lacks only its closing brackets is completed, unless it was cut: half a
        file must not be written as if it were whole.
        """
        opener = _OPENERS.search(self._text) if self.tools else None
        if opener is not None and self.call is None and not cut:
            rest = self._text[opener.start() :]
            self.call = parse(rest, self.tools, repair=True) or _stranger(self._text)
        return "" if self.call else self._show(len(self._text))

    def _show(self, end: int) -> str:
        piece = self._text[self._shown : end]
        self._shown = max(self._shown, end)
        return piece


def parse(text: str, tools: Set[str], *, repair: bool = False) -> Call | None:
    """The call at the beginning of `text`, to one of `tools`; None when it is no call.

    Accepts `{"name", "arguments"}` and its usual variants, bare, fenced or tagged.
    """
    body = _FENCE.sub("", text).strip()
    if not body.startswith("{"):
        return None
    found = _object(body)
    if found is None and repair:
        found = _object(_closed(body.removesuffix("```").rstrip()))
    return _call(found, tools) if found is not None else None


def _object(text: str) -> dict[str, Any] | None:
    try:
        found, _ = cast("tuple[object, int]", _strings.raw_decode(text))
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _call(found: dict[str, Any], tools: Set[str]) -> Call | None:
    name = next((found[key] for key in _NAMES if key in found), None)
    arguments: Any = next((found[key] for key in _ARGUMENTS if key in found), None)
    if isinstance(name, dict):  # OpenAI's own nesting
        inner = cast("dict[str, Any]", name)
        return _call(inner, tools)
    if not isinstance(name, str) or name not in tools:
        return None
    if isinstance(arguments, str):
        arguments = _object(arguments)
    if not isinstance(arguments, dict):
        # {"name": "terminal", "command": "ls"}
        arguments = {key: value for key, value in found.items() if key not in _NAMES}
        if not arguments:
            return None
    return Call(name, json.dumps(arguments, ensure_ascii=False))


def _stranger(text: str) -> Call | None:
    """A call to a tool that does not exist (`mkdir`, say), if that is the whole answer.

    The refusal that it earns tells the model better than showing the person its JSON would.
    """
    try:
        found = msgspec.json.decode(_FENCE.sub("", text).strip().removesuffix("```"), type=_Exact)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return Call(found.name, json.dumps(found.arguments, ensure_ascii=False))


class _Exact(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=r"^\w{1,40}$")]
    arguments: dict[str, Any]


def _closed(text: str) -> str:
    """`text` with the closing brackets that it lacks."""
    open_brackets: list[str] = []
    inside = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif inside:
            escaped = character == "\\"
            inside = character != '"'
        elif character == '"':
            inside = True
        elif character in "{[":
            open_brackets.append("}" if character == "{" else "]")
        elif character in "}]" and open_brackets:
            open_brackets.pop()
    if inside:
        return text  # which end the string had is anyone's guess
    return text + "".join(reversed(open_brackets))
