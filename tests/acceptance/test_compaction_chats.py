"""Long conversations in a chat with the daemon: shortened, looked at, and whole when that fails."""

from collections.abc import Generator

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.test_compaction import (
    answer,
    facts_in,
    narrow,
    said_to,
    sessions,
    summarising,
    summary,
)
from tests.acceptance.test_gateway import Running, gateway
from tests.servers.model import ModelServer
from tests.servers.script import Fault
from tests.servers.telegram import BotApi


@pytest.fixture
def api() -> Generator[BotApi]:
    with BotApi() as api:
        yield api


def tell(daemon: Running, first: int, last: int) -> None:
    """A fact a turn."""
    for number in range(first, last):
        words = f"Some words about number {number}. " * 90
        daemon.say(f"Remember fact-{number:03d}. {words}")
        daemon.sees("I keep that in mind.", number + 1)


def known(server: ModelServer) -> list[str]:
    """The facts that the model was shown last."""
    talks = [each for each in server.model_requests if not summarising(each)]
    return facts_in(said_to(talks[-1]))


def test_a_person_shortens_and_looks_by_slash_commands(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    server.when(summarising, summary)
    server.always(answer)
    with gateway(hermes, api) as daemon:
        tell(daemon, 0, 6)
        daemon.say("/context")
        assert "Is shortened at" in daemon.sees("Window of")[-1]
        daemon.say("/compress the colours")
        daemon.sees("Shortened from")
        (asked,) = (each for each in server.model_requests if summarising(each))
        assert "the colours" in said_to(asked)
        tell(daemon, 6, 7)
        assert known(server) == [f"fact-{number:03d}" for number in range(7)]
        daemon.say("/usage")
        assert "shortened once" in daemon.sees("tool calls")[-1]
        daemon.stop()
    assert len(sessions(hermes)) == 2


@pytest.mark.parametrize("where", ["the same server", "a server of its own"])
def test_a_model_that_cannot_summarise_takes_nothing_and_the_chat_is_told(
    hermes: Hermes, server: ModelServer, api: BotApi, where: str
) -> None:
    narrow(hermes)
    with ModelServer() as writer:
        broken = server
        if where != "the same server":
            broken = writer
            hermes.configure(
                "auxiliary: {compression: {provider: custom, model: small-writer, "
                f"base_url: '{writer.base_url}'}}}}\n"
            )
        broken.when(summarising, Fault.http(400, "I am out of order."))
        server.always(answer)
        with gateway(hermes, api) as daemon:
            tell(daemon, 0, 14)
            told = [text for text in daemon.sees("was not shortened") if "not shortened" in text]
            assert len(told) == 1
            assert "out of order" in told[0]
            assert known(server) == [f"fact-{number:03d}" for number in range(14)]
            daemon.stop()
    assert len(sessions(hermes)) == 1
