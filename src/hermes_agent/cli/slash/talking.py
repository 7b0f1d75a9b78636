"""Slash commands that move the conversation: new, resume, retry, undo, stop, title, quit, …"""

from typing import TYPE_CHECKING

from hermes_agent.cli.terminal.banner import history_lines
from hermes_agent.cli.terminal.safe import one_line
from hermes_agent.cli.terminal.width import fit
from hermes_agent.domain.errors import UsageError
from hermes_agent.sessions.slash import SlashCommand

if TYPE_CHECKING:
    from hermes_agent.cli.terminal.chat import Chat


def talking_commands(chat: "Chat") -> list[SlashCommand]:
    """Bound to one chat."""
    talking = Talking(chat)
    return [
        SlashCommand(name="new", aliases=("reset",), help="Begin a new session.", run=talking.new),
        SlashCommand(name="clear", help="Clear the screen.", run=talking.clear),
        SlashCommand(name="retry", help="Ask the last message again.", run=talking.retry),
        SlashCommand(
            name="undo", help="Take back the last message and its answer.", run=talking.undo
        ),
        SlashCommand(
            name="title", usage="[NAME]", help="Show or set the title.", run=talking.title
        ),
        SlashCommand(name="stop", help="Stop the agent.", run=talking.stop, busy=True),
        SlashCommand(
            name="queue",
            usage="MESSAGE",
            help="Send this when the agent is done.",
            run=talking.queue,
            busy=True,
        ),
        SlashCommand(
            name="compress",
            usage="[FOCUS]",
            help="Shorten the conversation; say what to keep above all.",
            run=talking.compress,
        ),
        SlashCommand(
            name="resume",
            usage="[SESSION]",
            help="Go on with another session.",
            run=talking.resume,
        ),
        SlashCommand(
            name="save",
            usage="[FILE]",
            help="Write the conversation to a file.",
            run=talking.save,
        ),
        SlashCommand(
            name="quit", aliases=("exit", "q"), help="Leave.", run=talking.quit, busy=True
        ),
    ]


class Talking:
    """The handlers."""

    def __init__(self, chat: "Chat") -> None:
        self._chat = chat

    async def new(self, argument: str) -> None:
        """End this session and begin another."""
        chat = self._chat
        opened = chat.agent.open_session()
        chat.session.end("session_reset")
        chat.change_session(opened)
        chat.say("A new session begins.", "dim")

    async def clear(self, argument: str) -> None:
        """Clear the screen and what has scrolled away; the session stays."""
        self._chat.terminal.clear()

    async def retry(self, argument: str) -> None:
        """Take the last message back and send it again."""
        said = self._chat.session.rewind()
        if said is None:
            raise UsageError("There is nothing to ask again.")
        self._chat.send(said.content, expanded=True)

    async def undo(self, argument: str) -> None:
        """Take the last message back."""
        said = self._chat.session.rewind()
        if said is None:
            raise UsageError("There is nothing to take back.")
        self._chat.say(f"Taken back: {fit(one_line(said.content), 80)}", "dim")
        self._chat.say("Files that were changed stay as they are.", "dim")

    async def title(self, argument: str) -> None:
        """Show or set."""
        session = self._chat.session
        if argument:
            self._chat.say(f"Title: {session.rename(argument)}")
        else:
            self._chat.say(session.row.title or "The session has no title yet.")

    async def stop(self, argument: str) -> None:
        """Like Ctrl-C, but never leaves."""
        if not self._chat.stop():
            self._chat.say("Nothing is running.", "dim")

    async def queue(self, argument: str) -> None:
        """Say it later."""
        if not argument:
            raise UsageError("What shall be queued?", hint="/queue MESSAGE")
        self._chat.queue(self._chat.pastes.expand(argument))

    async def compress(self, argument: str) -> None:
        """Summarise what is old, keep what is recent."""
        chat = self._chat
        fitted = await chat.session.compress(chat.view.show, argument)
        if fitted is None:
            chat.say("There is nothing worth shortening yet.", "dim")

    async def resume(self, argument: str) -> None:
        """Another session; without a name the list of the latest."""
        chat = self._chat
        if not argument:
            for line in chat.agent.recent_sessions():
                chat.say(line)
            chat.say("/resume ID or TITLE goes on with one.", "dim")
            return
        opened = chat.agent.open_session(resume=argument)
        if opened.id == chat.session.id:
            opened.close()
            chat.say("This is that session.", "dim")
            return
        chat.session.end("session_switch")
        for line in history_lines(opened, "full", colour=chat.colour):
            chat.terminal.print(line)
        chat.change_session(opened)

    async def save(self, argument: str) -> None:
        """As Markdown."""
        path = self._chat.agent.save(self._chat.session, argument)
        self._chat.say(f"Written to {path}")

    async def quit(self, argument: str) -> None:
        """Leave; `/q MESSAGE` queues, as the short name of /queue."""
        if argument:
            self._chat.queue(argument)
        else:
            self._chat.terminal.exit()
