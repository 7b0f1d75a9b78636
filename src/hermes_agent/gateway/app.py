"""Wiring: one life of the daemon, from a configuration to the tasks that run on it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from hermes_agent.config.load import Loaded
from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Inbound, Origin
from hermes_agent.gateway.board import Board
from hermes_agent.gateway.chat import ChatRoad
from hermes_agent.gateway.commands.desk import Service
from hermes_agent.gateway.connection import Connection
from hermes_agent.gateway.courier import Courier
from hermes_agent.gateway.descriptors import turns_at_once
from hermes_agent.gateway.desk import Desk
from hermes_agent.gateway.door import GatewayDoor
from hermes_agent.gateway.home import Homes
from hermes_agent.gateway.leaving import Leaving
from hermes_agent.gateway.mailing import Mailing
from hermes_agent.gateway.places import hold_bot, with_menu, working_directory
from hermes_agent.gateway.platform_settings import api_enabled, enabled
from hermes_agent.gateway.presenting import Presenter
from hermes_agent.gateway.pump import Pump
from hermes_agent.gateway.questions import Questions
from hermes_agent.gateway.report import Report
from hermes_agent.gateway.road import Road
from hermes_agent.gateway.routing import Routing
from hermes_agent.gateway.screen import Screen
from hermes_agent.gateway.turns import ActiveTurns
from hermes_agent.gateway.voice import Voice
from hermes_agent.ledger.jobs.opening import open_jobs
from hermes_agent.ledger.opening import open_ledger
from hermes_agent.ledger.port import Claim
from hermes_agent.platforms.base import Platform, PlatformSettings
from hermes_agent.platforms.table import create
from hermes_agent.policy.admission.admission import Admission
from hermes_agent.policy.admission.files import PairingFiles
from hermes_agent.policy.admission.pairing import PairingBook
from hermes_agent.policy.admission.rules import admission_rules
from hermes_agent.policy.redaction import RedactingStream
from hermes_agent.providers.audio import Audio
from hermes_agent.runtime.host import REAP_SECONDS, SessionHost
from hermes_agent.runtime.unattended import Unattended
from hermes_agent.runtime.zone import zone_of
from hermes_agent.scheduler.asking import cron_asker
from hermes_agent.scheduler.road import CronRoad
from hermes_agent.scheduler.settings import cron_settings
from hermes_agent.scheduler.ticker import Ticker
from hermes_agent.sessions.keys import session_key
from hermes_agent.store.journal import store_thread
from hermes_agent.store.opening import open_store

if TYPE_CHECKING:
    from hermes_agent.gateway.api_part import ApiPart

WORKER = "gateway"
PARALLEL = 1024
FLUSH_SECONDS = 10.0
KEEP_DAYS = 14.0
DAY = 86400.0

Make = Callable[[PlatformSettings], Platform]
_log = logging.getLogger(__name__)


class Gateway:
    """Everything that one life of the daemon works with.

    `make` gives the adapters, `platforms` their settings (those of the configuration when None).
    `changed` is told when a platform's state changes.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        changed: Callable[["Gateway"], None] = lambda _: None,
        make: Make = create,
        platforms: Sequence[PlatformSettings] | None = None,
    ) -> None:
        self.loaded = loaded
        self.started = time.time()
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self.store = open_store(loaded.paths.home)
        if self.store.kept_copy:
            _log.info("state.db was brought up to date; as it was: %s", self.store.kept_copy)
        self.ledger = open_ledger(loaded.paths.home)
        self._thread = store_thread()
        self.jobs = open_jobs(loaded.paths.home, loaded.config.timezone)
        self._cron = cron_settings(loaded.config)
        self.ticker = Ticker(
            self.jobs, self.ledger, default=self._cron.missed, accepted=self._taken
        )
        self.desk = Desk(self.ledger, self._thread)
        self.host = SessionHost(
            loaded,
            self.store,
            cwd=working_directory(loaded),
            thread=self._thread,
            jobs=self.jobs,
        )
        self._zone: tzinfo | None = zone_of(loaded.config.timezone)
        settings = enabled(loaded) if platforms is None else tuple(platforms)
        self._settings = {each.name: with_menu(each) for each in settings}
        self._admission = Admission(
            admission_rules(loaded, self._settings),
            PairingBook(PairingFiles(loaded.paths.home / "pairing")),
        )
        self.turns = ActiveTurns()
        self.homes = Homes(loaded, self.desk)
        redactor = self.host.premises.redactor
        leaving = Leaving(
            loaded,
            self.host.premises.guard,
            may_use_tools=lambda origin: self._admission.may(origin, "tools"),
        )
        self.presenter = Presenter(
            capabilities_of=self._capabilities,
            may_send=leaving.may_send,
            brings=leaving.brings,
            quoting=self._quoting,
            home=self.homes.of,
            redact=self.host.premises.redact,
            clean=(lambda: RedactingStream(redactor)) if redactor else None,
        )
        self.mailing = Mailing(
            self.desk, self.presenter, connected=self._connected, taken=self._taken
        )
        self.questions = Questions(self.mailing.ask)
        self.courier = Courier(self.desk, self._connected, may_leave=leaving.allowed)
        self._busy_modes: dict[str, str] = {}
        self.doors = {name: self._door(name) for name in self._settings}
        self.connections = {
            name: Connection(
                each,
                make,
                self.doors[name],
                self.courier,
                lambda: self._changed(self),
                lambda settings: hold_bot(settings, loaded),
            )
            for name, each in self._settings.items()
        }
        self._known: dict[str, Capabilities] = {}
        self.routing = Routing(
            self.store,
            self._thread,
            loaded.config,
            zone=self._zone,
            running=self.host.processes,
        )
        self.report = Report(self)
        self.voice = Voice(Audio(loaded, self.host.connect), loaded.paths.home / "audio_cache")
        self.board = Board(self.jobs, self._thread, self._taken)
        self.api = self._api()
        chat = self._chat_road()
        self.pump = Pump(
            self.desk,
            worker=WORKER,
            roads=self._roads(),
            other=chat,
            parallel=turns_at_once(PARALLEL),
            settled=self.courier.wake,
            buried=self.mailing.bury,
        )

    async def start(self) -> None:
        """Take up what an earlier life left, then begin all tasks. Raises `ConfigError` when
        nothing that was configured can ever work."""
        taken = await self.desk.do(lambda ledger: ledger.reclaim(WORKER))
        if taken:
            _log.info("%d message(s) of an earlier life are taken up", taken)
        await self.homes.load(tuple(self._settings))
        for warning in self._admission.rules.warnings:
            _log.warning("%s", warning)
        self._begin("pump", self.pump.run)
        self._begin("reaper", self._reap)
        for name, connection in self.connections.items():
            self._begin(name, connection.run)
        self._begin("scheduler", lambda: self.ticker.run(self._thread))
        if self.api is not None:
            self._begin("api", self.api.run)

    async def drain(self, seconds: float) -> int:
        """Let what runs end, send what is there, stop. Gives how many turns were cut off."""
        pump = self._task("pump")
        if pump is not None:
            pump.cancel()
        left = await self.pump.drain(seconds)
        await self.courier.flush(FLUSH_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=30)
        await self.host.close()
        self._thread.shutdown()
        self.jobs.close()
        self.ledger.close()
        self.store.close()
        return left

    def _begin(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        async def guarded() -> None:
            pause = 1.0
            while True:
                try:
                    await run()
                    return
                except Exception:  # noqa: BLE001  the root of a task: logged, begun again
                    _log.exception("%s failed and is begun again", name)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 60.0)

        task = asyncio.create_task(guarded(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _task(self, name: str) -> "asyncio.Task[None] | None":
        return next((task for task in self._tasks if task.get_name() == name), None)

    def _api(self) -> "ApiPart | None":
        if not api_enabled(self.loaded):
            return None
        from hermes_agent.gateway.api_part import ApiPart

        return ApiPart(self)

    def _roads(self) -> Mapping[str, Road]:
        return {"cron": self._cron_road()}

    def _cron_road(self) -> CronRoad:
        asker = cron_asker(self.loaded.config)
        return CronRoad(
            self.jobs,
            self.host,
            home_dir=self.loaded.paths.home,
            render=lambda target, text: self.presenter.posts(target.platform, text),
            answer=lambda target, answer, origin: self.presenter.answer(
                target.platform, answer.said, origin, before=answer.before, after=answer.after
            ),
            home=self.homes.of,
            run_command=Unattended(self.host.premises, working_directory(self.loaded), asker),
            settings=self._cron,
            asker=asker,
            thread=self._thread,
        )

    def _chat_road(self) -> ChatRoad:
        service = Service(
            loaded=self.loaded,
            store=self.store,
            host=self.host,
            routing=self.routing,
            turns=self.turns,
            questions=self.questions,
            status=self.report.line,
            begin=self.mailing.put,
            set_home=self._set_home,
        )
        return ChatRoad(
            service,
            presenter=self.presenter,
            role=self._admission.role,
            toolsets=self._admission.toolsets,
            screen=self._screen,
            absorb=self._absorb,
            waiting=lambda key: self.desk.do(lambda ledger: ledger.waiting(key)),
            home=self.homes.any,
            voice=self.voice,
            run_own=lambda asker: Unattended(
                self.host.premises, working_directory(self.loaded), asker
            ),
        )

    def _door(self, name: str) -> GatewayDoor:
        return GatewayDoor(
            name,
            self.loaded,
            admission=self._admission,
            desk=self.desk,
            presenter=self.presenter,
            turns=self.turns,
            questions=self.questions,
            busy_mode=self._busy_mode,
            seen=self.mailing.seen,
            taken=self._taken,
        )

    def _screen(self, claim: Claim, capabilities: Capabilities, written: int) -> Screen:
        name = claim.inbound.origin.platform
        return Screen(
            claim,
            capabilities,
            desk=self.desk,
            platform=self._connected().get(name),
            render=lambda text: self.presenter.posts(name, text),
            answer=lambda text: self.presenter.answer(name, text, claim.inbound.origin),
            grow=lambda: self.presenter.growing(claim, self.loaded.config.streaming),
            streaming=self.loaded.config.streaming,
            progress=self.loaded.config.display.tool_progress,
            first_message=written,
        )

    def _connected(self) -> dict[str, Platform]:
        return {
            name: connection.platform
            for name, connection in self.connections.items()
            if connection.platform is not None
        }

    def _capabilities(self, name: str) -> Capabilities | None:
        platform = self._connected().get(name)
        if platform is not None:
            self._known[name] = platform.capabilities
        return self._known.get(name)

    def _quoting(self, name: str) -> str:
        settings = self._settings.get(name)
        return settings.reply_to if settings else "off"

    def _busy_mode(self, key: str) -> str:
        route = self.store.route(key)
        chosen = route.choices.get("busy") if route else None
        return chosen or self.loaded.config.display.busy_input_mode

    def _taken(self) -> None:
        self.pump.wake()
        self.courier.wake()

    async def _absorb(self, row: int, into: Claim) -> None:
        await self.desk.insist(lambda ledger: ledger.absorb(row, WORKER, into))

    async def _set_home(self, inbound: Inbound) -> None:
        await self.homes.choose(inbound.origin)

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAP_SECONDS)
            await self.host.reap()
            await self.look_back()
            await asyncio.to_thread(self.voice.prune)
            await self.desk.do(lambda ledger: ledger.prune(time.time() - KEEP_DAYS * DAY))

    async def look_back(self) -> None:
        """Before the next message of a chat begins a new session, the old one is looked through."""
        if led := self.host.reviews.led:
            for session_id in await self.routing.expired(led):
                self.host.reviews.left(session_id)

    def key_of(self, origin: Origin) -> str:
        """The conversation that this origin belongs to."""
        return session_key(origin, per_user=self.loaded.config.group_sessions_per_user)
