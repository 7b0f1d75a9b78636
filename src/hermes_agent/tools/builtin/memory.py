"""Notes for all later conversations."""

from typing import cast

from hermes_agent.domain.errors import UsageError
from hermes_agent.knowledge.memory import Note, Target
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext


def summary(arguments: Arguments) -> str:
    """What is noted or forgotten."""
    text = arguments.get("content") or arguments.get("old_text") or ""
    return f"{arguments.get('action', '')} {arguments.get('target', '')} note: {text}"


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """One change; the entries as they stand then."""
    notes = context.notes
    if notes is None:
        raise UsageError("There are no notes here.")
    target = cast("Target", arguments["target"])
    content = str(arguments.get("content") or "")
    old_text = str(arguments.get("old_text") or "")
    if arguments["action"] == "add":
        note = notes.add(target, content)
    elif arguments["action"] == "replace":
        note = notes.replace(target, old_text, content)
    else:
        note = notes.remove(target, old_text)
    return Outcome(_shown(note), summary=f"{target} notes: {note.usage}")


def _shown(note: Note) -> dict[str, object]:
    return {"success": True, "entries": list(note.entries), "usage": note.usage}
