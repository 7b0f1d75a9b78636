"""Ask the person."""

import asyncio
from typing import cast

from hermes_agent.tools.contract import Arguments, Outcome, ToolContext


def summary(arguments: Arguments) -> str:
    """The question."""
    return f"ask: {arguments['question']}"


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """The person's words; when nobody answers, the model is told to decide."""
    question = str(arguments["question"])
    given = cast("list[str]", arguments.get("choices", []))
    choices = tuple(dict.fromkeys(choice.strip() for choice in given if choice.strip()))
    answer = None
    try:
        async with asyncio.timeout(context.limits.clarify_timeout):
            answer = await context.asker.clarify(question, choices)
    except TimeoutError:
        pass
    result: dict[str, object] = {"question": question}
    if choices:
        result["choices_offered"] = list(choices)
    if answer is None:
        result["user_response"] = None
        result["hint"] = "Nobody answered. Decide by your best judgement and say what you assumed."
    else:
        result["user_response"] = answer
    return Outcome(result)
