"""What is carried over a summary without asking a model: files that were touched, the list of
work."""

import re
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from hermes_agent.domain.messages import Message, ToolCall

MOST_FILES = 60
_CHANGING = ("write_file", "patch")
_READING = ("read_file",)
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)
_OPEN = ("pending", "in_progress")
_FILES = re.compile(r"<files>\n(.*?)\n</files>", re.DOTALL)
_TODOS = re.compile(r"<todos>\n(.*?)\n</todos>", re.DOTALL)


def files_of(messages: Sequence[Message], earlier: Message | None) -> dict[str, str]:
    """Paths and what was done there (`changed` or `read`), the latest last."""
    found: dict[str, str] = {}
    block = _FILES.search(earlier.content) if earlier else None
    for line in block[1].splitlines() if block else ():
        kind, _, path = line.partition(": ")
        if path:
            found[path] = kind
    for message in messages:
        for call in message.tool_calls:
            kind = "changed" if call.name in _CHANGING else "read"
            for path in _paths(call):
                before = found.pop(path, kind)
                found[path] = "changed" if before == "changed" else kind
    return found


def _paths(call: ToolCall) -> list[str]:
    if call.name not in (*_CHANGING, *_READING):
        return []
    try:
        given = cast("object", msgspec.json.decode(call.arguments))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return []
    if not isinstance(given, dict):
        return []
    arguments = cast("dict[str, object]", given)
    path, patch = arguments.get("path"), arguments.get("patch")
    paths = [path] if isinstance(path, str) and path else []
    if isinstance(patch, str):
        paths += _PATCHED.findall(patch)
    return [each for each in paths if "\n" not in each and len(each) < 500]


def todos_of(messages: Sequence[Message], earlier: Message | None) -> list[dict[str, Any]]:
    """The list of work as the last result of the `todo` tool, or the earlier summary, has it."""
    for message in reversed(messages):
        if message.role == "tool" and message.tool_name == "todo":
            found = _read(message.content)
            if found is not None:
                return found
    block = _TODOS.search(earlier.content) if earlier else None
    return (_read(f'{{"todos": {block[1]}}}') or []) if block else []


def _read(content: str) -> list[dict[str, Any]] | None:
    try:
        return msgspec.json.decode(content, type=_Shown).todos
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


class _Shown(msgspec.Struct, frozen=True):
    todos: list[dict[str, Any]]


def files_block(files: dict[str, str], size: int) -> str:
    """As it stands in a summary, the latest files as far as `size` characters go."""
    kept: list[str] = []
    for path, kind in list(reversed(files.items()))[:MOST_FILES]:
        line = f"{kind}: {path}"
        size -= len(line) + 1
        if size < 0:
            break
        kept.insert(0, line)
    lines = "\n".join(kept).replace("</", "< /")
    return f"<files>\n{lines}\n</files>" if kept else ""


def todos_block(todos: Sequence[dict[str, Any]], size: int) -> str:
    """As it stands in a summary: all if there is room, else what is open, as far as it goes."""
    kept = list(todos)
    if len(_json(kept)) > size:
        kept = [each for each in kept if each.get("status", "pending") in _OPEN]
        kept = [{**each, "content": str(each.get("content", ""))[:200]} for each in kept]
    while kept and len(_json(kept)) > size:
        kept.pop()
    return f"<todos>\n{_json(kept)}\n</todos>" if kept else ""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode().replace("</", "<\\/")
