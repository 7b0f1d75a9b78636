"""The summary as a message: checked, put into its frame, read again."""

import re
from collections.abc import Sequence

from hermes_agent.context.accounting import CHARS_PER_TOKEN
from hermes_agent.context.compaction.facts import files_block, files_of, todos_block, todos_of
from hermes_agent.context.compaction.measure import weigh_text
from hermes_agent.context.compaction.plan import Plan
from hermes_agent.context.compaction.texts import text
from hermes_agent.context.compaction.transcript import framed
from hermes_agent.domain.messages import Message, Usage

_HEADINGS = tuple(
    line.removeprefix("## ").strip().lower()
    for line in (
        "## Goal",
        "## Constraints and preferences",
        "## Decisions",
        "## Facts",
        "## Files",
        "## Done",
        "## In progress",
        "## Open questions",
        "## Next steps",
    )
)
_LEAST_HEADINGS = 4
_LEAST_OF_EARLIER = 0.3
_SHORT = 300
_NOTES = re.compile(r"<notes>\n(.*?)\n</notes>", re.DOTALL)
_HEADING = re.compile(r"^\s{0,3}(?:#{1,6}\s*|\*\*)(.+?)[\s:*#]*$", re.MULTILINE)


class Unusable(Exception):
    """The model's summary cannot stand for what it should; the text says why."""


def instructions() -> str:
    """The system prompt of the model that summarises."""
    return text("summarise")


def checked(answer: Message, *, most: int, earlier: str) -> str:
    """The summary's text. Raises `Unusable`: for what was cut off, is empty, has not the asked
    form, is longer than `most` tokens, or lost most of what the `earlier` one said."""
    if answer.tool_calls:
        raise Unusable("it is a tool call")
    if answer.finish not in ("stop", None):
        raise Unusable(f"it was not finished ({answer.finish})")
    written = _unfenced(answer.content.strip())
    if not written:
        raise Unusable("it is empty")
    found = {match[1].strip().lower() for match in _HEADING.finditer(written)}
    if len(found.intersection(_HEADINGS)) < _LEAST_HEADINGS:
        raise Unusable("it has not the headings that were asked for")
    if weigh_text(written) > most:
        raise Unusable(f"it is too long ({weigh_text(written):,} tokens, {most:,} at most)")
    if len(earlier) > _SHORT and len(written) < len(earlier) * _LEAST_OF_EARLIER:
        raise Unusable("it lost most of the earlier notes")
    return written


def _unfenced(written: str) -> str:
    if written.startswith("```") and written.endswith("```"):
        written = written.partition("\n")[2].removesuffix("```").strip()
    found = _NOTES.fullmatch(written)
    return found[1].strip() if found else written


def notes_of(message: Message | None) -> str:
    """The text of an earlier summary, without its frame and its lists."""
    if message is None:
        return ""
    found = _NOTES.search(message.content)
    return found[1] if found else message.content


def summary_message(
    plan: Plan,
    written: str,
    *,
    session_id: str,
    searchable: bool,
    usage: Usage,
    model: str,
) -> Message:
    """What stands in the conversation for the middle of the plan."""
    room = plan.tokens * CHARS_PER_TOKEN
    preamble = text("preamble").format(
        count=len(plan.middle),
        session=session_id,
        search="; session_search finds them" if searchable else "",
    )
    parts = (
        preamble,
        f"<notes>\n{framed(written)}\n</notes>",
        files_block(files_of(plan.middle, plan.earlier), room * 4 // 100),
        todos_block(todos_of(plan.middle, plan.earlier), room * 5 // 100),
    )
    return Message(
        role="user",
        content="\n\n".join(part for part in parts if part),
        summary=True,
        usage=usage,
        model=model,
        timestamp=_moment(plan),
    )


def _moment(plan: Plan) -> float:
    """Between what it stands for and what follows, for readers that sort by time."""
    after = [message.timestamp for message in (*plan.pinned, *plan.tail) if message.timestamp]
    return min(after, default=0.0)


def assembled(plan: Plan, summary: Message | None) -> list[Message]:
    """The conversation as it goes on."""
    middle: Sequence[Message] = () if summary is None else (summary,)
    return [*plan.head, *middle, *plan.pinned, *plan.tail]
