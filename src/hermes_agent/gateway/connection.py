"""One platform, kept connected: made, run, and made again after a pause when it fails."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Literal

import msgspec

from hermes_agent.domain.errors import ConfigError, HermesError
from hermes_agent.gateway.courier import Courier
from hermes_agent.gateway.lock import AlreadyRunning, GatewayLock
from hermes_agent.platforms.base import (
    Door,
    Platform,
    PlatformDown,
    PlatformRefused,
    PlatformSettings,
)

FIRST_PAUSE = 2.0
MAX_PAUSE = 300.0
STEADY = 60.0

State = Literal["connecting", "connected", "retrying", "failed", "disconnected"]

_log = logging.getLogger(__name__)


class PlatformState(msgspec.Struct, frozen=True, kw_only=True):
    """How a platform stands. `code` is the class of the last error, `since` Unix time."""

    state: State
    code: str = ""
    message: str = ""
    since: float = 0.0


class Connection:
    """`make` gives a fresh adapter; `changed` is told whenever the state changes; `hold` takes what
    only one gateway of this machine may use at a time."""

    def __init__(
        self,
        settings: PlatformSettings,
        make: Callable[[PlatformSettings], Platform],
        door: Door,
        courier: Courier,
        changed: Callable[[], None],
        hold: Callable[[PlatformSettings], GatewayLock | None] = lambda _: None,
    ) -> None:
        self.name = settings.name
        self.state = PlatformState(state="connecting", since=time.time())
        self.platform: Platform | None = None
        self._settings = settings
        self._make = make
        self._door = door
        self._courier = courier
        self._changed = changed
        self._hold = hold

    async def run(self) -> None:
        """Keep it connected until cancelled."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            wait = await self._once()
            if time.monotonic() - began > STEADY:
                pause = FIRST_PAUSE
            delay = wait if wait is not None else pause * random.uniform(0.8, 1.2)  # noqa: S311  spreads, hides nothing
            pause = min(pause * 2, MAX_PAUSE)
            await asyncio.sleep(delay)

    async def _once(self) -> float | None:
        """One life of the adapter; gives the pause that the platform asked for, if it did."""
        try:
            lock = self._hold(self._settings)
        except AlreadyRunning as error:
            self._stand("failed", error)
            return None
        try:
            return await self._life()
        finally:
            if lock is not None:
                lock.release()

    async def _life(self) -> float | None:
        try:
            platform = self.platform = self._make(self._settings)
        except ConfigError as error:
            self._stand("failed", error)
            return MAX_PAUSE
        sending: asyncio.Task[None] | None = None

        def ready() -> None:
            nonlocal sending
            self._stand("connected")
            if sending is None:
                sending = asyncio.create_task(self._courier.run(platform), name=f"{self.name} out")

        try:
            await platform.run(self._door, ready)
            self._stand("retrying", PlatformDown(f"{self.name} closed the connection."))
        except PlatformRefused as error:
            self._stand("failed", error)
        except PlatformDown as error:
            self._stand("retrying", error)
            return error.retry_after
        except HermesError as error:
            self._stand("retrying", error)
        except asyncio.CancelledError:
            self._stand("disconnected")
            raise
        except Exception as error:  # noqa: BLE001  the root of an adapter: logged, run again
            _log.exception("%s failed", self.name)
            self._stand("retrying", error)
        finally:
            if sending is not None:
                sending.cancel()
                await asyncio.wait([sending], timeout=5)
            self.platform = None
            await platform.close()
        return None

    def _stand(self, state: State, error: Exception | None = None) -> None:
        known = self.state
        self.state = PlatformState(
            state=state,
            code=type(error).__name__ if error else "",
            message=str(error) if error else "",
            since=time.time(),
        )
        if error is not None and (known.state, known.message) != (state, str(error)):
            hint = error.hint if isinstance(error, HermesError) else None
            _log.warning("%s: %s%s", self.name, error, f" {hint}" if hint else "")
        elif state == "connected":
            _log.info("%s is connected", self.name)
        self._changed()
