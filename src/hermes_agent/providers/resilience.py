"""A model that does not give up at the first fault: retry, refresh of a key, and the next model."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Protocol, cast

from hermes_agent.domain.errors import (
    ContextOverflow,
    CredentialRefused,
    ModelError,
    RateLimited,
    RetryableError,
)
from hermes_agent.domain.model import Delta, Finished, Request, Retrying

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
LONGEST_WAIT = 120.0
COOLDOWN = 300.0
Sleep = Callable[[float], Awaitable[None]]


class Link(Protocol):
    """One model of the chain."""

    @property
    def name(self) -> str: ...

    @property
    def context_length(self) -> int: ...

    def stream(self, request: Request) -> AsyncIterator[Delta]: ...


Refresh = Callable[[int, CredentialRefused], Awaitable[Link | None]]


class ResilientModel:
    """Asks the first model; when that fails for good, the next one of `models`.

    Each model is asked at most `retries` times after the first (passing faults only). A rate
    limit is waited out only if it ends within `LONGEST_WAIT` and no other model is left. A
    refused key is refreshed once through `refresh` (index of the model, the refusal), where there
    is one. After a fallback answered it stays first for `COOLDOWN` seconds, so that a vendor that
    is down is not asked at every step of a turn.
    """

    def __init__(
        self,
        models: Sequence[Link],
        *,
        retries: int = 3,
        refresh: Refresh | None = None,
        sleep: Sleep | None = None,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = list(models)
        self._retries = retries
        self._refresh = refresh
        self._sleep = sleep
        self._jitter = jitter
        self._clock = clock
        self._first: int = 0
        self._until = 0.0

    @property
    def name(self) -> str:
        """The model that is asked now."""
        return self._models[self._start()].name

    @property
    def context_length(self) -> int:
        """Of the model that is asked now, in tokens."""
        return self._models[self._start()].context_length

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """The answer as it comes, with a `Retrying` before each further attempt.

        Raises the first model's last error when all have failed.
        """
        position, attempt = self._start(), 0
        refreshed: set[int] = set()
        failure: ModelError | None = None
        while True:
            model = self._models[position]
            try:
                async with aclosing(_generator(model.stream(request))) as deltas:
                    async for delta in deltas:
                        if isinstance(delta, Finished) and position != self._first:
                            self._first, self._until = position, self._clock() + COOLDOWN
                        yield delta
                return
            except ModelError as error:
                caught = error
            if isinstance(caught, CredentialRefused) and position not in refreshed:
                refreshed.add(position)
                renewed = await self._refresh(position, caught) if self._refresh else None
                if renewed is not None:
                    self._models[position] = renewed
                    yield Retrying(caught.message, 0.0, attempt + 1, renewed.name)
                    continue
            last = position + 1 >= len(self._models)
            delay = self._delay(caught, attempt, last=last)
            if delay is not None:
                attempt += 1
                yield Retrying(caught.message, delay, attempt, model.name)
                await self._pause(delay)
                continue
            failure = failure or caught
            if last or isinstance(caught, ContextOverflow):
                # The caller can shorten the conversation; another model may be no longer.
                raise caught if isinstance(caught, ContextOverflow) else failure
            position, attempt = position + 1, 0
            yield Retrying(caught.message, 0.0, 1, self._models[position].name)

    def _start(self) -> int:
        if self._first and self._clock() >= self._until:
            self._first = 0
        return self._first

    def _delay(self, error: ModelError, attempt: int, *, last: bool) -> float | None:
        """Seconds until this model is asked again; None when it is not."""
        if not isinstance(error, RetryableError) or attempt >= self._retries:
            return None
        backoff = min(FIRST_DELAY * 2**attempt, LONGEST_DELAY) * (0.5 + self._jitter() / 2)
        if not isinstance(error, RateLimited):
            return backoff
        if not last:
            return None
        if error.retry_after is None:
            return backoff
        if error.retry_after > LONGEST_WAIT:
            return None
        # A little later than told, so that all who wait do not come back at once.
        return error.retry_after + self._jitter() * min(1.0, 0.1 * error.retry_after + 0.1)

    async def _pause(self, delay: float) -> None:
        if self._sleep is not None:
            await self._sleep(delay)
            return
        import asyncio

        await asyncio.sleep(delay)


def _generator(deltas: AsyncIterator[Delta]) -> "Closing":
    return cast("Closing", deltas)


class Closing(Protocol):
    """An iterator that holds a connection until it is closed."""

    def __aiter__(self) -> AsyncIterator[Delta]: ...

    async def aclose(self) -> None: ...
