"""All slash commands of the terminal chat, put together."""

from typing import TYPE_CHECKING

from hermes_agent.cli.slash.choosing import choosing_commands
from hermes_agent.cli.slash.looking import looking_commands
from hermes_agent.cli.slash.own import own_commands
from hermes_agent.cli.slash.talking import talking_commands
from hermes_agent.sessions.slash import SlashTable

if TYPE_CHECKING:
    from hermes_agent.cli.terminal.chat import Chat


def slash_table(chat: "Chat") -> SlashTable:
    """The commands, bound to one chat."""
    ours = [*talking_commands(chat), *choosing_commands(chat), *looking_commands(chat)]
    taken = {name for command in ours for name in (command.name, *command.aliases)}
    return SlashTable([*ours, *(own for own in own_commands(chat) if own.name not in taken)])
