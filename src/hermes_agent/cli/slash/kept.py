"""Slash commands that show what the agent keeps: its skills, its notes."""

from typing import TYPE_CHECKING

from hermes_agent.runtime.keeping import noted, offered, skill_shelf
from hermes_agent.sessions.slash import SlashCommand

if TYPE_CHECKING:
    from hermes_agent.cli.terminal.chat import Chat


def kept_commands(chat: "Chat") -> list[SlashCommand]:
    """Bound to one chat."""
    kept = Kept(chat)
    return [
        SlashCommand(
            name="skills", help="The skills, and what each is for.", run=kept.skills, busy=True
        ),
        SlashCommand(
            name="memory", help="What was noted down for good.", run=kept.memory, busy=True
        ),
    ]


class Kept:
    """The handlers."""

    def __init__(self, chat: "Chat") -> None:
        self._chat = chat

    async def skills(self, argument: str) -> None:
        """Those of this session; each is a command of its name."""
        shelf = skill_shelf(self._chat.agent.loaded, "cli")
        tools = offered([spec.name for spec in self._chat.session.toolbox.specs()])
        skills = sorted(shelf.offered(tools), key=lambda skill: skill.name)
        for skill in skills:
            self._chat.say(f"  /{skill.name:<24} {skill.description.partition('. ')[0]}")
        if not skills:
            self._chat.say("There are no skills here.")
        self._chat.say("  hermes skills --help: install, write, turn on and off.", "dim")

    async def memory(self, argument: str) -> None:
        """Both files as they are now; this conversation keeps what it began with."""
        for entry in noted(self._chat.agent.loaded):
            self._chat.say("  - " + entry.replace("\n", "\n    "))
        self._chat.say("  hermes memory --help: show, add, remove.", "dim")
