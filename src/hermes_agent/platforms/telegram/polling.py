"""Long polling: https://core.telegram.org/bots/api#getupdates.

An update is confirmed by asking for the next one, which happens only after it went through the
door.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable

import msgspec

from hermes_agent.domain.errors import StoreError
from hermes_agent.platforms.base import Door, PlatformDown, PlatformRefused
from hermes_agent.platforms.telegram.client import Client, Conflict
from hermes_agent.platforms.telegram.intake import Intake
from hermes_agent.platforms.telegram.wire import ALLOWED, Raw

SEQUENTIAL = 6 * 86_400.0
"""Seconds; after a week without updates their numbers begin anew anywhere."""

_OFFSET = "next update"
_POLLED = (
    "Only one program may poll with this token: stop the other one, or give this agent a bot of "
    "its own."
)
_HOOKED = (
    "Something else set a webhook for this bot: take it away with the Bot API's deleteWebhook, or "
    "give this agent a bot of its own."
)
_log = logging.getLogger(__name__)


class Pauses(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: `first` and `most` bound a pause, `patience` is how long nothing may work before
    `run` gives up, `window` is the time in which `conflicts` conflicts are borne."""

    first: float = 0.5
    most: float = 30.0
    patience: float = 60.0
    conflicts: int = 6
    window: float = 600.0


class Poller:
    """Asks for updates until cancelled. `bot_id` tells whose offset is kept."""

    def __init__(
        self,
        client: Client,
        intake: Intake,
        door: Door,
        *,
        bot_id: int,
        timeout: int,
        pauses: Pauses | None = None,
    ) -> None:
        self._client = client
        self._intake = intake
        self._door = door
        self._bot_id = bot_id
        self._timeout = timeout
        self._pauses = pauses or Pauses()
        self._offset: int | None = None
        self._moved_at = 0.0
        self._failures = 0
        self._failing_since = 0.0
        self._conflicts: list[float] = []

    async def run(self, ready: Callable[[], None]) -> None:
        """See `Platform.run`."""
        await self._restore()
        told = False
        while True:
            try:
                batch = await self._poll(0 if not told else self._timeout)
            except Conflict as conflict:
                await self._bear(conflict)
                continue
            except PlatformDown as error:
                await self._wait(error)
                continue
            if not told:
                ready()
                told = True
            if not batch:
                self._recovered()
                continue
            try:
                highest = await self._intake.take(batch)
                if highest is None:
                    raise PlatformDown("Telegram sent updates without numbers.")
                await self._advance(highest + 1)
            except (StoreError, PlatformDown) as error:
                await self._wait(error)
            else:
                self._recovered()

    async def _poll(self, timeout: int) -> list[Raw]:
        if time.time() - self._moved_at > SEQUENTIAL:
            self._offset = None
        return await self._client.call(
            "getUpdates",
            list[Raw],
            {"offset": self._offset, "timeout": timeout, "allowed_updates": ALLOWED},
            silence=timeout + 15,
        )

    async def _restore(self) -> None:
        kept = (await self._door.recall(_OFFSET) or "").split()
        if len(kept) == 3 and kept[0] == str(self._bot_id):
            self._offset, self._moved_at = int(kept[1]), float(kept[2])

    async def _advance(self, offset: int) -> None:
        now = time.time()
        await self._door.remember(_OFFSET, f"{self._bot_id} {offset} {now:.0f}")
        self._offset, self._moved_at = offset, now

    async def _bear(self, conflict: Conflict) -> None:
        now = time.monotonic()
        self._conflicts = [each for each in self._conflicts if now - each < self._pauses.window]
        self._conflicts.append(now)
        if len(self._conflicts) >= self._pauses.conflicts:
            raise PlatformRefused(
                str(conflict),
                hint=_HOOKED if "webhook" in str(conflict) else _POLLED,
            ) from conflict
        if len(self._conflicts) == 1:
            _log.warning("telegram: %s Trying again.", conflict)
        await asyncio.sleep(self._pause(len(self._conflicts)))

    async def _wait(self, error: StoreError | PlatformDown) -> None:
        """Pause. Gives the connection up when nothing worked for long, so that everybody sees
        that it is down."""
        now = time.monotonic()
        if self._failures == 0:
            self._failing_since = now
            _log.warning("telegram: %s Trying again.", error)
        self._failures += 1
        asked = error.retry_after if isinstance(error, PlatformDown) else None
        if now - self._failing_since > self._pauses.patience:
            most = self._pauses.most
            raise PlatformDown(
                str(error),
                retry_after=asked or random.uniform(most / 2, most),  # noqa: S311  spreads
            ) from error
        await asyncio.sleep(max(asked or 0.0, self._pause(self._failures)))

    def _recovered(self) -> None:
        if self._failures:
            _log.info("telegram: works again after %d failures", self._failures)
        self._failures = 0

    def _pause(self, failures: int) -> float:
        longest = min(self._pauses.most, self._pauses.first * 2 ** min(failures - 1, 12))
        return longest * random.uniform(0.6, 1.0)  # noqa: S311  spreads, hides nothing
