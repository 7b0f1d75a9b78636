"""Messages of the daemon itself: questions, notices, prompts put into a conversation."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from hermes_agent.domain.chats import Button, Inbound, Outgoing, Target
from hermes_agent.domain.errors import HermesError
from hermes_agent.gateway.desk import Desk
from hermes_agent.gateway.presenting import Presenter, number
from hermes_agent.ledger.port import Claim
from hermes_agent.platforms.base import Platform

SEEN = "👀"

_log = logging.getLogger(__name__)


class Mailing:
    """`connected` are the platforms of now; `taken` is called when there is something to do."""

    def __init__(
        self,
        desk: Desk,
        presenter: Presenter,
        *,
        connected: Callable[[], Mapping[str, Platform]],
        taken: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._presenter = presenter
        self._connected = connected
        self._taken = taken
        self._courtesies: set[asyncio.Task[None]] = set()

    async def ask(self, target: Target, text: str, buttons: tuple[Button, ...]) -> None:
        """Put a question into a chat."""
        posts = self._presenter.posts(target.platform, text)
        capabilities = self._presenter.capabilities(target.platform)
        if buttons and posts and capabilities.buttons:
            posts = (*posts[:-1], msgspec.structs.replace(posts[-1], buttons=buttons))
        await self._post(number(f"ask-{secrets.token_hex(8)}", target, posts, 0))

    async def put(self, inbound: Inbound, prompt: str, key: str) -> None:
        """Put a prompt of somebody's into the conversation of this key."""
        again = msgspec.structs.replace(inbound, key=f"{inbound.key}+", text=prompt, press=None)
        await self._desk.do(lambda ledger: ledger.accept(again, key))
        self._taken()

    async def bury(self, claim: Claim, error: str) -> None:
        """Whoever asked hears that there will be no answer."""
        target = claim.inbound.origin.target
        if target.platform not in self._connected():
            return
        text = (
            f"⚠ I could not answer this message: {error}\n\n"
            f"Its owner can try again with: hermes gateway queue retry in:{claim.id}"
        )
        await self._post(
            self._presenter.notice(target, text, turn=f"{claim.turn}-buried-{time.time():.0f}")
        )

    def seen(self, inbound: Inbound) -> None:
        """Shows whoever wrote into a running turn that it was read."""
        platform = self._connected().get(inbound.origin.platform)
        if platform is None or inbound.message_id is None or not platform.capabilities.reactions:
            return
        reacting = asyncio.create_task(
            _quietly(platform.react(inbound.origin.target, inbound.message_id, SEEN))
        )
        self._courtesies.add(reacting)
        reacting.add_done_callback(self._courtesies.discard)

    async def _post(self, outgoing: Sequence[Outgoing]) -> None:
        await self._desk.insist(lambda ledger: ledger.post(outgoing))
        self._taken()


async def _quietly(work: Awaitable[None]) -> None:
    try:
        await work
    except HermesError as error:
        _log.info("a courtesy failed: %s", error)
