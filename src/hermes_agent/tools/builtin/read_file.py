"""Read a text file, numbered and in pieces."""

from typing import NamedTuple, cast

import msgspec

from hermes_agent.domain.execution import FileInfo
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.files import existing
from hermes_agent.tools.images import image_kind
from hermes_agent.tools.text import decode, looks_binary

_LIMIT = 500
_LINE_CHARS = 2000
_WHOLE = 8_000_000
_PIECE = 44_000  # below what an environment keeps of a command's output
_SHARE = 0.85  # of the result's characters; the rest is for what stands beside the text
_TIMEOUT = 30.0
_WARN_AT, _BLOCK_AT = 3, 4
_LISTED = 100


class _Span(NamedTuple):
    offset: int
    limit: int


def summary(arguments: Arguments) -> str:
    """The path, and from which line."""
    offset = arguments.get("offset", 1)
    return f"read {arguments['path']}" + (f" from line {offset}" if offset != 1 else "")


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """The lines asked for, as `N|text`, with what there is beyond them."""
    path = str(arguments["path"])
    span = _Span(
        cast("int", arguments.get("offset", 1)), cast("int", arguments.get("limit", _LIMIT))
    )
    info = await existing(path, context)
    if info.kind == "directory":
        return await _directory(path, info, context)
    looks = context.session.looks.again(
        f"read_file {info.path} {span.offset} {span.limit} {info.size} {info.mtime}"
    )
    if looks >= _BLOCK_AT:
        return Outcome(
            {
                "error": f"Blocked: these lines of {path} were read {looks - 1} times in a row "
                "and have not changed. Use what you have, or do something else."
            },
            ok=False,
        )
    data = await context.environment.files.read(info.path, limit=_WHOLE)
    if refusal := _refused(path, info, data):
        return Outcome({"error": refusal}, ok=False)
    if len(data) < _WHOLE:
        result = _piece(decode(data).text, span, context, info)
    else:
        result = await _piece_of_giant(info, span, context)
    if looks >= _WARN_AT:
        result["warning"] = (
            f"You have read exactly this {looks} times in a row; the next time is blocked."
        )
    return Outcome(result)


async def _directory(path: str, info: FileInfo, context: ToolContext) -> Outcome:
    names = await context.environment.files.list(info.path)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return Outcome(
        {
            "error": f"{path} is a directory. Name a file in it, or use search_files.",
            "entries": ", ".join(names[:_LISTED]) + more,
        },
        ok=False,
    )


def _refused(path: str, info: FileInfo, data: bytes) -> str | None:
    if not looks_binary(data):
        return None
    if kind := image_kind(data):
        return f"{path} is a picture ({kind}, {info.size:,} bytes), not text."
    return (
        f"{path} is a binary file ({info.size:,} bytes), not text. "
        "Look into it with a program, in the terminal."
    )


def _piece(text: str, span: _Span, context: ToolContext, info: FileInfo) -> dict[str, object]:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    total = len(lines)
    if span.offset > max(total, 1):
        return {
            "content": "",
            "total_lines": total,
            "hint": f"The file ends at line {total}; offset {span.offset} is beyond it.",
        }
    wanted = lines[span.offset - 1 : span.offset - 1 + span.limit]
    shown, count = _numbered(wanted, span.offset, context)
    result: dict[str, object] = {
        "content": shown,
        "total_lines": total,
        "file_size": info.size,
    }
    if not total:
        result["hint"] = "The file is empty."
    if (after := span.offset + count) <= total:
        result["truncated"] = True
        result["hint"] = f"Lines {after} to {total} follow: offset={after}."
    return result


async def _piece_of_giant(info: FileInfo, span: _Span, context: ToolContext) -> dict[str, object]:
    """Without loading the file: standard programs skip to the place."""
    import shlex

    command = (
        f"export LC_ALL=C; tail -n +{span.offset} -- {shlex.quote(info.path)} 2>/dev/null"
        f" | head -n {span.limit} | cut -b 1-{_LINE_CHARS * 4} | head -c {_PIECE}"
    )
    environment = context.environment
    ended = await environment.run(command, workdir=environment.cwd, timeout=_TIMEOUT)
    lines = ended.output.removesuffix("\n").split("\n") if ended.output else []
    shown, count = _numbered(lines, span.offset, context)
    hint = f"A very large file; go on with offset={span.offset + count}, or use search_files."
    if ended.timed_out:
        hint = "Reading up to there took too long. Use search_files."
    elif not lines:
        hint = f"The file ends before line {span.offset}."
    return {"content": shown, "file_size": info.size, "truncated": True, "hint": hint}


def _numbered(lines: list[str], first: int, context: ToolContext) -> tuple[str, int]:
    """The lines with their numbers, as many as the result has room for, and how many."""
    room = int(context.limits.output_chars * _SHARE)
    shown: list[str] = []
    for number, line in enumerate(lines, first):
        whole = line.removesuffix("\r")
        if len(whole) > _LINE_CHARS:
            whole = f"{whole[:_LINE_CHARS]}… [{len(whole):,} characters]"
        numbered = f"{number}|{whole.encode('utf-8', 'replace').decode()}"
        room -= len(msgspec.json.encode(numbered).decode())
        if room < 0 and shown:
            break
        shown.append(numbered)
    return "\n".join(shown), len(shown)
