"""All slash commands of the terminal chat, put together."""

from typing import TYPE_CHECKING

from hermes_agent.cli.slash.choosing import choosing_commands
from hermes_agent.cli.slash.kept import kept_commands
from hermes_agent.cli.slash.looking import looking_commands
from hermes_agent.cli.slash.own import own_commands, skill_commands
from hermes_agent.cli.slash.talking import talking_commands
from hermes_agent.sessions.slash import SlashTable

if TYPE_CHECKING:
    from hermes_agent.cli.terminal.chat import Chat


def slash_table(chat: "Chat") -> SlashTable:
    """The commands, bound to one chat: ours, the person's own, the skills."""
    commands = list(our_commands(chat))
    for more in (own_commands(chat), skill_commands(chat)):
        taken = {name for command in commands for name in (command.name, *command.aliases)}
        commands += [each for each in more if each.name not in taken]
    return SlashTable(commands)


def our_commands(chat: "Chat") -> SlashTable:
    """Those that come with the program."""
    return SlashTable(
        [
            *talking_commands(chat),
            *choosing_commands(chat),
            *looking_commands(chat),
            *kept_commands(chat),
        ]
    )
