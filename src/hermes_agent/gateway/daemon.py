"""The process: one lock, any number of lives, signals, and what the service manager is told."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Literal

from hermes_agent.config import home as home_layout
from hermes_agent.config.load import Loaded, load
from hermes_agent.config.variables import DEPLOY_FAULT
from hermes_agent.domain.errors import ConfigError, HermesError
from hermes_agent.gateway import descriptors, logs
from hermes_agent.gateway.app import Gateway
from hermes_agent.gateway.lock import GatewayLock, hold
from hermes_agent.gateway.notify import Notifier
from hermes_agent.gateway.state import StateFiles
from hermes_agent.policy.redaction import Redactor
from hermes_agent.runtime.keeping import seed_skills

DRAIN_SECONDS = 60.0
STATUS_SECONDS = 10.0
RESTART = 75
"""Exit status of a planned restart (EX_TEMPFAIL): the service manager starts it again at once."""

Wish = Literal["stop", "reload", "restart"]
Open = Callable[[Loaded, Callable[[Gateway], None]], Gateway]

_log = logging.getLogger(__name__)


class Daemon:
    """Runs gateways one after another on one home until it is told to stop."""

    def __init__(
        self,
        loaded: Loaded,
        *,
        drain: float = DRAIN_SECONDS,
        open_: Open,
        log: logs.GatewayLog | None = None,
        verbose: bool = False,
    ) -> None:
        self._loaded = loaded
        self._drain = drain
        self._open = open_
        self._log = log
        self._verbose = verbose
        self._lost: HermesError | None = None
        self._gateway: Gateway | None = None
        self._instead: Wish | None = None
        self._wish: asyncio.Future[Wish] | None = None
        self._notifier = Notifier.of()
        self._state = StateFiles(loaded.paths.home, sys.argv, Redactor(loaded.secrets).text)

    async def run(self, lock: GatewayLock) -> int:
        """Until stopped; gives the exit status. Raises `ConfigError` when it cannot start."""
        loop = asyncio.get_running_loop()
        self._wish = loop.create_future()
        for number, wish in _SIGNALS.items():
            loop.add_signal_handler(number, self._wants, wish)
        self._state.begin()
        reason: str | None = None
        failed = False
        try:
            while True:
                wish = await self._live(lock)
                wish = self._instead or wish
                if self._lost is not None:
                    raise self._lost
                if wish != "reload":
                    reason = wish
                    return RESTART if wish == "restart" else 0
                self._reload()
        except HermesError as error:
            reason, failed = error.message, True
            raise
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
            self._state.end(reason, failed=failed)

    async def _live(self, lock: GatewayLock) -> Wish:
        if self._wish is None or self._wish.done():
            self._wish = asyncio.get_running_loop().create_future()
        gateway = self._gateway = self._open(self._loaded, self._changed)
        await gateway.start()
        self._state.turn("running")
        self._notifier.ready(gateway.report.status())
        _log.info("the gateway is up: %s", self._loaded.paths.home)
        if not gateway.connections and gateway.api is None:
            _log.info("nothing is connected yet; set chat apps up with: hermes gateway setup")
        beating = asyncio.create_task(self._beat(gateway, lock), name="heartbeat")
        try:
            wish = await self._wish
        finally:
            beating.cancel()
        await self._end(gateway, wish)
        return wish

    async def _end(self, gateway: Gateway, wish: Wish) -> None:
        _log.info("%s: waiting for %d turn(s) to end", wish, gateway.pump.working)
        self._state.turn("draining")
        if wish == "reload":
            self._notifier.reloading()
        else:
            self._notifier.stopping("waiting for turns to end")
        self._notifier.extend(self._drain + 60)
        alive = asyncio.create_task(self._stay_alive(), name="watchdog")
        try:
            left = await gateway.drain(self._drain)
        finally:
            alive.cancel()
        if left:
            _log.warning("%d turn(s) were cut off; they go on after the start", left)
        _log.info("drained")

    def _reload(self) -> None:
        try:
            self._loaded = load(self._loaded.paths)
        except ConfigError as error:
            _log.error("the new configuration is not used: %s %s", error, error.hint or "")
            return
        if self._log is not None:
            self._log.adjust(self._loaded.config.logging)
            verbose = self._verbose or self._loaded.config.agent.verbose
            logs.set_level(self._loaded.config.logging, verbose=verbose)
        _log.info("the configuration was read again")

    def _wants(self, wish: Wish) -> None:
        if self._wish is not None and not self._wish.done():
            self._wish.set_result(wish)
        elif wish == "reload" or self._wish is None:
            return
        elif self._wish.result() == "reload":
            self._instead = wish
        elif wish == "stop" and self._gateway is not None:
            _log.warning("told to stop again: turns that run are cut off")
            self._gateway.pump.cut()

    def _changed(self, gateway: Gateway) -> None:
        for name, connection in gateway.connections.items():
            known = connection.state
            self._state.platform(
                name, known.state, code=known.code or None, message=known.message or None
            )
        self._notifier.status(gateway.report.status())

    async def _beat(self, gateway: Gateway, lock: GatewayLock) -> None:
        interval = STATUS_SECONDS
        if self._notifier.watchdog is not None:
            interval = min(interval, self._notifier.watchdog / 3)
        while True:
            await asyncio.sleep(interval)
            self._notifier.alive()
            self._notifier.status(gateway.report.status())
            try:
                lock.keep()
            except HermesError as error:
                _log.critical("this gateway lost its home: %s", error)
                self._lost = error
                self._wants("stop")
                return

    async def _stay_alive(self) -> None:
        pause = (self._notifier.watchdog or 30.0) / 3
        while True:
            self._notifier.alive()
            await asyncio.sleep(pause)


_SIGNALS: dict[signal.Signals, Wish] = {
    signal.SIGTERM: "stop",
    signal.SIGINT: "stop",
    signal.SIGHUP: "reload",
    signal.SIGUSR1: "restart",
}


def run(loaded: Loaded, *, verbose: bool, drain: float = DRAIN_SECONDS) -> int:
    """Be the gateway of this home until stopped; gives the exit status.

    Raises `AlreadyRunning`, `ConfigError`.
    """
    if fault := os.environ.get(DEPLOY_FAULT):
        raise ConfigError(fault)
    home_layout.prepare(loaded.paths, loaded.managed)
    seed_skills(loaded)
    descriptors.ask_for_more()
    lock = hold(loaded.paths.home)
    log = logs.start(
        loaded.paths.home,
        loaded.config.logging,
        Redactor(loaded.secrets).text,
        verbose=verbose or loaded.config.agent.verbose,
    )
    try:
        daemon = Daemon(
            loaded,
            drain=drain,
            open_=lambda new, changed: Gateway(new, changed=changed),
            log=log,
            verbose=verbose,
        )
        return asyncio.run(daemon.run(lock))
    finally:
        lock.release()
        logs.stop(log)
