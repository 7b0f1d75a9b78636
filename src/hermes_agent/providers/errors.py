"""The one place that says what a failure of a model server means.

Judged in this order: the vendor's machine-readable code, the HTTP status, and only where neither
tells things apart, the words of the message (`_WORDS`). Sources:
https://platform.openai.com/docs/guides/error-codes, https://docs.anthropic.com/en/api/errors,
https://ai.google.dev/gemini-api/docs/troubleshooting, https://openrouter.ai/docs/api-reference/errors.
"""

import re
import time
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

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
from hermes_agent.providers.refusal import Said, read_error
from hermes_agent.providers.target import Target
from hermes_agent.providers.waiting import retry_after

Kind = Literal[
    "credential", "rate", "quota", "context", "content", "model", "request", "busy", "timeout"
]
EXCERPT = 300

_CODES: dict[str, Kind] = {
    # OpenAI and its imitators (error.code, error.type)
    "invalid_api_key": "credential",
    "invalid_authentication": "credential",
    "account_deactivated": "credential",
    "no_auth": "credential",
    "unauthorized": "credential",
    "rate_limit_exceeded": "rate",
    "rate_limit_reached": "rate",
    "rate_limit_exceeded_error": "rate",
    "too_many_requests": "rate",
    "insufficient_quota": "quota",
    "insufficient_balance": "quota",
    "billing_hard_limit_reached": "quota",
    "billing_not_active": "quota",
    "exceeded_current_quota_error": "quota",
    "context_length_exceeded": "context",
    "context_window_exceeded": "context",
    "exceed_context_size_error": "context",
    "string_above_max_length": "context",
    "request_too_large": "context",
    "content_policy_violation": "content",
    "content_filter": "content",
    "moderation": "content",
    "data_inspection_failed": "content",
    "model_not_found": "model",
    "model_not_available": "model",
    "server_error": "busy",
    "internal_server_error": "busy",
    "server_overloaded": "busy",
    "slow_down": "busy",
    "timeout": "timeout",
    # Anthropic (error.type)
    "authentication_error": "credential",
    "permission_error": "credential",
    "billing_error": "quota",
    "rate_limit_error": "rate",
    "not_found_error": "model",
    "overloaded_error": "busy",
    "api_error": "busy",
    "timeout_error": "timeout",
    # google.rpc.Status (error.status, error.details[].reason)
    "api_key_invalid": "credential",
    "unauthenticated": "credential",
    "permission_denied": "credential",
    "resource_exhausted": "rate",
    "not_found": "model",
    "internal": "busy",
    "unavailable": "busy",
    "deadline_exceeded": "timeout",
}
_STATUS: dict[int, Kind] = {
    401: "credential",
    402: "quota",
    403: "credential",
    404: "model",
    408: "timeout",
    413: "context",
    425: "busy",
    429: "rate",
    504: "timeout",
    524: "timeout",
    529: "busy",
}
# For servers whose code says no more than "invalid request". Looked at for 4xx and stream errors.
_WORDS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (
        re.compile(
            r"context.{0,12}(length|window|size)|prompt is too long|too many (input )?tokens|"
            r"maximum (context|prompt|number of tokens)|input (token count|is too long)|"
            r"exceeds? the (model'?s |available |maximum )?context|reduce the length",
            re.I,
        ),
        "context",
    ),
    (re.compile(r"content.{0,4}(filter|polic|management)|safety (system|filter)", re.I), "content"),
    (
        re.compile(r"(invalid|incorrect|missing|no).{0,12}api.?key|api key not valid", re.I),
        "credential",
    ),
    (re.compile(r"credit balance|insufficient (credit|fund|balance)|billing", re.I), "quota"),
)
_LIMITS = (
    re.compile(
        r"(?:maximum context length|context (?:length|window|size)|limit)\D{0,24}?(\d{4,9})", re.I
    ),
    re.compile(r">\s*(\d{4,9})\s*(?:tokens\s*)?max", re.I),
    re.compile(r"max\w*[^.]{0,60}?\(?(\d{4,9})\)?", re.I),
)


def from_response(
    target: Target,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float | None = None,
) -> ModelError:
    """The error that an HTTP answer other than 200 stands for."""
    if 300 <= status < 400:
        return RequestRefused(
            f"{target.vendor.label} ({target.base_url}) redirects to "
            f"{headers.get('location', 'an unnamed place')}. Keys do not follow redirects.",
            hint="If you trust that address, make it the base_url.",
            status=status,
            vendor=target.vendor.id,
        )
    said = read_error(_json(body))
    if not said.message and not said.codes:
        said = Said(message=_excerpt(body))
    wait = retry_after(headers, now=time.time() if now is None else now)
    return _judge(target, said, status=status, wait=said.retry_after if wait is None else wait)


def from_payload(target: Target, error: object) -> ModelError:
    """The error that a vendor reports inside a stream."""
    said = read_error({"error": error})
    return _judge(target, said, status=said.status, wait=said.retry_after, streamed=True)


def from_network(target: Target, error: Exception, *, started: bool, waited: float) -> ModelError:
    """The error that a failed connection stands for. `started`: bytes had come already."""
    import httpx2

    label, vendor = target.vendor.label, target.vendor.id
    where = f"{label} ({target.base_url})"
    if isinstance(error, httpx2.ReadTimeout):
        if started:
            return StreamBroken(f"{where} stalled: nothing came for {waited:g} s.", vendor=vendor)
        return Unreachable(f"{where} did not answer within {waited:g} s.", vendor=vendor)
    if started:
        return StreamBroken(f"The answer of {where} broke off: {_reason(error)}.", vendor=vendor)
    if isinstance(error, httpx2.RemoteProtocolError):
        return Unreachable(
            f"{where} closed the connection without an answer: {_reason(error)}.", vendor=vendor
        )
    hint = (
        f"Is it running? Start {label}, or choose another model with: hermes model"
        if target.vendor.local
        else "Check the network connection, the proxy settings and the address."
    )
    return Unreachable(f"No connection to {where}: {_reason(error)}.", hint=hint, vendor=vendor)


def unexpected(target: Target, kind: str, body: bytes) -> BadResponse:
    """A 200 whose body is no answer of this protocol."""
    start = body[:64].lstrip().lower()
    page = "html" in kind or start.startswith((b"<!doctype", b"<html"))
    what = "a web page" if page else "nothing" if not body.strip() else f"something else ({kind})"
    return BadResponse(
        f"{target.vendor.label} ({target.base_url}) sent {what} instead of an answer.",
        hint="Check base_url: it usually ends in /v1. A proxy or a login page may be in the way."
        if page
        else None,
        vendor=target.vendor.id,
    )


def not_json(target: Target, data: bytes) -> bytes:
    """An event with invalid UTF-8 mended; raises `BadResponse` for one that is no JSON."""
    mended = data.decode("utf-8", "replace").encode()
    try:
        msgspec.json.decode(mended)
    except msgspec.DecodeError:
        raise BadResponse(
            f"{target.vendor.label} sent an event that is not JSON: {_excerpt(data, 80)}",
            vendor=target.vendor.id,
        ) from None
    return mended


def limit_in(message: str) -> int | None:
    """The context window in tokens, where the refusal names it."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", message)
    for pattern in _LIMITS:
        found = pattern.search(plain)
        if found:
            return int(found[1])
    return None


def _judge(
    target: Target,
    said: Said,
    *,
    status: int | None,
    wait: float | None,
    streamed: bool = False,
) -> ModelError:
    kind = _kind(said, status)
    label, vendor = target.vendor.label, target.vendor.id
    words = said.message.strip() or f"HTTP status {status}"
    if target.key:
        words = words.replace(target.key.reveal(), "***")  # some vendors repeat it
    told = f"{label}: {words}" if len(words) <= EXCERPT else f"{label}: {words[:EXCERPT]}…"
    match kind:
        case "credential":
            return CredentialRefused(
                f"{label} refused {_key(target)}: {words[:EXCERPT]}",
                hint=_key_hint(target),
                status=status,
                vendor=vendor,
            )
        case "rate":
            return RateLimited(told, retry_after=wait, status=status, vendor=vendor)
        case "quota":
            return RequestRefused(
                told,
                hint=f"The account behind {_key(target)} has no credit left. Top it up, "
                "or choose another model with: hermes model",
                status=status,
                vendor=vendor,
            )
        case "context":
            return ContextOverflow(told, limit=limit_in(said.message), status=status, vendor=vendor)
        case "content":
            return ContentRefused(
                told,
                hint="Say it in other words, or choose another model.",
                status=status,
                vendor=vendor,
            )
        case "model":
            return RequestRefused(
                told,
                hint=f"Does {target.model} exist at {target.base_url}? See: "
                f"hermes model list --provider {vendor}",
                status=status,
                vendor=vendor,
            )
        case "busy" | "timeout":
            if wait is not None:
                return RateLimited(told, retry_after=wait, status=status, vendor=vendor)
            if streamed:
                return StreamBroken(told, status=status, vendor=vendor)
            return RetryableError(told, status=status, vendor=vendor)
        case "request":
            return RequestRefused(told, status=status, vendor=vendor)


def _kind(said: Said, status: int | None) -> Kind:
    known: list[Kind] = [_CODES[code] for code in said.codes if code in _CODES]
    if known and not (status == 404 and known[0] == "credential"):
        return "quota" if known[0] == "rate" and "quota" in known else known[0]
    if status is not None and status in _STATUS:
        kind = _STATUS[status]
        return _worded(said.message, only=("content", "quota")) or kind
    if status is not None and status >= 500:
        return _worded(said.message, only=("context",)) or "busy"
    worded = _worded(said.message)
    if worded is not None:
        return worded
    return "request" if status is not None and 300 <= status < 500 else "busy"


def _worded(message: str, *, only: tuple[Kind, ...] | None = None) -> Kind | None:
    for pattern, kind in _WORDS:
        if (only is None or kind in only) and pattern.search(message):
            return kind
    return None


def _key(target: Target) -> str:
    return f"the key from {target.key_source}" if target.key_source else "to answer without a key"


def _key_hint(target: Target) -> str:
    if target.key_source:
        return f"Put a valid key into {target.key_source}, or choose another model: hermes model"
    named = " or ".join(target.vendor.keys[:2])
    return (
        f"Set {named}: hermes config set {named.split(' ')[0]} KEY"
        if named
        else ("Give the server's key as model.api_key, or in OPENAI_API_KEY.")
    )


def _reason(error: Exception) -> str:
    text = str(error).strip().rstrip(".")
    return text or type(error).__name__


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def _excerpt(body: bytes, length: int = EXCERPT) -> str:
    text = body[: 8 * length].decode("utf-8", "replace")
    if text.lstrip()[:1] == "<":
        title = re.search(r"<title[^>]*>([^<]*)", text, re.I)
        text = f"a web page, {title[1].strip()!r}" if title else "a web page"
    return " ".join(text.split())[:length]
