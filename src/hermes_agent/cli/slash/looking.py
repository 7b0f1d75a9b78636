"""Slash commands that only show something: help, history, tools, config, usage, context."""

from typing import TYPE_CHECKING

from hermes_agent.cli.terminal.banner import history_lines
from hermes_agent.cli.terminal.lines import count
from hermes_agent.context.accounting import conversation, fixed_part
from hermes_agent.context.prompt import Piece, Prompt
from hermes_agent.sessions.costs import cap_told, told
from hermes_agent.sessions.slash import SlashCommand

MONTH = 30
LONGEST = 3650

if TYPE_CHECKING:
    from hermes_agent.cli.terminal.chat import Chat


def looking_commands(chat: "Chat") -> list[SlashCommand]:
    """Bound to one chat."""
    looking = Looking(chat)
    return [
        SlashCommand(name="help", help="This list.", run=looking.help, busy=True),
        SlashCommand(
            name="history", help="Show the conversation so far.", run=looking.history, busy=True
        ),
        SlashCommand(name="tools", help="The agent's tools.", run=looking.tools, busy=True),
        SlashCommand(name="config", help="The settings in effect.", run=looking.config, busy=True),
        SlashCommand(
            name="usage", help="Tokens and cost of this session.", run=looking.usage, busy=True
        ),
        SlashCommand(
            name="insights",
            usage="[DAYS]",
            help="What the last days cost, and what the caps leave.",
            run=looking.insights,
            busy=True,
        ),
        SlashCommand(
            name="context",
            help="What a request carries, piece by piece.",
            run=looking.context,
            busy=True,
        ),
    ]


class Looking:
    """The handlers."""

    def __init__(self, chat: "Chat") -> None:
        self._chat = chat

    async def help(self, argument: str) -> None:
        """One line a command."""
        skills = [f"/{each.name}" for each in self._chat.commands if each.skill]
        for command in self._chat.commands:
            if command.skill:
                continue
            names = "/" + command.name + (f" {command.usage}" if command.usage else "")
            also = f" (also /{', /'.join(command.aliases)})" if command.aliases else ""
            self._chat.say(f"  {names:<32} {command.help}{also}")
        if skills:
            self._chat.say(f"  Skills: {' '.join(skills)}")
        self._chat.say("  @file:PATH[:FROM-TO], @folder:PATH, @diff, @staged, @git:N put text in.")

    async def history(self, argument: str) -> None:
        """The end of it."""
        lines = history_lines(self._chat.session, "full", colour=self._chat.colour)
        for line in lines or ["Nothing was said yet."]:
            self._chat.terminal.print(line)

    async def tools(self, argument: str) -> None:
        """Name and first sentence."""
        for spec in self._chat.session.toolbox.specs():
            first = spec.description.split(". ")[0].rstrip(".")
            self._chat.say(f"  {spec.name:<14} {first}")

    async def config(self, argument: str) -> None:
        """What differs from the defaults, and where it is said."""
        agent = self._chat.agent
        self._chat.say(f"  {agent.paths.config_file}")
        for key, origin in sorted(agent.loaded.origins.items()):
            self._chat.say(f"  {key:<32} from {origin.layer}")
        self._chat.say("  hermes config show has the values.", "dim")

    async def usage(self, argument: str) -> None:
        """Since the chat began."""
        usage = self._chat.session.usage
        share = f", {100 * usage.cache_read // usage.input}% from the cache" if usage.input else ""
        self._chat.say(f"  in   {usage.input:>10,} tokens{share}")
        self._chat.say(f"  out  {usage.output:>10,} tokens, {usage.reasoning:,} of them thinking")
        session = self._chat.session
        if session.last_input:
            window = session.model.context_length
            share = 100 * session.last_input // window if window else 0
            self._chat.say(f"  last request {session.last_input:,} tokens, {share}% of the window")
        reviews = self._chat.agent.review_costs(session)
        if reviews.calls:
            self._chat.say(
                f"  of the whole session {reviews.calls} call(s) looked for what to note: "
                f"{reviews.usage.input:,} tokens in, {reviews.usage.output:,} out"
            )
        cost = told(self._chat.agent.spent_in(session))
        if cost:
            self._chat.say(f"  the whole session cost {cost}")

    async def insights(self, argument: str) -> None:
        """What the last days cost, and what the caps leave."""
        days = int(argument) if argument.isdigit() and 0 < int(argument) <= LONGEST else MONTH
        costs = self._chat.agent.costs(days)
        self._chat.say(f"  the last {days} days: {told(costs.total.sum) or 'no model was asked'}")
        for line in (*costs.by_model, *costs.by_source):
            self._chat.say(f"  {line.name or '?':<28} {line.calls:>6} calls    {told(line.sum)}")
        for cap in costs.caps:
            self._chat.say(f"  {cap.key:<28} {cap_told(cap)}")
        self._chat.say("  hermes insights has more.", "dim")

    async def context(self, argument: str) -> None:
        """The fixed part, estimated; the whole, counted by the vendor."""
        chat = self._chat
        session = chat.session
        prompt = as_sent(session.system, chat.agent.prompt_for(session))
        costs = [*fixed_part(prompt, session.toolbox.specs()), conversation(session.history)]
        for cost in costs:
            chat.say(f"  {cost.name:<28} {cost.size:>8,} B {count(cost.tokens):>8} tokens")
        total = sum(cost.tokens for cost in costs)
        window = session.model.context_length
        chat.say(f"  {'together (estimated)':<28} {'':>10} {count(total):>8} of {count(window)}")
        if session.shortens_at:
            chat.say(f"  {'is shortened at':<28} {'':>10} {count(session.shortens_at):>8}")
        if session.last_input:
            chat.say(f"  {'last request (counted)':<28} {'':>10} {count(session.last_input):>8}")


def as_sent(system: str, today: Prompt) -> Prompt:
    """The session's own prompt, in the pieces of today's as far as they stand in it.

    A session keeps the prompt that it was begun with; what has changed since is one piece.
    """
    pieces: list[Piece] = []
    rest = system
    for piece in today.pieces:
        before, found, after = rest.partition(piece.text)
        if found:
            pieces.append(piece)
            rest = f"{before.rstrip()}\n\n{after.lstrip()}"
    if rest.strip():
        pieces.append(Piece("as the session began", rest.strip()))
    return Prompt(tuple(pieces))
