"""A model that does not give up at the first fault, against a server that misbehaves."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence

import httpx2
import msgspec
import pytest

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import (
    ContextOverflow,
    CredentialRefused,
    ModelError,
    RateLimited,
    RequestRefused,
    RetryableError,
)
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Delta, Finished, Request, Retrying, TextDelta
from hermes_agent.providers.build import build_model
from hermes_agent.providers.call import WireModel
from hermes_agent.providers.http import open_client
from hermes_agent.providers.resilience import COOLDOWN, ResilientModel
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import find_vendor
from tests.servers.model import ModelServer, closed_port
from tests.servers.script import Fault, Reply

ASK = Request(system="Be brief.", messages=(Message(role="user", content="Hello?"),))
HELLO = Reply(text="Hello.")


class Naps:
    """Sleeps that are over at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.now = 0.0

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def backup() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with open_client({}) as opened:
        yield opened


def target(base_url: str, model: str = "first", key: str = "k") -> Target:
    vendor = find_vendor("custom")
    assert vendor is not None
    return Target(
        vendor=vendor,
        wire="chat_completions",
        base_url=base_url,
        model=model,
        key=Secret(key),
        key_source="TEST_KEY",
    )


def chain(
    client: httpx2.AsyncClient, naps: Naps, targets: Sequence[Target], **more: object
) -> ResilientModel:
    models = [WireModel(each, lambda: client, stall=0.3) for each in targets]
    return ResilientModel(
        models,
        sleep=naps,
        jitter=lambda: 1.0,
        clock=naps.clock,
        **more,  # type: ignore[arg-type]
    )


async def hear(model: ResilientModel) -> list[Delta]:
    return [delta async for delta in model.stream(ASK)]


def text(deltas: list[Delta]) -> str:
    """What stays on the screen: everything before a `Retrying` is void."""
    shown = ""
    for delta in deltas:
        if isinstance(delta, Retrying):
            shown = ""
        elif isinstance(delta, TextDelta):
            shown += delta.text
    return shown


@pytest.mark.parametrize(
    "fault",
    [
        Fault.http(500),
        Fault.http(502),
        Fault.http(503),
        Fault.http(529),
        Fault.refuse("overloaded"),
        Fault.reset("start"),
        Fault.reset("headers"),
        Fault.reset("stream"),
        Fault.close("stream", after=2),
        Fault.reset("arguments"),
        Fault.stall("start"),
        Fault.stall("stream"),
        Fault.error_in_stream(),
        Fault.html(),
        Fault.empty(),
        Fault.stream("bad-json"),
        Fault.stream("cut-event"),
        Fault.stream("no-finish"),
        Fault.raw(b"nonsense", content_type="text/event-stream"),
    ],
    ids=lambda each: f"{each.kind}-{each.status or each.error or each.where}-{each.quirks}",
)
async def test_a_passing_fault_is_tried_again(
    server: ModelServer, client: httpx2.AsyncClient, naps: Naps, fault: Fault
):
    server.say(fault, HELLO)
    deltas = await hear(chain(client, naps, [target(server.base_url)]))
    assert text(deltas) == "Hello."
    (retry,) = [each for each in deltas if isinstance(each, Retrying)]
    assert retry.attempt == 1
    assert retry.model == "first"
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].message.content == "Hello."
    assert naps.slept == [retry.delay]


async def test_it_waits_longer_each_time_and_then_gives_up(
    server: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    server.always(Fault.http(500))
    with pytest.raises(RetryableError):
        await hear(chain(client, naps, [target(server.base_url)], retries=3))
    assert naps.slept == [1.0, 2.0, 4.0]
    assert len(server.requests) == 4


async def test_waiting_is_spread_by_chance(server: ModelServer, client: httpx2.AsyncClient):
    naps = Naps()
    server.always(Fault.http(500))
    models = [WireModel(target(server.base_url), lambda: client)]
    with pytest.raises(RetryableError):
        await hear(ResilientModel(models, sleep=naps, jitter=lambda: 0.0))
    assert naps.slept == [0.5, 1.0, 2.0]


async def test_the_vendors_own_time_is_kept(
    server: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    server.say(Fault.rate_limited(20), HELLO)
    assert text(await hear(chain(client, naps, [target(server.base_url)]))) == "Hello."
    assert 20 <= naps.slept[0] <= 22


async def test_an_hour_is_not_waited_for(
    server: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    server.always(Fault.rate_limited(3600))
    with pytest.raises(RateLimited) as caught:
        await hear(chain(client, naps, [target(server.base_url)]))
    assert caught.value.retry_after == pytest.approx(3600)
    assert naps.slept == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.refuse("bad_request"), RequestRefused),
        (Fault.refuse("not_found"), RequestRefused),
        (Fault.refuse("quota"), RequestRefused),
        (Fault.refuse("unauthorized"), CredentialRefused),
        (Fault.context_overflow(), ContextOverflow),
    ],
    ids=lambda each: getattr(each, "error", ""),
)
async def test_what_will_not_help_is_not_tried_again(
    server: ModelServer,
    client: httpx2.AsyncClient,
    naps: Naps,
    fault: Fault,
    kind: type[ModelError],
):
    server.say(fault)
    with pytest.raises(kind):
        await hear(chain(client, naps, [target(server.base_url)]))
    assert len(server.requests) == 1
    assert naps.slept == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault.refuse("unauthorized"),
        Fault.refuse("quota"),
        Fault.refuse("not_found"),
        Fault.refuse("content_refused"),
        Fault.rate_limited(5),
    ],
    ids=lambda each: each.error,
)
async def test_the_next_model_is_asked_at_once(
    server: ModelServer,
    backup: ModelServer,
    client: httpx2.AsyncClient,
    naps: Naps,
    fault: Fault,
):
    server.say(fault)
    backup.say(HELLO)
    targets = [target(server.base_url), target(backup.base_url, "second")]
    deltas = await hear(chain(client, naps, targets))
    assert text(deltas) == "Hello."
    (retry,) = [each for each in deltas if isinstance(each, Retrying)]
    assert (retry.model, retry.delay) == ("second", 0.0)
    assert naps.slept == []


async def test_a_passing_fault_that_stays_leads_to_the_next_model(
    backup: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    backup.say(HELLO)
    with closed_port() as port:
        targets = [target(f"http://127.0.0.1:{port}/v1"), target(backup.base_url, "second")]
        deltas = await hear(chain(client, naps, targets, retries=2))
    assert text(deltas) == "Hello."
    assert len(naps.slept) == 2


async def test_when_all_fail_the_first_reason_is_told(
    server: ModelServer, backup: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    server.always(Fault.refuse("not_found"))
    backup.always(Fault.http(500))
    targets = [target(server.base_url), target(backup.base_url, "second")]
    with pytest.raises(RequestRefused, match="does not exist"):
        await hear(chain(client, naps, targets))


async def test_an_overflow_is_the_callers_to_solve(
    server: ModelServer, backup: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    server.say(Fault.context_overflow())
    targets = [target(server.base_url), target(backup.base_url, "second")]
    with pytest.raises(ContextOverflow):
        await hear(chain(client, naps, targets))
    assert backup.requests == []


async def test_the_fallback_stays_first_for_a_while(
    server: ModelServer, backup: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    server.say(Fault.refuse("quota"), HELLO)
    backup.always(HELLO)
    model = chain(client, naps, [target(server.base_url), target(backup.base_url, "second")])
    assert model.name == "first"
    await hear(model)
    await hear(model)
    assert model.name == "second"
    assert len(server.requests) == 1
    naps.now = COOLDOWN
    await hear(model)
    assert len(server.requests) == 2
    assert model.name == "first"


async def test_a_refused_key_is_refreshed_once(
    server: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    asked: list[int] = []

    async def refresh(index: int, refused: CredentialRefused) -> WireModel:
        asked.append(index)
        renewed = msgspec.structs.replace(target(server.base_url), key=Secret("new"))
        return WireModel(renewed, lambda: client)

    server.say(Fault.refuse("unauthorized"), HELLO)
    model = chain(client, naps, [target(server.base_url, key="old")], refresh=refresh)
    assert text(await hear(model)) == "Hello."
    keys = [each.headers["authorization"] for each in server.requests]
    assert keys == ["Bearer old", "Bearer new"]
    server.say(Fault.refuse("unauthorized"), Fault.refuse("unauthorized"))
    with pytest.raises(CredentialRefused):
        await hear(model)
    assert asked == [0, 0]


async def test_interrupting_a_wait_ends_it_at_once(server: ModelServer, client: httpx2.AsyncClient):
    waiting = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    server.always(Fault.http(500))
    model = ResilientModel([WireModel(target(server.base_url), lambda: client)], sleep=sleep)
    task = asyncio.create_task(hear(model))
    async with asyncio.timeout(10):
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_stopping_to_listen_closes_the_connection(
    server: ModelServer, client: httpx2.AsyncClient, naps: Naps
):
    server.say(Reply(text="one two", chunks=["one ", "two"], hold=threading.Event()))
    stream = chain(client, naps, [target(server.base_url)]).stream(ASK)
    assert isinstance(await anext(stream), TextDelta)
    await stream.aclose()  # type: ignore[attr-defined]
    assert await asyncio.to_thread(server.requests[0].hung_up.wait, 2)


async def test_a_model_is_built_of_targets(server: ModelServer, client: httpx2.AsyncClient):
    server.say(HELLO)
    model = build_model([target(server.base_url)], client)
    assert (model.name, model.context_length) == ("first", 128_000)
    assert text(await hear(model)) == "Hello."
