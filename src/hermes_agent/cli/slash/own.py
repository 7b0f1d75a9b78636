"""Slash commands of the person's own: `quick_commands` in config.yaml, and one for each skill."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hermes_agent.cli.terminal.safe import Cleaner
from hermes_agent.config.schema.display import QuickCommand
from hermes_agent.domain.errors import UsageError
from hermes_agent.knowledge.skills.asking import request
from hermes_agent.runtime.keeping import offered, skill_shelf
from hermes_agent.sessions.slash import SlashCommand

if TYPE_CHECKING:
    from hermes_agent.cli.terminal.chat import Chat


def own_commands(chat: "Chat") -> list[SlashCommand]:
    """Bound to one chat."""
    return [
        Own(chat, name.lower(), quick).command()
        for name, quick in chat.agent.config.quick_commands.items()
    ]


def skill_commands(chat: "Chat") -> list[SlashCommand]:
    """`/<skill> [wish]` for each skill."""
    shelf = skill_shelf(chat.agent.loaded, "cli")
    tools = offered([spec.name for spec in chat.session.toolbox.specs()])
    if "skill_view" not in tools:
        return []

    def bound(name: str) -> Callable[[str], Awaitable[None]]:
        async def use(argument: str) -> None:
            chat.send(request(shelf, (name,), argument), expanded=True, echo=False)

        return use

    return [
        SlashCommand(
            name=skill.name.lower(), help=skill.description, run=bound(skill.name), skill=True
        )
        for skill in shelf.offered(tools)
    ]


class Own:
    """One of them."""

    def __init__(self, chat: "Chat", name: str, quick: QuickCommand) -> None:
        self._chat = chat
        self._name = name
        self._quick = quick

    def command(self) -> SlashCommand:
        """As the table has it."""
        quick = self._quick
        if quick.type == "alias":
            return SlashCommand(name=self._name, help=f"Stands for {quick.target}", run=self._alias)
        return SlashCommand(name=self._name, help=f"Runs: {quick.command}", run=self._exec)

    async def _exec(self, argument: str) -> None:
        """Past the same gate as the agent's own commands. The agent is not told."""
        cleaner = Cleaner()
        said: list[str] = []
        result = await self._chat.agent.work.run_own(self._quick.command, said.append)
        text = cleaner.push(self._chat.agent.work.redact("".join(said))) + cleaner.flush()
        if text.strip():
            self._chat.say(text.rstrip())
        if result.timed_out:
            self._chat.say(f"/{self._name} took too long and was ended.", "yellow")
        elif result.exit_code:
            self._chat.say(f"/{self._name}: exit status {result.exit_code}", "yellow")

    async def _alias(self, argument: str) -> None:
        target = "/" + self._quick.target.lstrip("/")
        found = self._chat.commands.find(f"{target} {argument}".strip())
        if found is None or found[0].name == self._name:
            raise UsageError(
                f"/{self._name} stands for {target}, which is no command.",
                hint="Change it in config.yaml under quick_commands.",
            )
        await found[0].run(found[1])
