"""The vendors' own error bodies, statuses and rate limit headers.

Sources: https://platform.openai.com/docs/guides/error-codes and /guides/rate-limits,
https://docs.anthropic.com/en/api/errors and /rate-limits,
https://ai.google.dev/gemini-api/docs/troubleshooting (google.rpc.Status).
"""

import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, NamedTuple

from tests.servers.dialects.frame import encode
from tests.servers.recorded import Dialect
from tests.servers.script import Fault


class Row(NamedTuple):
    """One kind of refusal: OpenAI, Anthropic, Gemini, each as status, type, (code,) message."""

    openai: tuple[int, str, str | None, str]
    anthropic: tuple[int, str, str]
    gemini: tuple[int, str, str]


LONG = "This model's maximum context length is 128000 tokens. However, your messages resulted in"
ERRORS: dict[str, Row] = {
    "bad_request": Row(
        (400, "invalid_request_error", "unsupported_parameter", "Unsupported parameter: 'top_k'."),
        (400, "invalid_request_error", "max_tokens: Field required"),
        (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    ),
    "unauthorized": Row(
        (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-bad***."),
        (401, "authentication_error", "invalid x-api-key"),
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    ),
    "unauthenticated": Row(
        (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-bad***."),
        (401, "authentication_error", "invalid x-api-key"),
        (401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    ),
    "payment": Row(
        (402, "insufficient_quota", "insufficient_quota", "Insufficient credits."),
        (402, "billing_error", "Your credit balance is too low to access the Anthropic API."),
        (402, "FAILED_PRECONDITION", "Please enable billing on your project."),
    ),
    "forbidden": Row(
        (403, "invalid_request_error", "unsupported_country", "Country not supported."),
        (403, "permission_error", "Your API key does not have permission to use this resource."),
        (403, "PERMISSION_DENIED", "The caller does not have permission."),
    ),
    "not_found": Row(
        (404, "invalid_request_error", "model_not_found", "The model `nope` does not exist."),
        (404, "not_found_error", "model: nope"),
        (404, "NOT_FOUND", "models/nope is not found for API version v1beta."),
    ),
    "timeout": Row(
        (408, "server_error", "timeout", "Request timed out."),
        (408, "timeout_error", "Request timed out."),
        (408, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    ),
    "too_large": Row(
        (413, "invalid_request_error", "request_too_large", "Request entity too large."),
        (413, "request_too_large", "Request exceeds the maximum size"),
        (413, "INVALID_ARGUMENT", "Request payload size exceeds the limit."),
    ),
    "context_overflow": Row(
        (400, "invalid_request_error", "context_length_exceeded", f"{LONG} 150000 tokens."),
        (400, "invalid_request_error", "prompt is too long: 213456 tokens > 200000 maximum"),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens"
            " allowed (1048576).",
        ),
    ),
    "content_refused": Row(
        (
            400,
            "invalid_request_error",
            "content_policy_violation",
            "Rejected by the safety system.",
        ),
        (400, "invalid_request_error", "Output blocked by content filtering policy"),
        (400, "INVALID_ARGUMENT", "The request was blocked by a safety filter."),
    ),
    "rate_limited": Row(
        (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
        (429, "rate_limit_error", "This request would exceed your rate limit."),
        (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."),
    ),
    "quota": Row(
        (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
        (429, "rate_limit_error", "You have reached your specified API usage limits."),
        (
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, check your plan and billing.",
        ),
    ),
    "server_error": Row(
        (500, "server_error", None, "The server had an error while processing your request."),
        (500, "api_error", "Internal server error"),
        (500, "INTERNAL", "An internal error has occurred."),
    ),
    "unavailable": Row(
        (503, "server_error", "slow_down", "The engine is currently overloaded."),
        (503, "api_error", "Service unavailable"),
        (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    ),
    "gateway_timeout": Row(
        (504, "server_error", None, "The upstream took too long."),
        (504, "timeout_error", "The upstream took too long."),
        (504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    ),
    "overloaded": Row(
        (503, "server_error", "server_overloaded", "The server is currently overloaded."),
        (529, "overloaded_error", "Overloaded"),
        (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    ),
}
BY_STATUS = {
    row.anthropic[0]: name
    for name, row in ERRORS.items()
    if name not in ("unauthorized", "context_overflow", "content_refused", "quota")
}
BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
)


def refusal(fault: Fault, dialect: Dialect, serial: int) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a `refuse` fault in this dialect."""
    if fault.status == 502 and fault.body is None and fault.message is None:
        return 502, {"content-type": "text/html", **fault.headers}, BAD_GATEWAY.encode()
    row = ERRORS[fault.error or BY_STATUS.get(fault.status or 500, "server_error")]
    number = f"req_scripted{serial:08d}"
    headers = {"content-type": "application/json"}
    body: dict[str, Any]
    if dialect == "anthropic":
        status, kind, text = row.anthropic
        error = {"type": kind, "message": fault.message or text}
        body = {"type": "error", "error": error, "request_id": number}
        headers["request-id"] = number
    elif dialect == "gemini":
        status, kind, text = row.gemini
        status = fault.status or status
        body = {"error": {"code": status, "message": fault.message or text, "status": kind}}
        details = _gemini_details(fault)
        if details:
            body["error"]["details"] = details
    else:
        status, kind, code, text = row.openai
        error = {"message": fault.message or text, "type": kind, "param": None, "code": code}
        body = {"error": error}
        headers["x-request-id"] = number
    headers |= _limits(fault, dialect)
    headers |= fault.headers
    content = encode(body) if fault.body is None else fault.body
    raw = content.encode() if isinstance(content, str) else content
    return fault.status or status, headers, raw


def _gemini_details(fault: Fault) -> list[dict[str, Any]]:
    kind = "type.googleapis.com/google.rpc."
    if fault.error == "unauthorized":
        info = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        return [{"@type": f"{kind}ErrorInfo", **info}]
    if fault.retry_after is not None:
        return [{"@type": f"{kind}RetryInfo", "retryDelay": f"{fault.retry_after:g}s"}]
    return []


def _limits(fault: Fault, dialect: Dialect) -> dict[str, str]:
    wait = fault.retry_after
    if wait is None or dialect == "gemini":
        return {}
    until = time.time() + wait
    named = formatdate(until + 1, usegmt=True) if fault.date else f"{wait:g}"
    headers = {"retry-after": named}
    if dialect == "anthropic":
        reset = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            **headers,
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": reset,
        }
    span = f"{wait:g}s" if wait >= 1 else f"{wait * 1000:g}ms"
    return {
        **headers,
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": span,
        "x-ratelimit-reset-tokens": span,
    }
