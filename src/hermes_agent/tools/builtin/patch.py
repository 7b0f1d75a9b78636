"""Edit files in place: one replacement, or a patch over several files."""

import asyncio

from hermes_agent.tools import syntax
from hermes_agent.tools.arguments import ArgumentFault
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.patching import find, v4a
from hermes_agent.tools.patching.batch import Batch, Edit
from hermes_agent.tools.patching.diff import unified
from hermes_agent.tools.place import shown
from hermes_agent.tools.result import shorten

_DIFF_CHARS = 4000


def summary(arguments: Arguments) -> str:
    """The file or files."""
    if arguments["mode"] == "replace":
        return f"edit {arguments.get('path', '')}"
    return f"edit {', '.join(v4a.paths_in(str(arguments.get('patch', ''))))}"


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """Work everything out, then write all of it or nothing."""
    batch = Batch(context)
    matched = ""
    if arguments["mode"] == "replace":
        matched = await _replace(batch, arguments)
    else:
        for change in v4a.parse(_text(arguments, "patch")):
            await batch.add(change)
    await batch.write()
    edits = batch.edits
    diff = await asyncio.to_thread(_diff, edits, context)
    result: dict[str, object] = {
        "success": True,
        "files": [edit.path for edit in edits],
        "diff": shorten(diff, _DIFF_CHARS),
    }
    if matched:
        result["matched"] = matched
    if problems := await asyncio.to_thread(_new_faults, edits):
        result["syntax_error"] = "; ".join(problems)
    if not edits:
        result["hint"] = "The files already read like this; nothing was changed."
    return Outcome(result, diff=diff or None)


async def _replace(batch: Batch, arguments: Arguments) -> str:
    """Make the replacement; says how it was found, if not exactly."""
    path = _text(arguments, "path")
    old = _text(arguments, "old_string", maybe_empty=True).replace("\r\n", "\n")
    new = _text(arguments, "new_string", maybe_empty=True).replace("\r\n", "\n")
    every = bool(arguments.get("replace_all", False))
    text = await batch.text(path)
    replaced = await asyncio.to_thread(find.replace, text, old, new, every=every)
    await batch.replace(path, replaced.text)
    if replaced.matcher == "exact":
        return f"{replaced.count} places" if every else ""
    return f"not exactly, but leaving aside: {replaced.matcher}"


def _text(arguments: Arguments, name: str, *, maybe_empty: bool = False) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not (value or maybe_empty):
        mode = arguments["mode"]
        needs = "path, old_string and new_string" if mode == "replace" else "patch"
        raise ArgumentFault(f"`{name}` is missing.", hint=f"mode={mode} needs {needs}.")
    return value


def _diff(edits: list[Edit], context: ToolContext) -> str:
    return "".join(
        unified(
            "" if edit.before is None else edit.before.text,
            "" if edit.after is None else edit.after.text,
            shown(edit.path, context.environment),
        )
        for edit in edits
    )


def _new_faults(edits: list[Edit]) -> list[str]:
    """Syntax errors that were not there before."""
    problems: list[str] = []
    for edit in edits:
        if edit.after is None:
            continue
        problem = syntax.fault(edit.path, edit.after.text)
        was = None if edit.before is None else syntax.fault(edit.path, edit.before.text)
        if problem and problem != was:
            problems.append(f"{edit.path}: {problem}")
    return problems
