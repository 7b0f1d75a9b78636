"""What the chat shows before the first line is typed."""

from typing import Literal

from hermes_agent.cli.app import Agent
from hermes_agent.cli.terminal.style import paint
from hermes_agent.domain.messages import Message
from hermes_agent.sessions.live import LiveSession
from hermes_agent.version import VERSION

MINIMAL = 2
FULL = 20
MAX_CHARS = 400


def banner(agent: Agent, session: LiveSession, *, colour: bool) -> str:
    """Model, folder, tools, session; one line when `display.compact`."""
    name = paint("Hermes Agent", "bold", on=colour) + paint(f" {VERSION}", "dim", on=colour)
    model = session.model.name
    if agent.label:
        model = f"{model} ({paint(agent.label, 'yellow', on=colour)})"
    if agent.config.display.compact:
        return f"{name} · {model} · /help"
    tools = ", ".join(spec.name for spec in session.toolbox.specs())
    rows = [
        ("model", model),
        ("folder", agent.cwd),
        ("tools", tools or "none"),
        ("session", session.row.title or session.id),
    ]
    lines = [f"  {paint(f'{label:<8}', 'dim', on=colour)} {value}" for label, value in rows]
    hint = paint("/help for commands, Alt-Enter for a new line, Ctrl-D leaves", "dim", on=colour)
    return "\n".join([name, *lines, f"  {hint}", ""])


def history_lines(
    session: LiveSession, amount: Literal["full", "minimal"], *, colour: bool
) -> list[str]:
    """The end of a resumed conversation."""
    said = [m for m in session.history if m.role in ("user", "assistant") and m.content.strip()]
    if not said:
        return []
    shown = said[-(FULL if amount == "full" else MINIMAL) :]
    lines = [_line(message, colour=colour) for message in shown]
    if len(said) > len(shown):
        earlier = f"… {len(said) - len(shown)} earlier messages"
        lines.insert(0, paint(earlier, "dim", on=colour))
    return [*lines, ""]


def _line(message: Message, *, colour: bool) -> str:
    text = message.content.strip()
    if len(text) > MAX_CHARS:
        text = text[:MAX_CHARS] + " …"
    if message.role == "user":
        return f"{paint('❯', 'cyan', on=colour)} {text}"
    return paint(text, "dim", on=colour)
