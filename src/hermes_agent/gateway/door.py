"""The way in: who may speak is decided here, and what they say is stored before anything else."""

import asyncio
import logging
from collections.abc import Callable

from hermes_agent.config.load import Loaded
from hermes_agent.domain.chats import Inbound, Origin, Outgoing
from hermes_agent.domain.errors import StoreError
from hermes_agent.gateway.commands.table import does_not_wait, queued
from hermes_agent.gateway.desk import Desk
from hermes_agent.gateway.presenting import Presenter
from hermes_agent.gateway.questions import Questions
from hermes_agent.gateway.turns import ActiveTurns
from hermes_agent.ledger.port import Accepted
from hermes_agent.policy.admission.admission import Admission, Admitted, Limited, Unknown
from hermes_agent.sessions.keys import control_key, session_key

ALBUM = "media_group_id"
"""In `Inbound.extra`: the album that a picture belongs to."""
MAX_TEXT = 200_000
"""Characters of one message; what is longer is cut and says so."""

_log = logging.getLogger(__name__)


class GatewayDoor:
    """The port `Door` of one platform. `taken` is called after each message that was stored."""

    def __init__(
        self,
        platform: str,
        loaded: Loaded,
        *,
        admission: Admission,
        desk: Desk,
        presenter: Presenter,
        turns: ActiveTurns,
        questions: Questions,
        busy_mode: Callable[[str], str],
        seen: Callable[[Inbound], None],
        taken: Callable[[], None],
    ) -> None:
        self.received = 0
        self._platform = platform
        self._loaded = loaded
        self._admission = admission
        self._desk = desk
        self._presenter = presenter
        self._turns = turns
        self._questions = questions
        self._busy_mode = busy_mode
        self._seen = seen
        self._taken = taken

    async def admits(self, origin: Origin, *, addressed: bool, private_name: str = "") -> bool:
        """See `Door.admits`."""
        decision = await asyncio.to_thread(
            self._admission.decide, origin, addressed=addressed, name=private_name
        )
        match decision:
            case Admitted():
                return addressed
            case Unknown(code=str() as code):
                await self._tell(origin, _pairing_text(self._platform, code), f"pairing-{code}")
            case Limited(tell=True, until=until):
                text = "You write faster than I may answer; please wait a little."
                await self._tell(origin, text, f"limit-{origin.user_id}-{until:.0f}")
            case _:
                pass
        return False

    async def accept(self, inbound: Inbound) -> None:
        """See `Door.accept`."""
        text = _without_nul(inbound.text)
        if text != inbound.text:
            import msgspec

            inbound = msgspec.structs.replace(inbound, text=text)
        key = self._key(inbound.origin)
        control = self._is_control(inbound)
        lane = control_key(key) if control else key
        accepted = await self._desk.do(lambda ledger: ledger.accept(inbound, lane))
        if not accepted.fresh:
            return
        self.received += 1
        if not control:
            self._interrupt(key, inbound, accepted)
        self._taken()

    async def remember(self, key: str, value: str) -> None:
        """See `Door.remember`."""
        await self._desk.do(lambda ledger: ledger.remember(f"{self._platform}.{key}", value))

    async def recall(self, key: str) -> str | None:
        """See `Door.recall`."""
        return await self._desk.do(lambda ledger: ledger.recall(f"{self._platform}.{key}"))

    def _key(self, origin: Origin) -> str:
        return session_key(origin, per_user=self._loaded.config.group_sessions_per_user)

    def _is_control(self, inbound: Inbound) -> bool:
        """Whether it must not wait for the turn: an answer to its question, `/stop`, `/status`."""
        if inbound.press is not None:
            return True
        text = inbound.text.strip()
        if queued(text) is not None:
            return False
        words = text.removeprefix("/").removeprefix("approve ")
        key = self._key(inbound.origin)
        answers = self._questions.by_word(inbound.origin.target, words, key) is not None
        return answers or does_not_wait(text)

    def _interrupt(self, key: str, inbound: Inbound, accepted: Accepted) -> None:
        """What a message does to the turn that runs: nothing, end it, or become part of it.

        In a conversation of several people only those do any of it who have the rights that the
        turn works with; what others say waits for its own turn.
        """
        active = self._turns.get(key)
        text = inbound.text.strip()
        if active is None or active.control.stopping:
            # One that is ending would store the words and answer nobody.
            return
        album = inbound.extra.get(ALBUM)
        if album and active.claim.inbound.extra.get(ALBUM) == album:
            return
        self._seen(inbound)
        if queued(text) is not None or text.startswith("/"):
            return
        role = self._admission.role(inbound.origin)
        if role is None or not active.open_to(role):
            return
        mode = self._busy_mode(key)
        if mode == "interrupt":
            active.control.stop()
        elif mode == "steer" and not inbound.attachments and text:
            active.steered[accepted.turn] = accepted.id
            active.control.steer(text, accepted.turn)

    async def _tell(self, origin: Origin, text: str, turn: str) -> None:
        outgoing: tuple[Outgoing, ...] = self._presenter.notice(
            origin.target, text, turn=f"{self._platform}-{turn}"
        )
        try:
            await self._desk.do(lambda ledger: ledger.post(outgoing))
        except StoreError as error:
            _log.warning("a notice could not be stored: %s", error)
            return
        self._taken()


def _pairing_text(platform: str, code: str) -> str:
    return (
        "I do not know you yet. If this agent is yours, or its owner expects you, run this on its "
        f"machine within an hour:\n\n```\nhermes pairing approve {platform} {code}\n```"
    )


def _without_nul(text: str) -> str:
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}\n[cut: {len(text) - MAX_TEXT} more characters]"
    return text.replace("\0", "")
