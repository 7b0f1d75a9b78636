"""Every call of a model, counted, and refused where a cap forbids it: a wrapper round the port.

Whoever asks a model asks it through this: turns, sub-agents, summaries, reviews and MCP servers
alike. It looks at the caps when a call begins, and once more, now knowing the price, just before
each request goes out: what costs nothing is not stopped by a cap in dollars.
"""

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

import msgspec

from hermes_agent.agent.budget import TurnBudget
from hermes_agent.context.compaction.measure import weigh, weigh_all, weigh_fixed, weigh_text
from hermes_agent.domain.errors import ModelError
from hermes_agent.domain.messages import Message, Usage
from hermes_agent.domain.model import (
    CallDelta,
    Delta,
    Finished,
    ReasoningDelta,
    Request,
    Retrying,
    TextDelta,
)
from hermes_agent.domain.ports import Model
from hermes_agent.domain.spending import Asked, Purpose
from hermes_agent.sessions.treasury import Treasury, Verdict
from hermes_agent.store.spending import Spent


class Metered:
    """The port `Model`: `model`, paid for by the session that `session` names, within the turn of
    `budget`."""

    def __init__(
        self,
        model: Model,
        treasury: Treasury,
        *,
        session: Callable[[], str],
        purpose: Purpose,
        budget: TurnBudget | None = None,
    ) -> None:
        self._model = model
        self._treasury = treasury
        self._session = session
        self._purpose: Purpose = purpose
        self._budget = budget or TurnBudget()

    @property
    def name(self) -> str:
        """What the vendor calls it."""
        return self._model.name

    @property
    def context_length(self) -> int:
        """The window in tokens."""
        return self._model.context_length

    async def stream(self, request: Request) -> AsyncIterator[Delta]:
        """See `Model.stream`. Raises `CapReached` too."""
        verdict = await self._treasury.begin(self._session(), self._budget)
        call = _Call(request, verdict)
        try:
            if verdict.any is not None:
                raise verdict.any
            sent = msgspec.structs.replace(request, meter=call)
            # Closed here and now: a generator left to the collector keeps its connection open.
            stream = cast("AsyncGenerator[Delta, None]", self._model.stream(sent))
            async with aclosing(stream):
                async for delta in stream:
                    if isinstance(delta, Finished):
                        self._book(call.finished(delta.message))
                    elif isinstance(delta, Retrying):
                        self._book(call.broken())
                    else:
                        call.hear(delta)
                    yield delta
        except ModelError:
            self._book(call.broken())
            raise
        finally:
            # Interrupted, or nobody wants the rest: the vendor has begun and will charge for it.
            self._book(call.torn())
            self._treasury.end(self._budget)

    def _book(self, spent: Spent | None) -> None:
        if spent is not None:
            named = msgspec.structs.replace(
                spent,
                at=self._treasury.clock(),
                session_id=self._session(),
                purpose=self._purpose,
                model=spent.model or self._model.name,
            )
            self._treasury.book(named, self._budget)


class _Call:
    """The port `Meter` for one call, which may take several requests."""

    def __init__(self, request: Request, verdict: Verdict) -> None:
        self._request = request
        self._verdict = verdict
        self._asked: Asked | None = None
        self._heard = 0

    def asked(self, asked: Asked) -> None:
        """See `Meter.asked`."""
        rates = asked.rates(0)
        free = rates is not None and not (rates.input or rates.output)
        if self._verdict.costly is not None and not free:
            raise self._verdict.costly
        self._asked, self._heard = asked, 0

    def hear(self, delta: Delta) -> None:
        """Some more of the answer."""
        match delta:
            case TextDelta(text=text) | ReasoningDelta(text=text):
                self._heard += len(text)
            case CallDelta(name=name, arguments=arguments):
                self._heard += len(name) + len(arguments)
            case _:
                pass

    def finished(self, message: Message) -> Spent:
        """The whole answer is there."""
        usage = message.usage or Usage(input=self._weight(), output=weigh(message))
        return self._spent(usage, message.model or "")

    def broken(self) -> Spent | None:
        """The request failed; a vendor who had begun to answer charges for it."""
        spent = self.torn() if self._heard else None
        self._asked = None
        return spent

    def torn(self) -> Spent | None:
        """The answer was given up, if there is one under way."""
        if self._asked is None:
            return None
        return self._spent(Usage(input=self._weight(), output=weigh_text("x" * self._heard)))

    def _weight(self) -> int:
        request = self._request
        return weigh_fixed(request.system, request.tools) + weigh_all(request.messages)

    def _spent(self, usage: Usage, model: str = "") -> Spent:
        asked, self._asked = self._asked, None
        spent = Spent(
            at=0.0,
            session_id="",
            purpose="turn",
            model=asked.model if asked else model,
            provider=asked.provider if asked else "",
            usage=usage,
        )
        said = usage.cost_usd
        if said is not None and math.isfinite(said) and said >= 0:
            return msgspec.structs.replace(spent, usd=said, status="actual")
        rates = asked.rates(usage.input) if asked else None
        if rates is None:
            return spent
        return msgspec.structs.replace(
            spent, usd=rates.cost(usage), status="estimated", prices=rates.as_of
        )
