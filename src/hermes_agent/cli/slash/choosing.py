"""Slash commands that choose for this session: model, personality, reasoning, verbose, yolo."""

from typing import TYPE_CHECKING, cast, get_args

import msgspec

from hermes_agent.cli.terminal.plain import Progress
from hermes_agent.context.prompt import personality_names
from hermes_agent.domain.errors import UsageError
from hermes_agent.domain.model import Effort
from hermes_agent.sessions.slash import SlashCommand

if TYPE_CHECKING:
    from hermes_agent.cli.terminal.chat import Chat


def choosing_commands(chat: "Chat") -> list[SlashCommand]:
    """Bound to one chat."""
    choosing = Choosing(chat)
    return [
        SlashCommand(
            name="model", usage="[NAME]", help="Show or change the model.", run=choosing.model
        ),
        SlashCommand(
            name="personality",
            usage="[NAME|none]",
            help="Show or change the manner.",
            run=choosing.personality,
            choices=choosing.personalities,
        ),
        SlashCommand(
            name="reasoning",
            usage="[EFFORT|show|hide]",
            help="How hard the model thinks, and whether it is shown.",
            run=choosing.reasoning,
            choices=lambda: (*get_args(Effort), "show", "hide"),
            busy=True,
        ),
        SlashCommand(
            name="reload-mcp",
            help="Read the MCP servers of the configuration anew.",
            run=choosing.reload_mcp,
        ),
        SlashCommand(
            name="verbose",
            usage="[STEP]",
            choices=lambda: get_args(Progress),
            help="Tool lines: off, new, all, verbose.",
            run=choosing.verbose,
            busy=True,
        ),
        SlashCommand(
            name="yolo",
            help="Stop or resume asking before commands.",
            run=choosing.yolo,
            busy=True,
        ),
    ]


class Choosing:
    """The handlers."""

    def __init__(self, chat: "Chat") -> None:
        self._chat = chat

    async def model(self, argument: str) -> None:
        """For this session; `hermes model set` changes the default."""
        chat = self._chat
        if argument:
            chat.session.change_model(await chat.agent.choose_model(argument))
            chat.tell_notices()
        model = chat.session.model
        chat.say(f"Model: {model.name}, window {model.context_length:,} tokens")

    def personalities(self) -> list[str]:
        """All that can be chosen."""
        return [*sorted(self._chat.agent.prompting.own), *personality_names(), "none"]

    async def personality(self, argument: str) -> None:
        """Changes the prompt, so the vendor's cache begins anew."""
        chat = self._chat
        own = sorted(chat.agent.prompting.own)
        if not argument:
            chat.say(f"Personality: {chat.agent.prompting.personality or 'none'}")
            chat.say("Known: " + ", ".join([*own, *personality_names(), "none"]), "dim")
            return
        chat.agent.prompting.choose(argument)
        chat.session.change_prompt(chat.agent.prompt_for(chat.session).text)
        chat.say(f"Personality: {argument}")

    async def reasoning(self, argument: str) -> None:
        """An effort, or show/hide."""
        chat = self._chat
        efforts = get_args(Effort)
        if argument in ("show", "hide"):
            chat.view.reasoning = argument == "show"
        elif argument in efforts:
            effort = cast("Effort", argument)
            chat.session.choices = msgspec.structs.replace(chat.session.choices, effort=effort)
        elif argument:
            raise UsageError(
                f"There is no effort “{argument}”.",
                hint=f"One of: {', '.join(efforts)}, show, hide",
            )
        shown = "shown" if chat.view.reasoning else "hidden"
        chat.say(f"Reasoning: {chat.session.choices.effort or 'the vendor’s default'}, {shown}")

    async def reload_mcp(self, argument: str) -> None:
        """Connections whose settings are the same stay."""
        del argument
        tools = {spec.name for spec in self._chat.session.toolbox.specs()}
        reloaded = await self._chat.agent.reload_servers()
        self._chat.say(reloaded.line(here="tool_search" in tools))

    async def verbose(self, argument: str) -> None:
        """To the next, or to the one named."""
        steps = get_args(Progress)
        view = self._chat.view
        if argument and argument not in steps:
            raise UsageError(f"There is no step “{argument}”.", hint=f"One of: {', '.join(steps)}")
        following = steps[(steps.index(view.progress) + 1) % len(steps)]
        view.progress = cast("Progress", argument or following)
        self._chat.say(f"Tool lines: {view.progress}")

    async def yolo(self, argument: str) -> None:
        """Lifts the asking, never the hard blocks."""
        agent = self._chat.agent
        agent.work.set_yolo(not agent.work.yolo)
        if agent.work.yolo:
            self._chat.say("Commands run without asking. Hard blocks stay. /yolo again to ask.")
        else:
            self._chat.say("Dangerous commands are asked about again.")
