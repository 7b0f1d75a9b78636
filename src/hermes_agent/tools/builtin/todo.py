"""The agent's own list of steps, kept in its session."""

import re
from collections.abc import Sequence
from typing import cast

import msgspec

from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.messages import Message
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.session import Todo, TodoStatus

_MOST = 100
_IN_SUMMARY = re.compile(r"<todos>\n(.*?)\n</todos>", re.DOTALL)
_STATUSES: tuple[TodoStatus, ...] = ("pending", "in_progress", "completed", "cancelled")


def summary(arguments: Arguments) -> str:
    """How many items are given."""
    given = arguments.get("todos")
    if not isinstance(given, list):
        return "look at the list of steps"
    count = len(cast("list[object]", given))
    return f"{'change' if arguments.get('merge') else 'write'} {count} steps"


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """Change the list if items are given; the whole list either way."""
    session = context.session
    given = cast("list[dict[str, str]] | None", arguments.get("todos"))
    if given is not None:
        merged = changed(session.todos if arguments.get("merge") else [], given)
        session.todos[:] = merged
    counts = {status: sum(t.status == status for t in session.todos) for status in _STATUSES}
    done = counts["completed"]
    return Outcome(
        {
            "todos": [msgspec.to_builtins(todo) for todo in session.todos],
            "summary": {"total": len(session.todos), **counts},
        },
        summary=f"{done} of {len(session.todos)} steps done",
    )


def restored(messages: Sequence[Message]) -> list[Todo]:
    """The list as the last `todo` result of a stored conversation shows it, or the summary that
    stands for it."""
    for message in reversed(messages):
        if message.summary:
            block = _IN_SUMMARY.search(message.content)
            try:
                return msgspec.json.decode(block[1], type=list[Todo]) if block else []
            except msgspec.DecodeError:
                return []
        if message.role == "tool" and message.tool_name == "todo":
            try:
                return msgspec.json.decode(message.content, type=_Shown).todos
            except msgspec.DecodeError:
                continue  # an error, or cut short
    return []


class _Shown(msgspec.Struct, frozen=True):
    todos: list[Todo]


def changed(todos: list[Todo], given: list[dict[str, str]]) -> list[Todo]:
    """The list with the given items changed or added. Raises `UsageError`."""
    found = {todo.id: todo for todo in todos}
    for item in given:
        old = found.get(item["id"])
        content = item.get("content", "").strip() or (old.content if old else "")
        if not content:
            raise UsageError(f"Item {item['id']!r} is new and has no content.")
        status = cast("TodoStatus", item.get("status") or (old.status if old else "pending"))
        found[item["id"]] = Todo(id=item["id"], content=content, status=status)
    if len(found) > _MOST:
        raise UsageError(f"The list would hold {len(found)} items; at most {_MOST}.")
    return list(found.values())
