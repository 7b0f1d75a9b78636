"""Create a file, or replace all of it."""

import asyncio

from hermes_agent.tools import syntax
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.files import editable
from hermes_agent.tools.patching.diff import unified
from hermes_agent.tools.place import shown
from hermes_agent.tools.text import Text, encode


def summary(arguments: Arguments) -> str:
    """The path, and how much."""
    lines = len(str(arguments["content"]).splitlines())
    return f"write {arguments['path']} ({lines} lines)"


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """Write it, the way the old file was written: its line ends, its byte order mark."""
    path, content = str(arguments["path"]), str(arguments["content"])
    resolved, before = await editable(path, context)
    like = before if before is not None else Text(text="")
    data = encode(content, like)
    await context.environment.files.write(resolved, data)
    result: dict[str, object] = {
        "path": resolved,
        "bytes_written": len(data),
        "created": before is None,
    }
    if before is not None and not before.sound:
        result["encoding"] = "The old file was not UTF-8; it is now."
    if problem := await asyncio.to_thread(syntax.fault, resolved, content):
        result["syntax_error"] = problem
    name = shown(resolved, context.environment)
    old = "" if before is None else before.text
    diff = await asyncio.to_thread(unified, old, content, name)
    return Outcome(result, diff=diff or None)
