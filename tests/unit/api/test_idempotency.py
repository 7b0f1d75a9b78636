"""One key, one answer: what is kept, for whom, and how much of it."""

from typing import Any

import pytest

from hermes_agent.api import idempotency
from hermes_agent.api.exchange import Exchange
from hermes_agent.api.idempotency import Tapes
from hermes_agent.api.refusal import Refusal


class Wire:
    """An exchange, and what was sent on it."""

    def __init__(self, body: bytes = b"{}", path: str = "/v1/runs") -> None:
        self.sent: list[Any] = []
        scope: dict[str, Any] = {
            "method": "POST",
            "path": path,
            "headers": [],
            "http_version": "1.1",
            "query_string": b"",
        }
        self.exchange = Exchange(scope, self._receive, self._send)
        self.exchange.body = body

    async def _receive(self) -> Any:
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def answered(tapes: Tapes, key: str, status: int = 200, body: bytes = b"{}") -> None:
    wire = Wire(body)
    assert tapes.recorded(wire.exchange, key) is None
    await wire.exchange.answer(b"done", status=status)
    tapes.settle(wire.exchange)


async def test_an_answer_is_given_again_for_the_same_key_body_and_address() -> None:
    tapes = Tapes()
    await answered(tapes, "k")
    again = Wire()
    tape = tapes.recorded(again.exchange, "k")
    assert tape is not None
    await tape.play(again.exchange)
    assert again.body == b"done"
    with pytest.raises(Refusal, match="another request") as caught:
        tapes.recorded(Wire(b"[]").exchange, "k")
    assert caught.value.status == 422
    assert tapes.recorded(Wire(path="/v1/responses").exchange, "k") is None


@pytest.mark.parametrize("status", [200, 202, 400, 404])
async def test_lasting_answers_are_kept(status: int) -> None:
    tapes = Tapes()
    await answered(tapes, "k", status)
    assert tapes.recorded(Wire().exchange, "k") is not None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_passing_faults_are_not_kept(status: int) -> None:
    tapes = Tapes()
    await answered(tapes, "k", status)
    assert tapes.recorded(Wire().exchange, "k") is None


async def test_who_waits_for_a_request_that_dies_is_told() -> None:
    tapes = Tapes()
    first, second = Wire(), Wire()
    assert tapes.recorded(first.exchange, "k") is None
    tape = tapes.recorded(second.exchange, "k")
    assert tape is not None
    tapes.settle(first.exchange)
    with pytest.raises(Refusal, match="failed"):
        await tape.play(second.exchange)


async def test_old_and_surplus_answers_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MAX_ENTRIES", 3)
    tapes = Tapes()
    for key in "abcd":
        await answered(tapes, key)
    assert tapes.recorded(Wire().exchange, "d") is not None
    assert tapes.recorded(Wire().exchange, "a") is None


async def test_answers_in_the_making_are_never_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MAX_ENTRIES", 2)
    tapes = Tapes()
    for key in "ab":
        assert tapes.recorded(Wire().exchange, key) is None
    with pytest.raises(Refusal) as caught:
        tapes.recorded(Wire().exchange, "c")
    assert caught.value.status == 429
    assert tapes.recorded(Wire().exchange, "a") is not None
