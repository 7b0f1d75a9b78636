"""What model calls cost: prices, the reasons to ask a model, and who is told of a call."""

from typing import Literal, Protocol

import msgspec

from hermes_agent.domain.messages import Usage

CostStatus = Literal["actual", "estimated", "unknown"]
"""The vendor said what a call cost; it was computed from prices; nobody knows."""

Purpose = Literal["turn", "delegation", "compaction", "sampling", "review", "auxiliary"]
"""Why a model was asked."""

_MILLION = 1_000_000


class Sum(msgspec.Struct, frozen=True):
    """What several calls took. `unknown` counts those whose price nobody knows, which are not in
    `usd`, and `estimated` those that are priced by the table."""

    calls: int = 0
    usd: float = 0.0
    tokens: int = 0
    estimated: int = 0
    unknown: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.calls + other.calls,
            self.usd + other.usd,
            self.tokens + other.tokens,
            self.estimated + other.estimated,
            self.unknown + other.unknown,
        )


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens. `cached` is for input from the vendor's cache, `write` for
    input that goes into it; `as_of` is the day of the prices, `config` for a person's own."""

    input: float
    output: float
    cached: float
    write: float
    as_of: str = ""

    def cost(self, usage: Usage) -> float:
        """Of one call, in US dollars."""
        cached = min(usage.cache_read, usage.input)
        written = min(usage.cache_write, usage.input - cached)
        plain = usage.input - cached - written
        return (
            plain * self.input
            + cached * self.cached
            + written * self.write
            + usage.output * self.output
        ) / _MILLION


FREE = Rates(input=0.0, output=0.0, cached=0.0, write=0.0, as_of="local")
"""What answers on the person's own machines."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a request goes to. `rates` gives the prices for a request of so many tokens, None where
    nobody knows them."""

    provider: str
    model: str
    rates: "RatesFor"


class RatesFor(Protocol):
    """Prices that depend on how long a request is."""

    def __call__(self, tokens: int, /) -> Rates | None: ...


class Meter(Protocol):
    """Is told of every request just before it goes out, retries and fallbacks too."""

    def asked(self, asked: Asked) -> None:
        """Raises `CapReached` where it must not."""
        ...
