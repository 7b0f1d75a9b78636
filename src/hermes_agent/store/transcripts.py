"""The files in which older installations kept conversations.

`sessions/<id>.jsonl` has a message a line, `sessions/session_<id>.json` one object with
`messages`, both in the shape of the chat-completions API; `sessions/sessions.json` says which chat
is in which session. Nothing here believes a file: links, pipes and giants are refused, what makes
no sense is left out.
"""

import os
import re
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.messages import Message, Reasoning, Role, ToolCall

CHATS = "sessions.json"

_LATEST = 32503680000.0  # the year 3000
_LARGEST = 64 * 1024 * 1024
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_LOG = "session_"
_TYPES = {"private": "dm", "thread": "group", "supergroup": "group"}
_ROLES: tuple[Role, ...] = ("user", "assistant", "tool")


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation. `began` is Unix time or 0, `problem` says what could not be read."""

    session_id: str
    spoken: tuple[Message, ...]
    model: str | None = None
    system: str | None = None
    platform: str | None = None
    began: float = 0.0
    problem: str = ""


class ChatEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Where a chat is. Moments are Unix time, 0 where they are not known."""

    session_id: str
    origin: Origin
    created_at: float
    updated_at: float


class OldFile(msgspec.Struct, frozen=True):
    """What became of a transcript (by file name) or of a chat's entry (by key): taken over whole
    where `problem` is empty."""

    what: Literal["transcript", "chat"]
    name: str
    problem: str


def transcripts(folder: Path) -> Iterator[Path]:
    """The files of conversations: transcripts first, they have what a log of one run may lack."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return
    yield from (folder / name for name in names if name.endswith(".jsonl"))
    yield from (folder / name for name in names if name[:8] == _LOG and name.endswith(".json"))


def read_transcript(path: Path) -> Transcript:
    """Raises `OSError`, `ValueError`, `RecursionError`."""
    data = _content(path)
    read = _log(path, data) if path.suffix == ".json" else _lines(path, data)
    if not _ID.fullmatch(read.session_id):
        raise ValueError(f"{read.session_id[:80]!r} is no id of a session")
    return read


def read_chats(folder: Path) -> dict[str, dict[str, Any]]:
    """The entries by session key. Raises as `read_transcript` does, and `FileNotFoundError`."""
    read = msgspec.json.decode(_content(folder / CHATS), type=dict[str, Any])
    return {key: fields_of(entry) for key, entry in read.items()}


def chat_entry(key: str, entry: dict[str, Any]) -> ChatEntry:
    """Raises `ValueError` with what is wrong."""
    if not key.startswith("agent:main:"):
        raise ValueError("this is no key of a chat")
    told = fields_of(entry.get("origin"))
    kind = told.get("chat_type") or entry.get("chat_type") or "dm"
    fields = {
        "platform": told.get("platform") or entry.get("platform"),
        "chat_type": _TYPES.get(str(kind), kind),
        "thread_id": _plain(told.get("thread_id")) or None,
        **{name: _plain(told.get(name)) for name in ("chat_id", "user_id", "user_name")},
        "chat_name": _plain(told.get("chat_name")),
    }
    if not fields["chat_id"]:
        raise ValueError("it does not say which chat it is")
    updated = moment(entry.get("updated_at")) or moment(entry.get("created_at"))
    return ChatEntry(
        session_id=text(entry.get("session_id")) or "",
        origin=msgspec.convert(fields, Origin),
        created_at=moment(entry.get("created_at")) or updated,
        updated_at=updated,
    )


def moment(value: Any) -> float:
    """Unix time of a number or of an ISO 8601 text; 0 where it is neither."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError, OSError):
            return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 < value < _LATEST else 0.0


def text(value: Any) -> str | None:
    """A text with something in it."""
    return value if isinstance(value, str) and value else None


def fields_of(value: Any) -> dict[str, Any]:
    """The object that it is, or an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _content(path: Path) -> bytes:
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as file:
        about = os.fstat(opened)
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("it is no file")
        if about.st_size > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST} bytes")
        return file.read(_LARGEST)


def _lines(path: Path, data: bytes) -> Transcript:
    said: list[Message] = []
    unread = 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        try:
            said += _messages([msgspec.json.decode(line)])
        except (ValueError, RecursionError):
            unread += 1
    return Transcript(
        session_id=path.name.removesuffix(".jsonl"),
        spoken=tuple(said),
        problem=f"{unread} line(s) could not be read" if unread else "",
    )


def _log(path: Path, data: bytes) -> Transcript:
    log = msgspec.json.decode(data, type=dict[str, Any])
    named = path.name.removeprefix(_LOG).removesuffix(".json")
    return Transcript(
        session_id=text(log.get("session_id")) or named,
        spoken=tuple(_messages(log.get("messages"))),
        model=text(log.get("model")),
        system=text(log.get("system_prompt")),
        platform=text(log.get("platform")),
        began=moment(log.get("session_start")),
    )


def _messages(said: Any) -> Iterator[Message]:
    for each in map(fields_of, _list(said)):
        role = each.get("role")
        if role not in _ROLES:
            continue
        thought = text(each.get("reasoning")) or text(each.get("reasoning_content"))
        yield Message(
            role=role,
            content=_spoken(each.get("content")),
            tool_calls=tuple(_calls(each.get("tool_calls"))),
            tool_call_id=text(each.get("tool_call_id")),
            tool_name=text(each.get("tool_name") or each.get("name")),
            timestamp=moment(each.get("timestamp")),
            reasoning=(Reasoning(thought, None, ""),) if thought else (),
        )


def _spoken(content: Any) -> str:
    """The text of a message, of whose parts only text can be kept."""
    parts = [
        text(part.get("text")) or f"[{text(part.get('type')) or 'part'}]"
        for part in map(fields_of, _list(content))
    ]
    return "\n".join(parts) if parts else text(content) or ""


def _calls(calls: Any) -> Iterator[ToolCall]:
    for each in map(fields_of, _list(calls)):
        wanted = fields_of(each.get("function"))
        named, given = text(wanted.get("name")), wanted.get("arguments")
        if named:
            arguments = text(given) or msgspec.json.encode(fields_of(given)).decode()
            yield ToolCall(text(each.get("id")) or "", named, arguments)


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _plain(value: Any) -> str:
    """Ids are numbers in some files and texts in others."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
