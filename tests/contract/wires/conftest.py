"""One scripted server, one client, and a target for each wire."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import httpx2
import pytest

from hermes_agent.config.secret import Secret
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import (
    CallDelta,
    Delta,
    Finished,
    ReasoningDelta,
    Request,
    TextDelta,
)
from hermes_agent.providers.call import WireModel
from hermes_agent.providers.http import open_client
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import WireName, find_vendor
from tests.servers.model import ModelServer

MODELS: dict[WireName, tuple[str, str]] = {
    "chat_completions": ("openrouter", "anthropic/claude-sonnet-4"),
    "responses": ("openai", "gpt-5"),
    "anthropic": ("anthropic", "claude-sonnet-4-5"),
    "gemini": ("google", "gemini-3-pro-preview"),
}
KEY = "sk-test-4711"


class Heard:
    """What a stream said."""

    def __init__(self, deltas: Sequence[Delta]) -> None:
        self.deltas = list(deltas)

    @property
    def message(self) -> Message:
        last = self.deltas[-1]
        assert isinstance(last, Finished)
        return last.message

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.deltas if isinstance(each, TextDelta)]

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def reasoning(self) -> str:
        return "".join(each.text for each in self.deltas if isinstance(each, ReasoningDelta))

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Name and arguments of each call, put together from its deltas."""
        names: dict[int, str] = {}
        arguments: dict[int, str] = {}
        for each in self.deltas:
            if isinstance(each, CallDelta):
                names[each.index] = names.get(each.index) or each.name
                arguments[each.index] = arguments.get(each.index, "") + each.arguments
        return [(names[index], arguments[index]) for index in sorted(names)]


def ask(text: str = "Hello?", **more: object) -> Request:
    given = {"system": "Be brief.", "messages": (Message(role="user", content=text),)}
    return Request(**{**given, **more})  # type: ignore[arg-type]


class Talk:
    """A model on the scripted server."""

    def __init__(self, target: Target, client: httpx2.AsyncClient) -> None:
        self.target = target
        self.client = client

    def model(self, *, stall: float = 10.0) -> WireModel:
        return WireModel(self.target, lambda: self.client, stall=stall)

    async def hear(self, request: Request | None = None, *, stall: float = 10.0) -> Heard:
        stream = self.model(stall=stall).stream(request or ask())
        return Heard([delta async for delta in stream])


@pytest.fixture(params=list(MODELS))
def wire(request: pytest.FixtureRequest) -> WireName:
    return request.param


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with open_client({}) as opened:
        yield opened


Aim = Callable[[str], Target]


def aim(wire: WireName, base_url: str) -> Target:
    """A target of this wire at this server's root."""
    name, model = MODELS[wire]
    vendor = find_vendor(name)
    assert vendor is not None
    return Target(
        vendor=vendor,
        wire=wire,
        base_url=base_url if wire in ("anthropic", "gemini") else f"{base_url}/v1",
        model=model,
        key=Secret(KEY),
        key_source="TEST_API_KEY",
    )


@pytest.fixture
def talk(wire: WireName, server: ModelServer, client: httpx2.AsyncClient) -> Talk:
    return Talk(aim(wire, server.root_url), client)
