"""The road of a chat message: a command is obeyed, anything else is answered by the agent."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Inbound, Origin, Outgoing, Target
from hermes_agent.domain.errors import DeniedError, HermesError
from hermes_agent.domain.events import (
    BudgetSpent,
    Compacted,
    Compacting,
    Completed,
    Event,
    Failed,
    NotCompacted,
    TurnEnded,
)
from hermes_agent.domain.model import Effort
from hermes_agent.domain.ports import Asker, Emit
from hermes_agent.gateway.asking import approver_of
from hermes_agent.gateway.commands.desk import Call, Service
from hermes_agent.gateway.commands.table import NAMES, queued, table
from hermes_agent.gateway.door import ALBUM
from hermes_agent.gateway.presenting import Presenter
from hermes_agent.gateway.questions import ChatAsker
from hermes_agent.gateway.reading import pictures, words
from hermes_agent.gateway.routing import Entered
from hermes_agent.gateway.screen import PARTS, Screen
from hermes_agent.gateway.turns import ActiveTurn
from hermes_agent.gateway.voice import Voice
from hermes_agent.knowledge.skills.asking import request
from hermes_agent.ledger.port import Claim, InboxRow
from hermes_agent.policy.admission.people import RIGHTS, Role
from hermes_agent.runtime.keeping import skill_shelf
from hermes_agent.scheduler.scripts import RunCommand
from hermes_agent.sessions.host import Opening
from hermes_agent.sessions.keys import CONTROL
from hermes_agent.sessions.live import LiveSession
from hermes_agent.sessions.telling import told

ALBUM_SECONDS = 1.0

_EFFORTS: frozenset[str] = frozenset(("none", "minimal", "low", "medium", "high", "xhigh"))
_log = logging.getLogger(__name__)


class ChatRoad:
    """`role` tells what a person may do, `screen` shows a turn while it runs."""

    def __init__(
        self,
        service: Service,
        *,
        presenter: Presenter,
        role: Callable[[Origin], Role | None],
        toolsets: Callable[[Origin], tuple[str, ...]],
        screen: Callable[[Claim, Capabilities, int], Screen],
        absorb: Callable[[int, Claim], Awaitable[None]],
        waiting: Callable[[str], Awaitable[tuple[InboxRow, ...]]],
        home: Callable[[str], Target | None],
        run_own: Callable[[Asker], RunCommand],
        voice: Voice,
    ) -> None:
        self._service = service
        self._loaded: Loaded = service.loaded
        self._presenter = presenter
        self._role = role
        self._toolsets = toolsets
        self._screen = screen
        self._absorb = absorb
        self._waiting = waiting
        self._home = home
        self._run_own = run_own
        self._voice = voice

    async def travel(self, claim: Claim) -> Sequence[Outgoing]:
        """See `Road.travel`."""
        inbound = claim.inbound
        role = self._role(inbound.origin)
        if role is None:
            _log.warning("message %s is not answered: its sender may speak no more", claim.id)
            return ()
        if claim.session_key.endswith(CONTROL) and self._answers(claim, role):
            return ()
        if inbound.press is not None:
            return self._say(claim, "That question is over.")
        text = inbound.text.strip()
        prompt = queued(text)
        if prompt is None and text.startswith("/"):
            return await self._obey(claim, text, role)
        if claim.session_key.endswith(CONTROL):
            # It answered a question that is over by now, so it is a message like any other.
            await self._service.begin(inbound, text, claim.session_key.removesuffix(CONTROL))
            return ()
        return await self._answer(claim, prompt or text, role)

    def _answers(self, claim: Claim, role: Role) -> bool:
        """Whether the message answers an open question; then it is passed on."""
        inbound = claim.inbound
        questions = self._service.questions
        key = claim.session_key.removesuffix(CONTROL)
        if inbound.press is not None:
            found = questions.find(inbound.press)
        else:
            words = inbound.text.strip().removeprefix("/")
            head, _, rest = words.partition(" ")
            if head.lower() == "approve" and rest:
                words = rest
            found = questions.by_word(inbound.origin.target, words, key)
        if found is None:
            return False
        question, answer = found
        if not question.open_to(key, role):
            _log.warning("%s may not answer a question and tried to", inbound.origin.user_id)
            return False
        questions.answer(question, answer)
        return True

    async def _obey(self, claim: Claim, text: str, role: Role) -> Sequence[Outgoing]:
        key = claim.session_key.removesuffix(CONTROL)
        if await self._service.routing.begun(claim.turn):
            # What the command had to do is done; its prompt was cut off.
            return await self._answer(claim, text, role)
        call = Call(
            service=self._service, inbound=claim.inbound, key=key, turn=claim.turn, role=role
        )
        try:
            text, ran = await self._own_command(claim, text, role)
            if ran is not None:
                return self._say(claim, ran)
            wish = self._skill(claim.inbound.origin.platform, text, role)
            if wish is not None:
                return await self._answer(claim, wish, role)
            found = table(call).find(text)
            if found is None:
                return await self._answer(claim, text, role)
            command, argument = found
            await command.run(argument)
        except HermesError as error:
            return self._say(claim, _in_words(error))
        if call.rerun:
            if claim.session_key.endswith(CONTROL):
                await self._service.begin(claim.inbound, call.rerun[0], key)
                return ()
            return await self._answer(claim, call.rerun[0], role)
        return self._say(claim, "\n\n".join(call.said))

    async def _own_command(self, claim: Claim, text: str, role: Role) -> tuple[str, str | None]:
        """A command of `quick_commands`: what an alias stands for, or what a program said."""
        word, _, rest = text[1:].partition(" ")
        own = self._loaded.config.quick_commands
        quick = next((each for name, each in own.items() if name.lower() == word.lower()), None)
        if quick is None:
            return text, None
        if quick.type == "alias":
            return f"/{quick.target.lstrip('/')} {rest}".strip(), None
        if "tools" not in RIGHTS[role]:
            raise DeniedError("You may not run commands on this machine.")
        run = self._run_own(self._asker(claim.session_key, claim.inbound.origin, role))
        timeout = self._loaded.config.terminal.timeout
        result = await run(quick.command, workdir=None, timeout=timeout)
        status = f"\nexit status {result.exit_code}" if result.exit_code else ""
        return text, f"```\n{result.output.rstrip() or '(nothing)'}\n```{status}"

    def _skill(self, platform: str, text: str, role: Role) -> str | None:
        """The wish that a skill be used, when the command is called like one and like no other."""
        word, _, rest = text[1:].partition(" ")
        if word.lower() in NAMES or "tools" not in RIGHTS[role]:
            return None
        shelf = skill_shelf(self._loaded, platform)
        name = next((each for each in shelf.all() if each.lower() == word.lower()), None)
        return request(shelf, (name,), rest.strip()) if name else None

    async def _answer(self, claim: Claim, text: str, role: Role) -> Sequence[Outgoing]:
        inbound, key = claim.inbound, claim.session_key
        entered = await self._service.routing.enter(key, inbound.origin, claim.turn)
        capabilities = self._presenter.capabilities(inbound.origin.platform)
        turn = self._service.turns.begin(key, claim, entered.route.session_id, role)
        try:
            async with self._service.host.open(self._opening(claim, entered, role)) as live:
                if live.standing(claim.turn) == "steered":
                    return ()
                inbound, merged = await self._album(claim)
                text = inbound.text if merged else text
                if live.standing(claim.turn) == "new":
                    text = f"{text}\n{await self._voice.heard(inbound)}".strip()
                written = len(live.written(claim.turn))
                async with (
                    self._screen(claim, capabilities, written) as screen,
                    _watched(turn, self._loaded.config.agent.gateway_timeout),
                ):
                    images, note = await pictures(inbound)
                    watch = screen.watch(turn, self._absorbing(claim, turn.steered))
                    notes: list[str] = []
                    ended = await live.run(
                        words(inbound, text, note),
                        turn.control,
                        _noting(turn, watch, notes),
                        images,
                        turn=claim.turn,
                    )
                for row in merged:
                    await self._absorb(row, claim)
                if entered.left is not None and role == "owner":
                    reviews = self._service.host.reviews
                    reviews.left(entered.left, like=live, chat=inbound.origin)
                ending = ended.ending
                said = ending.message.content if isinstance(ending, Completed) else ""
                mode = entered.route.choices.get("voice", "")
                return [
                    *self._earlier(claim, live, screen),
                    *self._posts(
                        claim, live, ended, entered, timed_out=turn.timed_out, notes=notes
                    ),
                    *await self._voice.spoken(claim, said, mode, capabilities),
                ]
        finally:
            self._service.turns.end(key)

    async def _album(self, claim: Claim) -> tuple[Inbound, list[int]]:
        """The message with the files of those that came with it, and the rows of those.

        Platforms send an album as one message for each picture, a moment apart.
        """
        inbound = claim.inbound
        group = inbound.extra.get(ALBUM)
        if not group:
            return inbound, []
        await asyncio.sleep(ALBUM_SECONDS)
        rows = await self._waiting(claim.session_key)
        same = [row for row in rows if row.inbound.extra.get(ALBUM) == group]
        files = [file for row in same for file in row.inbound.attachments]
        texts = [each for each in (inbound.text, *(row.inbound.text for row in same)) if each]
        whole = msgspec.structs.replace(
            inbound, text="\n".join(texts), attachments=(*inbound.attachments, *files)
        )
        return whole, [row.id for row in same]

    def _absorbing(self, claim: Claim, steered: dict[str, int]) -> Callable[[str], Awaitable[None]]:
        async def absorb(turn: str) -> None:
            row = steered.pop(turn, None)
            if row is not None:
                await self._absorb(row, claim)

        return absorb

    def _opening(self, claim: Claim, entered: Entered, role: Role) -> Opening:
        origin = claim.inbound.origin
        choices = entered.route.choices
        effort = choices.get("effort", "")
        return Opening(
            session_id=entered.route.session_id,
            source=origin.platform,
            user_id=origin.user_id,
            asker=self._asker(claim.session_key, origin, role),
            model=choices.get("model", ""),
            effort=msgspec.convert(effort, Effort) if effort in _EFFORTS else None,
            toolsets=self._toolsets(origin),
            note=self._presenter.note(origin),
            chat=origin,
            recalls_all=role == "owner",
        )

    def _asker(self, key: str, origin: Origin, role: Role) -> ChatAsker:
        config = self._loaded.config
        return ChatAsker(
            self._service.questions,
            key=key,
            target=origin.target,
            approver=approver_of(origin, role, self._home),
            may_always=role == "owner",
            asked_by=origin.user_name or origin.user_id,
            approval_timeout=config.approvals.timeout,
            clarify_timeout=config.clarify.timeout,
            tools="tools" in RIGHTS[role],
        )

    def _earlier(self, claim: Claim, live: LiveSession, screen: Screen) -> list[Outgoing]:
        """What the model wrote before its answer and people saw growing, as it really ended."""
        found: list[Outgoing] = []
        for number, message in enumerate(live.written(claim.turn)[:-1]):
            if message.content and screen.shown(number):
                first = number * PARTS
                found += self._presenter.answered(claim, message.content, first=first)
        return [each for each in found if not screen.shows(each)]

    def _posts(
        self,
        claim: Claim,
        live: LiveSession,
        ended: TurnEnded,
        entered: Entered,
        *,
        timed_out: bool,
        notes: Sequence[str],
    ) -> Sequence[Outgoing]:
        ending = ended.ending
        first = PARTS * max(0, len(live.written(claim.turn)) - 1)
        said = text = ""
        match ending:
            case Completed(message=message):
                said = message.content
            case BudgetSpent(message=message):
                said = message.content if message else ""
                text = f"\n\n_The limit of {ending.limit} model calls is reached._"
            case Failed():
                hint = f"\n{ending.hint}" if ending.hint else ""
                text = f"⚠ {ending.message}{hint}\n\n/retry asks again."
            case _ if timed_out:
                minutes = self._loaded.config.agent.gateway_timeout / 60
                text = f"⚠ Nothing happened for {minutes:.0f} min, so I stopped."
            case _:
                return ()
        reset = self._reset_notice(claim, entered)
        noted = "".join(f"\n\n_{note}_" for note in notes)
        return self._presenter.answered(
            claim, said, first=first, before=reset, after=f"{text}{noted}"
        )

    def _reset_notice(self, claim: Claim, entered: Entered) -> str:
        policy = self._loaded.config.session_reset
        if entered.reset is None or not policy.notify:
            return ""
        if claim.inbound.origin.platform in policy.notify_exclude_platforms:
            return ""
        why = "a long pause" if entered.reset == "idle" else "the day changed"
        return f"_A new session began ({why}); /resume finds the old one._\n\n"

    def _say(self, claim: Claim, text: str) -> Sequence[Outgoing]:
        return self._presenter.outgoing(claim, text, first=0) if text else ()


@asynccontextmanager
async def _watched(turn: ActiveTurn, limit: float) -> AsyncGenerator[None]:
    watching = asyncio.create_task(turn.watch(limit), name="inactivity")
    try:
        yield
    finally:
        watching.cancel()


def _noting(turn: ActiveTurn, watch: Emit, notes: list[str]) -> Emit:
    """What becomes of the conversation's length goes on record; what failed is said in `notes`."""

    def emit(event: Event) -> None:
        match event:
            case Compacting():
                turn.doing = "shortening the conversation"
            case Compacted(session_id=session_id):
                turn.session_id = session_id
            case NotCompacted():
                notes.append(told(event))
            case _:
                pass
        watch(event)

    return emit


def _in_words(error: HermesError) -> str:
    return f"⚠ {error.message}" + (f"\n{error.hint}" if error.hint else "")
