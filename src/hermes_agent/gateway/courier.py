"""From the outbox to the platforms: one message after another, each marked before and after."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping

import msgspec

from hermes_agent.domain.chats import Outgoing
from hermes_agent.domain.errors import HermesError, StoreError
from hermes_agent.gateway.desk import Desk
from hermes_agent.ledger.port import Dispatch
from hermes_agent.platforms.base import (
    MessageGone,
    Platform,
    PlatformDown,
    PlatformRefused,
    SendRefused,
)

ATTEMPTS = 50
FIRST_DELAY = 2.0
MAX_DELAY = 600.0
LOOK = 1.0
GRACE = 15.0

_log = logging.getLogger(__name__)


class Courier:
    """Sends what is due on the `platforms` that are connected, side by side for each platform.

    A message that the platform refuses is dead at once; one that could not be sent is tried again
    with growing pauses, and those behind it to the same place wait for it. Files are judged once
    more by `may_leave` before they go: hours may have passed, and a path may lead elsewhere by now.
    """

    def __init__(
        self,
        desk: Desk,
        platforms: Callable[[], Mapping[str, Platform]],
        *,
        may_leave: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.sent = 0
        self.refused = 0
        self._desk = desk
        self._platforms = platforms
        self._may_leave = may_leave
        self._wakes: dict[str, asyncio.Event] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def wake(self) -> None:
        """There is something to send."""
        for event in self._wakes.values():
            event.set()

    async def run(self, platform: Platform) -> None:
        """Send on this platform until cancelled."""
        wake = self._wakes.setdefault(platform.name, asyncio.Event())
        version = -1
        while True:
            wake.clear()
            await self._send_all(platform)
            while not wake.is_set():
                try:
                    await asyncio.wait_for(wake.wait(), LOOK)
                except TimeoutError:
                    version, news = await self._news(version)
                    if news:
                        break

    async def flush(self, seconds: float) -> None:
        """Send what is due now, for at most so long: the end of a drain."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*map(self._send_all, self._platforms().values()))
        except TimeoutError:
            _log.warning("not everything could be sent before the end; it is sent after the start")

    async def _send_all(self, platform: Platform) -> None:
        # Whoever comes second (the end of a drain) finds what waited behind a message in flight.
        async with self._turns.setdefault(platform.name, asyncio.Lock()):
            while (dispatch := await self._next(platform)) is not None:
                await self._carry(platform, dispatch)

    async def _next(self, platform: Platform) -> Dispatch | None:
        taking = asyncio.ensure_future(
            self._desk.do(lambda ledger: ledger.next((platform.name,), time.time()))
        )
        try:
            return await asyncio.shield(taking)
        except StoreError as error:
            _log.warning("the outbox cannot be read: %s", error)
            await asyncio.sleep(LOOK)
            return None
        except asyncio.CancelledError:
            # What was taken in the last moment would hold up its chat until the next start.
            await asyncio.wait([taking], timeout=GRACE)
            dispatch = taking.result() if taking.done() and not taking.exception() else None
            if dispatch is not None:
                await self._desk.insist(
                    lambda ledger: ledger.unsent(dispatch, error="", retry_at=time.time())
                )
            raise

    async def _carry(self, platform: Platform, dispatch: Dispatch) -> None:
        delivering = asyncio.create_task(self._deliver(platform, dispatch))
        try:
            await asyncio.shield(delivering)
        except asyncio.CancelledError:
            # Sent and not written down would be sent again: the end waits for it a little.
            await asyncio.wait([delivering], timeout=GRACE)
            if not delivering.done():
                delivering.cancel()
                error = "The connection ended while this was being sent."
                await self._desk.insist(
                    lambda ledger: ledger.unsent(
                        dispatch, error=error, retry_at=time.time(), doubtful=True
                    )
                )
            raise

    async def _news(self, version: int) -> tuple[int, bool]:
        try:
            now, due = await self._desk.do(lambda ledger: (ledger.version(), ledger.due()))
        except StoreError:
            return version, False
        return now, now != version or (due is not None and due <= time.time())

    async def _deliver(self, platform: Platform, dispatch: Dispatch) -> None:
        try:
            message_id = await self._send(platform, dispatch)
        except SendRefused as error:
            self.refused += 1
            _log.error("message %s will never be taken: %s", dispatch.id, error)
            await self._unsent(dispatch, error, None)
        except PlatformDown as error:
            delay = error.retry_after or _pause(dispatch.attempt)
            await self._unsent(dispatch, error, time.time() + delay)
        except PlatformRefused as error:
            await self._unsent(dispatch, error, time.time() + MAX_DELAY)
        except HermesError as error:
            await self._unsent(dispatch, error, time.time() + _pause(dispatch.attempt))
        except Exception as error:  # noqa: BLE001  the root of a send: logged, tried again
            _log.exception("message %s could not be sent", dispatch.id)
            last = dispatch.attempt >= ATTEMPTS
            await self._unsent(
                dispatch, error, None if last else time.time() + _pause(dispatch.attempt)
            )
        else:
            self.sent += 1
            await self._desk.insist(lambda ledger: ledger.sent(dispatch, message_id))

    async def _send(self, platform: Platform, dispatch: Dispatch) -> str:
        outgoing = await asyncio.to_thread(self._judged, dispatch.outgoing)
        if dispatch.message_id is not None and platform.capabilities.edits:
            try:
                await platform.edit(outgoing.target, dispatch.message_id, outgoing.post)
            except MessageGone:
                # A person deleted what was there; the answer is still owed.
                return await platform.send(outgoing.target, outgoing.post, key_of(outgoing))
            return dispatch.message_id
        message_id = await platform.send(outgoing.target, outgoing.post, key_of(outgoing))
        can = platform.capabilities
        if dispatch.doubtful and can.once == "key" and can.edits:
            # The platform may have given the id of an earlier send, which said less.
            await platform.edit(outgoing.target, message_id, outgoing.post)
        return message_id

    def _judged(self, outgoing: Outgoing) -> Outgoing:
        """The message with the files that may leave now."""
        post = outgoing.post
        staying = [each for each in post.attachments if not self._may_leave(each.path)]
        if not staying:
            return outgoing
        names = ", ".join(each.name or each.path for each in staying)
        _log.warning("turn %s: not sent, it may not leave: %s", outgoing.turn, names)
        files = tuple(each for each in post.attachments if each not in staying)
        if not files and not post.plain:
            raise SendRefused(f"This may not leave the machine: {names}")
        return msgspec.structs.replace(
            outgoing, post=msgspec.structs.replace(post, attachments=files)
        )

    async def _unsent(self, dispatch: Dispatch, error: Exception, retry_at: float | None) -> None:
        await self._desk.insist(
            lambda ledger: ledger.unsent(dispatch, error=str(error), retry_at=retry_at)
        )


def key_of(outgoing: Outgoing) -> str:
    """The same for every attempt to send this message."""
    return f"{outgoing.turn}.{outgoing.part}"


def _pause(attempt: int) -> float:
    return min(MAX_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 10)) * random.uniform(0.8, 1.2)  # noqa: S311  spreads, hides nothing
