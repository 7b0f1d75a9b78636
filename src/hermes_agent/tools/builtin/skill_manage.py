"""Write, change and delete skills."""

from hermes_agent.domain.errors import UsageError
from hermes_agent.knowledge.skills.editing import Workshop
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext


def summary(arguments: Arguments) -> str:
    """What is done to which skill."""
    return f"{arguments.get('action', '')} skill {arguments.get('name', '')}"


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """One change."""
    if context.skills is None:
        raise UsageError("There are no skills here.")
    workshop = Workshop(context.skills, context.skills.folders[0])
    name = str(arguments["name"])
    _act(workshop, name, arguments)
    return Outcome({"success": True, "name": name})


def _act(workshop: Workshop, name: str, arguments: Arguments) -> None:
    def text(key: str) -> str:
        return str(arguments.get(key) or "")

    match arguments["action"]:
        case "create":
            workshop.create(name, text("content"), text("category"))
        case "edit":
            workshop.edit(name, text("content"))
        case "patch":
            workshop.patch(
                name,
                text("old_string"),
                text("new_string"),
                file_path=text("file_path"),
                replace_all=bool(arguments.get("replace_all")),
            )
        case "delete":
            workshop.delete(name)
        case "write_file":
            workshop.write_file(name, text("file_path"), text("file_content"))
        case _:
            workshop.remove_file(name, text("file_path"))
