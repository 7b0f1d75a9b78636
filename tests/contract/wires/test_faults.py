"""What every wire makes of a model server that misbehaves."""

import pytest

from hermes_agent.domain.errors import (
    BadResponse,
    ContentRefused,
    ContextOverflow,
    CredentialRefused,
    ModelError,
    RateLimited,
    RequestRefused,
    RetryableError,
    StreamBroken,
    Unreachable,
)
from hermes_agent.providers.vendor import WireName
from tests.contract.wires.conftest import Talk, aim
from tests.servers.model import ModelServer, closed_port
from tests.servers.script import Call, Fault, Reply

SPOKEN = Reply(text="Grüße aus Köln, gestückelt.", chunks=4)


@pytest.mark.parametrize(
    "quirk",
    [
        "bom",
        "comments",
        "crlf",
        "dribble",
        "extra-fields",
        "keep-open",
        "long-line",
        "no-space",
        "split-data",
        "split-utf8",
        "unknown-events",
    ],
)
async def test_an_odd_but_lawful_stream_is_read(talk: Talk, server: ModelServer, quirk: str):
    server.say(Fault.stream(quirk, reply=SPOKEN))  # type: ignore[arg-type]
    heard = await talk.hear()
    assert heard.text == SPOKEN.text
    assert heard.message.finish == "stop"


async def test_several_oddities_at_once_are_read(talk: Talk, server: ModelServer):
    reply = Reply(reasoning="Überlegung", calls=[Call("terminal", {"command": "echo ß"})])
    server.say(Fault.stream("crlf", "comments", "split-utf8", "unknown-events", reply=reply))
    heard = await talk.hear()
    assert heard.reasoning == "Überlegung"
    assert heard.calls[0][0] == "terminal"


async def test_a_missing_end_mark_after_the_finish_reason_is_forgiven(
    talk: Talk, server: ModelServer
):
    if talk.target.wire == "responses":
        pytest.skip("its end mark is where the finish reason stands")
    if talk.target.wire == "gemini":
        pytest.skip("it has no end mark")
    server.say(Fault.stream("no-end", reply=SPOKEN))
    assert (await talk.hear()).message.content == SPOKEN.text


async def test_an_answer_without_a_finish_reason_is_broken(talk: Talk, server: ModelServer):
    server.say(Fault.stream("no-finish", reply=SPOKEN))
    with pytest.raises(StreamBroken, match="broke off"):
        await talk.hear()


@pytest.mark.parametrize("quirk", ["bad-json", "cut-event"])
async def test_a_torn_event_is_an_error_never_a_gap(talk: Talk, server: ModelServer, quirk: str):
    server.say(Fault.stream(quirk, reply=SPOKEN))  # type: ignore[arg-type]
    with pytest.raises((BadResponse, StreamBroken)):
        await talk.hear()


@pytest.mark.parametrize("where", ["start", "headers", "stream", "arguments"])
@pytest.mark.parametrize("kind", ["reset", "close"])
async def test_a_broken_connection_is_a_passing_fault(
    talk: Talk, server: ModelServer, kind: str, where: str
):
    server.say(getattr(Fault, kind)(where))
    expected = Unreachable if where == "start" else (StreamBroken, Unreachable, BadResponse)
    with pytest.raises(expected):
        await talk.hear()


async def test_a_server_that_never_answers_is_given_up(talk: Talk, server: ModelServer):
    server.say(Fault.hang())
    with pytest.raises(Unreachable, match=r"did not answer within 0\.2 s"):
        await talk.hear(stall=0.2)


async def test_a_stream_that_stalls_is_given_up(talk: Talk, server: ModelServer):
    server.say(Fault.stall("stream"))
    with pytest.raises(StreamBroken, match=r"nothing came for 0\.2 s"):
        await talk.hear(stall=0.2)


async def test_nobody_listening_is_unreachable(wire: WireName, talk: Talk):
    with closed_port() as port:
        talk.target = aim(wire, f"http://127.0.0.1:{port}")
        with pytest.raises(Unreachable, match="No connection"):
            await talk.hear()


async def test_a_web_page_instead_of_an_answer(talk: Talk, server: ModelServer):
    server.say(Fault.html())
    with pytest.raises(BadResponse, match="web page") as caught:
        await talk.hear()
    assert "base_url" in (caught.value.hint or "")


async def test_an_empty_body(talk: Talk, server: ModelServer):
    server.say(Fault.empty())
    with pytest.raises(BadResponse, match="nothing"):
        await talk.hear()


@pytest.mark.parametrize(
    "body", [b"hello", b"\x00\xff\xfe binary", b"null", b"{}", b"[]", b'{"choices":[]}', b"data:"]
)
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/plain"])
async def test_a_body_that_is_no_answer(talk: Talk, server: ModelServer, body: bytes, kind: str):
    server.say(Fault.raw(body, content_type=kind))
    with pytest.raises((BadResponse, StreamBroken)):
        await talk.hear()


async def test_invalid_utf8_in_an_event_is_mended(talk: Talk, server: ModelServer):
    stand_in = "PLACE"
    server.say(Reply(text=f"a {stand_in} b", chunks=100))
    async with talk.client.stream(
        "POST",
        f"{server.root_url}{_path(talk)}",
        json={"model": "m", "stream": True, "messages": [], "input": [], "max_tokens": 1},
    ) as answer:
        recorded = await answer.aread()
    server.say(Fault.raw(recorded.replace(b"PLACE", b"\xff\xfe"), content_type="text/event-stream"))
    assert (await talk.hear()).text.replace("\ufffd", "") == "a  b"


def _path(talk: Talk) -> str:
    return {
        "chat_completions": "/v1/chat/completions",
        "responses": "/v1/responses",
        "anthropic": "/v1/messages",
        "gemini": "/v1beta/models/m:streamGenerateContent?alt=sse",
    }[talk.target.wire]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("bad_request", RequestRefused),
        ("unauthorized", CredentialRefused),
        ("unauthenticated", CredentialRefused),
        ("payment", RequestRefused),
        ("forbidden", CredentialRefused),
        ("not_found", RequestRefused),
        ("timeout", RetryableError),
        ("too_large", ContextOverflow),
        ("context_overflow", ContextOverflow),
        ("content_refused", ContentRefused),
        ("rate_limited", RateLimited),
        ("server_error", RetryableError),
        ("unavailable", RetryableError),
        ("gateway_timeout", RetryableError),
        ("overloaded", RetryableError),
    ],
)
async def test_a_refusal_is_classified(
    talk: Talk, server: ModelServer, error: str, kind: type[ModelError]
):
    server.say(Fault.refuse(error))
    with pytest.raises(ModelError) as caught:
        await talk.hear()
    assert isinstance(caught.value, kind)
    assert caught.value.vendor == talk.target.vendor.id
    assert talk.target.vendor.label in caught.value.message
    assert isinstance(caught.value, RetryableError) == issubclass(kind, RetryableError)


async def test_a_refused_key_names_where_it_came_from(talk: Talk, server: ModelServer):
    server.say(Fault.refuse("unauthorized"))
    with pytest.raises(CredentialRefused, match="TEST_API_KEY"):
        await talk.hear()


async def test_an_overflow_names_the_window(talk: Talk, server: ModelServer):
    server.say(Fault.context_overflow())
    with pytest.raises(ContextOverflow) as caught:
        await talk.hear()
    assert caught.value.limit in (128_000, 200_000, 1_048_576)


@pytest.mark.parametrize("date", [False, True])
async def test_a_rate_limit_says_how_long(talk: Talk, server: ModelServer, date: bool):
    server.say(Fault.rate_limited(7, date=date))
    with pytest.raises(RateLimited) as caught:
        await talk.hear()
    assert caught.value.retry_after == pytest.approx(7, abs=1.5)


async def test_an_error_in_the_stream_is_an_error(talk: Talk, server: ModelServer):
    server.say(Fault.error_in_stream())
    with pytest.raises(RetryableError):
        await talk.hear()


async def test_an_error_at_once_is_an_error(talk: Talk, server: ModelServer):
    server.say(Fault.error_in_stream(after=0))
    with pytest.raises(RetryableError):
        await talk.hear()


async def test_a_bad_gateways_page_is_a_passing_fault(talk: Talk, server: ModelServer):
    server.say(Fault.http(502))
    with pytest.raises(RetryableError, match="502 Bad Gateway"):
        await talk.hear()


async def test_a_redirect_is_not_followed(talk: Talk, server: ModelServer):
    server.say(
        Fault.refuse("", status=307, headers={"location": "http://127.0.0.1:1/elsewhere"}, body="")
    )
    with pytest.raises(RequestRefused, match=r"redirects to http://127\.0\.0\.1:1/elsewhere"):
        await talk.hear()
    assert len(server.requests) == 1
