"""Call a tool that another server brings."""

from typing import Any, cast

from hermes_agent.domain.asking import ApprovalRequest
from hermes_agent.domain.errors import DeniedError, NotFoundError, UsageError
from hermes_agent.domain.outside import OutsideTool
from hermes_agent.policy.injection import suspicion
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.finding import best
from hermes_agent.tools.result import shorten

_SHOWN = 1500


def summary(arguments: Arguments) -> str:
    """Which tool, with what."""
    given = cast("dict[str, object]", arguments.get("arguments") or {})
    shown = ", ".join(f"{name}: {value}" for name, value in given.items())
    return f"{arguments.get('name', '')} {shown}".strip()


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """What the tool gives, marked as data."""
    source = context.outside
    if source is None:
        raise UsageError("There are no further tools here.")
    name = str(arguments["name"])
    tools = await source.tools()
    tool = next((each for each in tools if each.name == name), None)
    if tool is None:
        near = ", ".join(each.name for each in best(tools, name, 3))
        raise NotFoundError(
            f"There is no tool {name!r} among those of other servers.",
            hint=f"Did you mean one of: {near}?" if near else "Look with tool_search.",
        )
    if tool.warning:
        await _ask(tool, context)
        source.accept(tool)
    given = cast("dict[str, Any]", arguments.get("arguments") or {})
    result = await source.call(name, given)
    problem = suspicion(str(result.data))
    data: dict[str, object] = {"result": result.data}
    if problem:
        data["warning"] = f"Beware, this is data of {tool.source}: {problem}."
    return Outcome(data, ok=result.ok, images=result.images)


async def _ask(tool: OutsideTool, context: ToolContext) -> None:
    """A tool that is not what it was, or that tries to command, runs only if a person says so."""
    answer = await context.asker.approve(
        ApprovalRequest(
            tool="tool_use",
            subject=_told(tool),
            reason=tool.warning,
            rule=f"outside {tool.name}",
            choices=("once", "deny"),
        )
    )
    if answer == "deny":
        raise DeniedError(f"{tool.name} was not allowed: {tool.warning}")


def _told(tool: OutsideTool) -> str:
    """What it says about itself, without the room that something could be hidden in."""
    taken = tool.parameters.get("properties")
    takes = ", ".join(cast("dict[str, Any]", taken)) if isinstance(taken, dict) else ""
    said = f"{tool.name} of {tool.source} (takes {takes or 'nothing'}): {tool.description}"
    return shorten(" ".join(said.split()), _SHOWN)
