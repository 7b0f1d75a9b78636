"""The error tree. A message says what happened and where; `hint` says what to do next."""

from typing import ClassVar


class HermesError(Exception):
    """Something went wrong that the person can be told about."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n")[0])
        self.hint = hint

    @property
    def message(self) -> str:
        """What happened, in one sentence, without the hint."""
        return str(self.args[0])


class UsageError(HermesError):
    """The command line makes no sense."""

    exit_code = 2


class ConfigError(HermesError):
    """The configuration cannot be used. Restarting will not help (EX_CONFIG)."""

    exit_code = 78


class ManagedError(HermesError):
    """This installation is managed by its declaration; the command line may not change it."""


class NotFoundError(HermesError):
    """What was asked for does not exist."""


class StoreError(HermesError):
    """The database cannot be used."""


class NewerStoreError(StoreError):
    """The database was written by a newer version and is left untouched."""


class StoreBusy(StoreError):
    """Another process held the database for too long."""


class TitleTaken(StoreError):
    """Another session already has this title."""


class DamagedStoreError(StoreError):
    """The database is damaged; part of it may be saved."""


class EnvironmentFault(HermesError):
    """The place where commands run is not usable."""


class DeniedError(HermesError):
    """Policy forbids this."""


class ModelError(HermesError):
    """The model could not answer.

    `status` is the HTTP status, if there was one; `vendor` names who refused.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        status: int | None = None,
        vendor: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.vendor = vendor


class NoModelError(ModelError):
    """No model is configured and none was found."""


class CapReached(ModelError):
    """A cap on spending forbids the call; `cap` is the key that says how much there may be."""

    def __init__(
        self, message: str | None = None, *, cap: str = "", hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.cap = cap


class PeriodCapReached(CapReached):
    """The cap of a day or a month, which is one for all conversations, forbids the call."""


class CredentialRefused(ModelError):
    """The vendor refused the key."""


class ContextOverflow(ModelError):
    """The conversation is longer than the model's context window.

    `limit` is the window in tokens, if the vendor named it.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        limit: int | None = None,
        hint: str | None = None,
        status: int | None = None,
        vendor: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, status=status, vendor=vendor)
        self.limit = limit


class ContentRefused(ModelError):
    """The vendor refused the content."""


class RequestRefused(ModelError):
    """The vendor refused the request; sending it again will not help."""


class RetryableError(ModelError):
    """A passing fault; the same request may succeed later."""


class RateLimited(RetryableError):
    """The vendor asks to wait.

    `retry_after` is in seconds, if the vendor named a time.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        hint: str | None = None,
        status: int | None = None,
        vendor: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, status=status, vendor=vendor)
        self.retry_after = retry_after


class Unreachable(RetryableError):
    """No connection to the model server."""


class StreamBroken(RetryableError):
    """The answer broke off or stalled in the middle."""


class BadResponse(RetryableError):
    """The server's answer is not what the protocol says."""
