"""The port of the book of spending: every model call once, whoever asked, and what it cost.

Money is US dollars, tokens are the vendor's own count, times are Unix seconds. The sums of days and
months come from here and never from the rows of sessions, in which a sub-agent's tokens stand
beside its parent's.
"""

from typing import Protocol

import msgspec

from hermes_agent.domain.messages import Usage
from hermes_agent.domain.spending import CostStatus, Purpose, Sum


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. `usd` is None where nobody knows; `prices` is the day of the prices that
    an estimate was made with."""

    at: float
    session_id: str
    purpose: Purpose
    model: str
    provider: str = ""
    usage: Usage = Usage()
    usd: float | None = None
    status: CostStatus = "unknown"
    prices: str = ""

    @property
    def sum(self) -> Sum:
        """Of this one call."""
        return Sum(
            calls=1,
            usd=self.usd or 0.0,
            tokens=self.usage.input + self.usage.output,
            estimated=int(self.status == "estimated"),
            unknown=int(self.usd is None),
        )


class SpentSlice(msgspec.Struct, frozen=True):
    """The calls of a quarter of an hour that are alike; `at` is its beginning. Every zone of the
    world is a whole number of quarters away from the others, so days of any can be made of
    these."""

    at: float
    model: str
    provider: str
    source: str
    purpose: str
    sum: Sum


class SpendingStore(Protocol):
    """Every method may raise `StoreError`."""

    def book(self, spent: Spent) -> None:
        """Write one call down, and add its cost to the row of its session, if that is stored."""
        ...

    def spent_between(self, since: float, until: float) -> Sum:
        """By everybody, from `since` on and before `until`."""
        ...

    def spent_in(self, session_id: str) -> Sum:
        """By this session, those that it continues, and the sub-agents of all of them."""
        ...

    def spending(self, *, since: float, source: str | None = None) -> tuple[SpentSlice, ...]:
        """What was spent since a time, in order."""
        ...
