"""Refusing a request, in the shape of OpenAI's errors.

Format: https://platform.openai.com/docs/guides/error-codes
"""

from typing import Literal

import msgspec

from hermes_agent.domain.errors import (
    HermesError,
    ModelError,
    NoModelError,
    NotFoundError,
    StoreBusy,
    TitleTaken,
    UsageError,
)
from hermes_agent.domain.events import Failed
from hermes_agent.sessions.locks import SessionInUse

ErrorType = Literal[
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "rate_limit_error",
    "conflict_error",
    "server_error",
]
_TYPES: dict[int, ErrorType] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong; `param` names the field that is at fault, `code` is for programs."""

    message: str
    type: ErrorType
    param: str | None = None
    code: str | None = None


class ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every answer that is an error."""

    error: ErrorBody


class Refusal(HermesError):
    """The request is answered with an error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.headers = headers

    @property
    def body(self) -> ErrorAnswer:
        """As it is sent."""
        default: ErrorType = "server_error" if self.status >= 500 else "invalid_request_error"
        return ErrorAnswer(
            error=ErrorBody(
                message=self.message,
                type=_TYPES.get(self.status, default),
                param=self.param,
                code=self.code,
            )
        )


# The agent has tried again already as often as makes sense; the official clients would go on.
_NOT_AGAIN = (("x-should-retry", "false"),)

_STATUS: dict[str, tuple[int, str]] = {
    "CapReached": (402, "budget_reached"),
    "PeriodCapReached": (402, "budget_reached"),
    "NoModelError": (503, "no_model"),
    "CredentialRefused": (502, "model_credential_refused"),
    "ContextOverflow": (400, "context_length_exceeded"),
    "ContentRefused": (400, "content_filter"),
    "RequestRefused": (502, "model_refused"),
    "RateLimited": (429, "model_rate_limited"),
    "Unreachable": (502, "model_unreachable"),
    "StreamBroken": (502, "model_broke_off"),
    "BadResponse": (502, "model_bad_response"),
}


def of_failure(failed: Failed) -> Refusal:
    """A turn that could not go on."""
    status, code = _STATUS.get(failed.error, (502, "model_error"))
    message = f"{failed.message} {failed.hint}" if failed.hint else failed.message
    return Refusal(status, message, code=code, headers=_NOT_AGAIN)


def of_error(error: HermesError) -> Refusal:
    """Anything else that a person can be told about."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ModelError) and not isinstance(error, NoModelError):
        return of_failure(Failed(type(error).__name__, error.message, error.hint))
    message = f"{error.message} {error.hint}" if error.hint else error.message
    match error:
        case NotFoundError():
            return Refusal(404, message, code="not_found")
        case SessionInUse():
            return Refusal(409, message, code="session_in_use")
        case TitleTaken():
            return Refusal(409, message, code="title_taken")
        case UsageError():
            return Refusal(400, message, code="invalid_value")
        case StoreBusy():
            return Refusal(503, message, code="busy", headers=(("retry-after", "5"),))
        case NoModelError():
            return Refusal(503, message, code="no_model", headers=_NOT_AGAIN)
        case _:
            return Refusal(500, message, code="internal_error", headers=_NOT_AGAIN)
