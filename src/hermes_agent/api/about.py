"""What this server is and how it fares: capabilities, toolsets, skills, health, metrics."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from hermes_agent.api.chat_wire import OURS
from hermes_agent.api.conversation import SOURCE
from hermes_agent.api.exchange import Exchange
from hermes_agent.api.health import Health
from hermes_agent.api.metrics import MEDIA_TYPE, Metric, Sample, gauge, render
from hermes_agent.api.routes import Reply, Route
from hermes_agent.api.settings import ApiSettings
from hermes_agent.api.turns import Turns
from hermes_agent.sessions.host import Host
from hermes_agent.tools.table import TABLE
from hermes_agent.tools.toolsets import TOOLSETS
from hermes_agent.version import VERSION


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """It answers."""

    status: Literal["ok", "degraded", "down"]
    platform: str = OURS


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is held to."""

    body_bytes: int
    concurrent_turns: int


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What clients can count on."""

    version: str
    model: str
    models: list[str]
    endpoints: list[str]
    features: dict[str, bool]
    limits: Limits
    object: Literal["hermes.capabilities"] = "hermes.capabilities"


class Toolset(msgspec.Struct, frozen=True, kw_only=True):
    """A set of tools; `tools` are those of it that sessions of this server have."""

    id: str
    description: str
    tools: list[str]
    enabled: bool
    object: Literal["hermes.toolset"] = "hermes.toolset"


class ToolsetList(msgspec.Struct, frozen=True, kw_only=True):
    """All toolsets that have tools."""

    data: list[Toolset]
    object: Literal["list"] = "list"


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """A skill of the agent."""

    id: str
    description: str


class SkillList(msgspec.Struct, frozen=True, kw_only=True):
    """All skills."""

    data: list[Skill]
    object: Literal["list"] = "list"


class About:
    """The endpoints."""

    def __init__(
        self,
        settings: ApiSettings,
        host: Host,
        turns: Turns,
        health: Callable[[], Health],
        metrics: Callable[[], Iterable[Metric]],
    ) -> None:
        self.answered: Counter[tuple[str, str, int]] = Counter()
        self.endpoints: list[str] = []
        self._settings = settings
        self._host = host
        self._turns = turns
        self._health = health
        self._metrics = metrics

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(
                method="GET",
                path="/health",
                handler=self.alive,
                summary="Whether the daemon runs. The only address that needs no key, from here.",
                reply=Reply(body=Alive),
                public=True,
            ),
            Route(
                method="GET",
                path="/health/detailed",
                handler=self.health,
                summary="How each part of the daemon is.",
                reply=Reply(body=Health),
            ),
            Route(
                method="GET",
                path="/metrics",
                handler=self.metrics,
                summary="Figures in Prometheus' text format.",
                reply=Reply(body="text/plain"),
            ),
            Route(
                method="GET",
                path="/v1/capabilities",
                handler=self.capabilities,
                summary="What clients can count on.",
                reply=Reply(body=Capabilities),
            ),
            Route(
                method="GET",
                path="/v1/toolsets",
                handler=self.toolsets,
                summary="The toolsets, and which of their tools sessions of this server have.",
                reply=Reply(body=ToolsetList),
            ),
            Route(
                method="GET",
                path="/v1/skills",
                handler=self.skills,
                summary="The agent's skills.",
                reply=Reply(body=SkillList),
            ),
        )

    async def alive(self, exchange: Exchange) -> None:
        exchange.query()
        health = self._health()
        await exchange.answer(
            Alive(status=health.status), status=503 if health.status == "down" else 200
        )

    async def health(self, exchange: Exchange) -> None:
        exchange.query()
        health = self._health()
        if not health.version:
            health = msgspec.structs.replace(health, version=VERSION)
        await exchange.answer(health)

    async def metrics(self, exchange: Exchange) -> None:
        exchange.query()
        page = render([*self._metrics(), *self._own()])
        await exchange.answer(page, kind=MEDIA_TYPE)

    def _own(self) -> tuple[Metric, ...]:
        answered = tuple(
            Sample(count, {"method": method, "route": route, "status": str(status)})
            for (method, route, status), count in sorted(self.answered.items())
        )
        return (
            Metric(
                name="hermes_api_requests_total",
                help="Answers by route and status.",
                kind="counter",
                samples=answered,
            ),
            gauge("hermes_api_turns", "Turns that run for API clients.", self._turns.running),
        )

    async def capabilities(self, exchange: Exchange) -> None:
        exchange.query()
        told = Capabilities(
            version=VERSION,
            model=await self._host.model_name(),
            models=[OURS, *self._settings.models],
            endpoints=self.endpoints,
            features={
                "streaming": True,
                "stored_responses": True,
                "runs": True,
                "approvals": True,
                "idempotency_keys": True,
                "images": True,
                "image_urls": False,
                "files": False,
                "client_tools": False,
                "audio": False,
            },
            limits=Limits(
                body_bytes=self._settings.max_body, concurrent_turns=self._settings.max_turns
            ),
        )
        await exchange.answer(told)

    async def toolsets(self, exchange: Exchange) -> None:
        exchange.query()
        there = {spec.name for spec in await self._host.specs(SOURCE)}
        sets: list[Toolset] = []
        for name, text in TOOLSETS.items():
            known = [tool for tool, entry in TABLE.items() if entry.toolset == name]
            tools = [tool for tool in known if tool in there]
            if known:
                sets.append(Toolset(id=name, description=text, tools=tools, enabled=bool(tools)))
        await exchange.answer(ToolsetList(data=sets))

    async def skills(self, exchange: Exchange) -> None:
        exchange.query()
        skills = await self._host.skills(SOURCE)
        listed = [Skill(id=name, description=text) for name, text in skills.items()]
        await exchange.answer(SkillList(data=listed))
