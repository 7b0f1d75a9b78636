"""The vendors' clients raise their own errors on the scripted server's faults."""

import email.utils
import time
from typing import Any, cast

import anthropic
import httpx2
import openai
import pytest
from google.genai import errors as genai_errors

from tests.contract.servers.oracles import ORACLES, Oracle
from tests.servers.model import ModelServer, closed_port
from tests.servers.script import Call, Fault, Reply, Where

BROKEN = (openai.APIConnectionError, anthropic.APIConnectionError, httpx2.TransportError)
OPENAI: dict[int, type[Exception]] = {
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
}
ANTHROPIC: dict[int, type[Exception]] = {
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    413: anthropic.APIStatusError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    529: anthropic.InternalServerError,
}
GEMINI: dict[int, type[Exception]] = {
    401: genai_errors.ClientError,
    429: genai_errors.ClientError,
    500: genai_errors.ServerError,
    503: genai_errors.ServerError,
}


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 529])
def test_an_http_status_raises_the_clients_own_class(
    server: ModelServer, oracle: Oracle, status: int
) -> None:
    server.say(Fault.http(status))
    classes = {"anthropic": ANTHROPIC, "gemini": GEMINI}.get(oracle.dialect, OPENAI)
    with pytest.raises(classes.get(status, oracle.refused)) as caught:
        oracle.ask()
    assert oracle.status_of(caught.value) == status


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("chat", "maximum context length"),
        ("responses-stream", "maximum context length"),
        ("anthropic-stream", "prompt is too long"),
        ("gemini", "exceeds the maximum number of tokens"),
    ],
)
def test_context_overflow_is_told_in_the_vendors_words(
    server: ModelServer, dialect: str, words: str
) -> None:
    oracle = ORACLES[dialect](server)
    server.say(Fault.context_overflow())
    with pytest.raises(oracle.refused, match=words) as caught:
        oracle.ask()
    assert oracle.status_of(caught.value) == 400
    if isinstance(caught.value, openai.APIStatusError):
        assert caught.value.code == "context_length_exceeded"
    oracle.close()


def test_a_bad_key_at_gemini_is_a_400_that_says_api_key_invalid(server: ModelServer) -> None:
    oracle = ORACLES["gemini"](server)
    server.say(Fault.refuse("unauthorized"))
    with pytest.raises(genai_errors.ClientError, match="API_KEY_INVALID"):
        oracle.ask()
    oracle.close()


def test_gemini_names_the_wait_in_retry_info(server: ModelServer) -> None:
    oracle = ORACLES["gemini-stream"](server)
    server.say(Fault.rate_limited(34))
    with pytest.raises(genai_errors.ClientError) as caught:
        oracle.ask()
    assert caught.value.status == "RESOURCE_EXHAUSTED"
    assert "'retryDelay': '34s'" in str(caught.value)
    oracle.close()


@pytest.mark.parametrize("dialect", ["chat", "anthropic"])
def test_retry_after_comes_as_seconds_or_as_a_date(server: ModelServer, dialect: str) -> None:
    oracle = ORACLES[dialect](server)
    server.say(Fault.rate_limited(7), Fault.rate_limited(60, date=True))
    with pytest.raises(oracle.refused) as seconds:
        oracle.ask()
    with pytest.raises(oracle.refused) as date:
        oracle.ask()
    headers: Any = cast("Any", seconds.value).response.headers
    assert headers["retry-after"] == "7"
    reset = {
        "chat": "x-ratelimit-reset-requests",
        "anthropic": "anthropic-ratelimit-requests-reset",
    }
    assert reset[dialect] in headers
    named = cast("Any", date.value).response.headers["retry-after"]
    assert 50 < email.utils.parsedate_to_datetime(named).timestamp() - time.time() < 70
    oracle.close()


@pytest.mark.parametrize("where", ["start", "headers", "stream", "arguments"])
@pytest.mark.parametrize("kind", ["reset", "close"])
def test_a_broken_connection_raises(
    server: ModelServer, oracle: Oracle, kind: str, where: Where
) -> None:
    server.say(Fault.reset(where) if kind == "reset" else Fault.close(where))
    with pytest.raises(BROKEN):
        oracle.ask()


@pytest.mark.parametrize("dialect", ["chat", "responses", "anthropic"])
@pytest.mark.parametrize("where", ["start", "headers", "stream"])
def test_silence_runs_into_the_clients_time_out(
    server: ModelServer, dialect: str, where: Where
) -> None:
    oracle: Any = ORACLES[f"{dialect}-stream"](server)
    oracle.client = oracle.client.with_options(timeout=0.2)
    server.say(Fault.stall(where))
    with pytest.raises(Exception, match=r"(?i)timed? ?out") as caught:
        oracle.ask()
    assert "imeout" in type(caught.value).__name__
    assert server.requests[0].hung_up.wait(10)
    oracle.close()


def test_a_closed_port_refuses(server: ModelServer) -> None:
    with (
        closed_port() as port,
        openai.OpenAI(
            base_url=f"http://127.0.0.1:{port}/v1", api_key="key", max_retries=0
        ) as client,
        pytest.raises(openai.APIConnectionError),
    ):
        client.models.list()


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("chat-stream", "Overloaded"),
        ("anthropic-stream", "overloaded_error"),
        ("gemini-stream", "UNAVAILABLE"),
    ],
)
@pytest.mark.parametrize("after", [0, 1])
def test_an_error_inside_a_stream_raises(
    server: ModelServer, dialect: str, words: str, after: int
) -> None:
    oracle = ORACLES[dialect](server)
    server.say(Fault.error_in_stream(after=after))
    with pytest.raises(oracle.base, match=words):
        oracle.ask()
    oracle.close()


def test_responses_tell_an_error_by_a_failed_response(server: ModelServer) -> None:
    server.say(Fault.error_in_stream("rate_limit_exceeded", "Slow down"))
    with openai.OpenAI(base_url=server.base_url, api_key="key") as client:
        stream = client.responses.create(model="m", input="hi", stream=True)
        *_, last = stream
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert last.response.error.code == "rate_limit_exceeded"


@pytest.mark.parametrize("fault", ["empty", "html", "bad-json"])
def test_a_body_that_is_no_answer_is_not_understood(
    server: ModelServer, oracle: Oracle, fault: str
) -> None:
    faults = {"empty": Fault.empty(), "html": Fault.html(), "bad-json": Fault.stream("bad-json")}
    server.say(faults[fault])
    try:
        finish = oracle.ask().finish
    except Exception:  # noqa: BLE001 - pydantic's, json's and the clients' own, as it happens
        finish = ""
    assert finish == ""


def test_a_stream_without_end_event_or_finish_reason_is_told_apart(server: ModelServer) -> None:
    oracle = ORACLES["chat-stream"](server)
    said = Reply(text="all of it", calls=[Call("terminal", {})])
    server.say(Fault.stream("no-end", reply=said), Fault.stream("no-finish", reply=said))
    assert oracle.ask().finish == "tool_calls"
    unfinished = oracle.ask()
    assert (unfinished.text, unfinished.finish) == ("all of it", "")
    oracle.close()


def test_an_anthropic_stream_without_message_delta_has_no_stop_reason(server: ModelServer) -> None:
    server.say(Fault.stream("no-finish"))
    with anthropic.Anthropic(base_url=server.root_url, api_key="key") as client:
        events = list(
            client.messages.create(
                model="m",
                max_tokens=9,
                stream=True,
                messages=[{"role": "user", "content": "hi"}],
            )
        )
    assert "message_delta" not in [event.type for event in events]
    assert events[-1].type == "message_stop"
