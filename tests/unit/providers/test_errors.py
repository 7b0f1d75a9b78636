"""What a vendor's refusal means: codes first, then the status, words last."""

import msgspec
import pytest

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import (
    ContentRefused,
    ContextOverflow,
    CredentialRefused,
    ModelError,
    RateLimited,
    RequestRefused,
    RetryableError,
)
from hermes_agent.providers.errors import from_payload, from_response, limit_in
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import find_vendor

VENDOR = find_vendor("openrouter")
assert VENDOR is not None
TARGET = Target(
    vendor=VENDOR,
    wire="chat_completions",
    base_url=VENDOR.base_url,
    model="some/model",
    key=Secret("sk-or-v1-verysecret"),
    key_source="OPENROUTER_API_KEY",
)


def judged(status: int, body: object, headers: dict[str, str] | None = None) -> ModelError:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return from_response(TARGET, status, headers or {}, raw)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        # Codes outrank statuses.
        (400, {"error": {"code": "context_length_exceeded", "message": "x"}}, ContextOverflow),
        (400, {"error": {"code": "rate_limit_exceeded", "message": "x"}}, RateLimited),
        (429, {"error": {"code": "insufficient_quota", "message": "x"}}, RequestRefused),
        (
            429,
            {"error": {"type": "requests", "code": "insufficient_quota"}},
            RequestRefused,
        ),
        (500, {"error": {"code": "content_filter", "message": "x"}}, ContentRefused),
        (400, {"error": {"status": "RESOURCE_EXHAUSTED", "code": 400}}, RateLimited),
        (
            400,
            {
                "error": {
                    "status": "INVALID_ARGUMENT",
                    "details": [{"@type": "ErrorInfo", "reason": "API_KEY_INVALID"}],
                }
            },
            CredentialRefused,
        ),
        (403, {"error": {"code": 403, "metadata": {"reasons": ["violence"]}}}, ContentRefused),
        # Statuses without codes.
        (401, b"", CredentialRefused),
        (402, {"error": {"code": 402, "message": "no credits"}}, RequestRefused),
        (404, {"detail": "Not Found"}, RequestRefused),
        (413, b"too large", ContextOverflow),
        (418, b"teapot", RequestRefused),
        (422, {"detail": [{"msg": "field required"}]}, RequestRefused),
        (429, b"slow down", RateLimited),
        (500, b"", RetryableError),
        (520, b"<html><title>520: Web server error</title></html>", RetryableError),
        # Words, where nothing else tells.
        (400, {"error": "the request exceeds the available context size"}, ContextOverflow),
        (400, {"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}, ContextOverflow),
        (500, {"error": {"message": "maximum context length is 4096 tokens"}}, ContextOverflow),
        (400, {"message": "Invalid API key provided"}, CredentialRefused),
        (400, {"error": {"message": "flagged by our content filter"}}, ContentRefused),
        (400, {"error": {"message": "messages[3]: bad role"}}, RequestRefused),
        # Bodies of any shape.
        (400, [], RequestRefused),
        (400, [{"error": {"message": "x"}}], RequestRefused),
        (503, {"error": None}, RetryableError),
        (400, {"error": {"message": {"nested": 1}}}, RequestRefused),
        (400, b"\xff\xfe\x00", RequestRefused),
    ],
)
def test_a_refusal_is_classified(status: int, body: object, kind: type[ModelError]):
    error = judged(status, body)
    assert type(error) is kind
    assert error.status == status
    assert error.vendor == "openrouter"
    assert error.message


def test_waiting_comes_from_headers_or_body():
    error = judged(429, {"error": {"code": 429, "message": "x"}}, {"retry-after": "3"})
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}
    error = judged(429, {"error": {"status": "RESOURCE_EXHAUSTED", "details": [retry]}})
    assert isinstance(error, RateLimited)
    assert error.retry_after == 37


def test_an_overloaded_server_that_names_a_time_is_waited_for():
    error = judged(503, b"", {"retry-after": "3"})
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("This model's maximum context length is 128000 tokens. However, you requested", 128_000),
        ("prompt is too long: 213456 tokens > 200000 maximum", 200_000),
        ("exceeds the maximum number of tokens allowed (1048576).", 1_048_576),
        ("maximum context length is 8,192 tokens", 8_192),
        ("the request exceeds the available context size (4096 tokens)", 4_096),
        ("too long", None),
    ],
)
def test_the_window_is_read_from_the_refusal(message: str, limit: int | None):
    assert limit_in(message) == limit
    error = judged(400, {"error": {"code": "context_length_exceeded", "message": message}})
    assert isinstance(error, ContextOverflow)
    assert error.limit == limit


def test_what_a_vendor_says_is_shown_in_bounds_and_without_the_key():
    error = judged(400, {"error": {"message": "no " * 10_000}})
    assert len(error.message) < 500
    error = judged(401, {"error": {"message": "bad key sk-or-v1-verysecret"}})
    assert "OPENROUTER_API_KEY" in error.message
    assert "verysecret" not in error.message


def test_an_error_in_a_stream_has_its_own_status():
    error = from_payload(TARGET, {"code": 429, "message": "slow"})
    assert isinstance(error, RateLimited)
    error = from_payload(TARGET, "it broke")
    assert isinstance(error, RetryableError)
    assert "it broke" in error.message
