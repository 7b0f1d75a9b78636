"""What the chat shows before the first line is typed."""

import textwrap
from typing import Literal

from hermes_agent.cli.app import Agent
from hermes_agent.cli.terminal.safe import clean, one_line
from hermes_agent.cli.terminal.style import paint
from hermes_agent.domain.messages import Message
from hermes_agent.sessions.live import LiveSession
from hermes_agent.version import VERSION

MINIMAL = 2
FULL = 20
MAX_CHARS = 400
INDENT = 11

TOOLS_CHARS = 40


def banner(agent: Agent, session: LiveSession, *, colour: bool, columns: int) -> str:
    """Model, folder, tools, session; one line when `display.compact`."""
    name = paint("Hermes Agent", "bold", on=colour) + paint(f" {VERSION}", "dim", on=colour)
    model = one_line(session.model.name)
    if agent.label and agent.label not in model:
        model = f"{model} ({agent.label})"
    if agent.config.display.compact:
        return f"{name} · {model} · /help"
    tools = _few([spec.name for spec in session.toolbox.specs()])
    rows = [
        ("model", model),
        ("folder", one_line(agent.cwd)),
        ("tools", tools or "none"),
        ("session", one_line(session.row.title or session.id)),
    ]
    lines = [name]
    for label, value in rows:
        first, *others = _wrapped(value, columns - INDENT) or [""]
        lines.append(f"  {paint(f'{label:<8}', 'dim', on=colour)} {first}")
        lines += [" " * INDENT + other for other in others]
    hint = "/help for commands, Alt-Enter for a new line, Ctrl-D leaves"
    lines += ["  " + paint(line, "dim", on=colour) for line in _wrapped(hint, columns - 2)]
    return "\n".join([*lines, "", ""])


def _few(names: list[str]) -> str:
    """As many as fit into half a line; /tools shows them all."""
    shown = list(names)
    while len(shown) > 1 and len(", ".join(shown)) > TOOLS_CHARS:
        shown.pop()
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _wrapped(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, max(columns, 16), break_long_words=False, break_on_hyphens=False)


def history_lines(
    session: LiveSession, amount: Literal["full", "minimal"], *, colour: bool
) -> list[str]:
    """The end of a resumed conversation."""
    spoken = [m for m in session.history if m.role in ("user", "assistant") and not m.summary]
    said = [m for m in spoken if m.content.strip()]
    if not said:
        return []
    shown = said[-(FULL if amount == "full" else MINIMAL) :]
    lines = [_line(message, colour=colour) for message in shown]
    if len(said) > len(shown):
        earlier = f"… {len(said) - len(shown)} earlier messages"
        lines.insert(0, paint(earlier, "dim", on=colour))
    return [*lines, ""]


def _line(message: Message, *, colour: bool) -> str:
    text = clean(message.content.strip())
    if len(text) > MAX_CHARS:
        text = text[:MAX_CHARS] + " …"
    if message.role == "user":
        return f"{paint('❯', 'cyan', on=colour)} {text}"
    return paint(text, "dim", on=colour)
