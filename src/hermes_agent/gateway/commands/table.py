"""The slash commands of chats, and which of them do not wait for the turn."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from hermes_agent.domain.errors import UsageError
from hermes_agent.gateway.commands import choosing, kept, looking, talking
from hermes_agent.gateway.commands.desk import Call
from hermes_agent.sessions.slash import SlashCommand, SlashTable


class Entry(NamedTuple):
    """`busy`: also while the agent works."""

    help: str
    run: Callable[[Call], Awaitable[None]]
    usage: str = ""
    aliases: tuple[str, ...] = ()
    busy: bool = False


async def help_(call: Call) -> None:
    """All commands."""
    lines = [
        f"- `/{name}{f' {entry.usage}' if entry.usage else ''}` {entry.help}"
        for name, entry in sorted(COMMANDS.items())
    ]
    call.say("\n".join(lines))


async def _over(_: Call) -> None:
    """An answer to a question that nobody asks any more."""
    raise UsageError("Nothing is being asked in this chat just now.")


async def _queue(_: Call) -> None:
    """Reached only without a prompt: with one it is that prompt."""
    raise UsageError("What should come next?", hint="/queue PROMPT")


COMMANDS: dict[str, Entry] = {
    "approve": Entry("Allow what I asked about", _over, "[session|always]", busy=True),
    "background": Entry(
        "Work on it in a session of its own", talking.background, "PROMPT", ("bg",), busy=True
    ),
    "busy": Entry(
        "What a message does while I work", choosing.busy, "interrupt|queue|steer", busy=True
    ),
    "compress": Entry("Shorten the conversation", talking.compress, "[FOCUS]"),
    "context": Entry("How full the model's window is", talking.context),
    "deny": Entry("Forbid what I asked about", _over, busy=True),
    "help": Entry("This list", help_, aliases=("commands", "start"), busy=True),
    "insights": Entry("The last days in figures", looking.insights, "[DAYS]", busy=True),
    "memory": Entry("What I noted down for good", kept.memory, busy=True),
    "model": Entry("Show or choose the model", choosing.model, "[NAME|default]", busy=True),
    "new": Entry("Begin a new session", talking.new, "[PROMPT]", ("reset",), busy=True),
    "personality": Entry(
        "Show or choose the manner", choosing.personality, "[NAME|none]", ("manner",)
    ),
    "provider": Entry("Show who serves the model", looking.provider, busy=True),
    "queue": Entry("Say it when this turn is over", _queue, "PROMPT", ("q",)),
    "reasoning": Entry(
        "Show or choose how hard to think", choosing.reasoning, "[EFFORT|default]", busy=True
    ),
    # No platform's menu takes a hyphen.
    "reload_mcp": Entry("Read the MCP servers anew", choosing.reload_mcp, aliases=("reload-mcp",)),
    "resume": Entry("Go on with another session", talking.resume, "[NAME]", busy=True),
    "retry": Entry("Answer the last message again", talking.retry),
    "sethome": Entry("Send notices and jobs here", choosing.sethome, busy=True),
    "skills": Entry("The skills, and what each is for", kept.skills, busy=True),
    "status": Entry("What is going on", looking.status, busy=True),
    "steer": Entry("Say something to the running turn", talking.steer, "TEXT", busy=True),
    "stop": Entry("Stop what is running", talking.stop, busy=True),
    "title": Entry("Show or change the title", talking.title, "[TITLE]", busy=True),
    "undo": Entry("Forget the last message and its answer", talking.undo),
    "update": Entry("Show the version and how to update", looking.update, busy=True),
    "usage": Entry("What this session used", looking.usage, busy=True),
    "voice": Entry("Speak answers too", choosing.voice, "on|all|off|status", busy=True),
    "whoami": Entry("Who I take you for", looking.whoami, busy=True),
}

NAMES = frozenset(name for name, entry in COMMANDS.items() for name in (name, *entry.aliases))


def table(call: Call) -> SlashTable:
    """The commands, bound to one call."""

    def bound(entry: Entry) -> Callable[[str], Awaitable[None]]:
        return lambda argument: entry.run(msgspec.structs.replace(call, argument=argument))

    return SlashTable(
        SlashCommand(
            name=name,
            help=entry.help,
            run=bound(entry),
            usage=entry.usage,
            aliases=entry.aliases,
            busy=entry.busy,
        )
        for name, entry in COMMANDS.items()
    )


_BY_NAME = {name: entry for first, entry in COMMANDS.items() for name in (first, *entry.aliases)}
_QUEUE = ("/queue", "/q")


def does_not_wait(text: str) -> bool:
    """Whether the text is a command that is obeyed while a turn runs. Only whole names count:
    a short form waits, which is safe."""
    if not text.startswith("/"):
        return False
    words = text[1:].split(maxsplit=1)
    entry = _BY_NAME.get(words[0].lower()) if words else None
    return entry is not None and entry.busy


def queued(text: str) -> str | None:
    """The prompt of `/queue PROMPT`; None for any other text."""
    word, _, rest = text.strip().partition(" ")
    return rest.strip() or None if word.lower() in _QUEUE else None


def menu() -> list[str]:
    """Lines "name - help" for platforms that show a menu of commands."""
    return [f"{name} - {entry.help}" for name, entry in COMMANDS.items()]
