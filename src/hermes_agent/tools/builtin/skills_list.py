"""Which skills there are."""

from hermes_agent.domain.errors import UsageError
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext


def summary(arguments: Arguments) -> str:
    """The category, if one is asked for."""
    category = arguments.get("category")
    return f"skills of {category}" if category else "all skills"


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """Names and descriptions."""
    if context.skills is None:
        raise UsageError("There are no skills here.")
    category = str(arguments.get("category") or "")
    found = [
        {"name": skill.name, "category": skill.category, "description": skill.description}
        for skill in context.skills.offered(context.offered)
        if not category or skill.category == category
    ]
    return Outcome({"skills": found}, summary=f"{len(found)} skills")
