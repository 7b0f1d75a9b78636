"""Load a skill."""

from hermes_agent.domain.errors import UsageError
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext


def summary(arguments: Arguments) -> str:
    """Which one."""
    file = arguments.get("file_path")
    return f"{arguments.get('name', '')}/{file}" if file else str(arguments.get("name", ""))


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """Its text, where it lies, and what else belongs to it."""
    if context.skills is None:
        raise UsageError("There are no skills here.")
    found = context.skills.view(str(arguments["name"]), str(arguments.get("file_path") or ""))
    return Outcome(
        {"content": found.text, "folder": str(found.skill.folder), "files": list(found.files)},
        summary=f"{found.skill.name}: {found.skill.description[:80]}",
    )
