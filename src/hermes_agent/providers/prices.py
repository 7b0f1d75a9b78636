"""What a model costs: a person's own prices, else the vendors' lists (`prices.json`).

A price is never guessed from a similar name: `gpt-5.9` is unknown until it has a row, and unknown
is not the same as nothing. What runs on this machine or in this network costs nothing, unless its
name is one that only its vendor has: then the server there hands the request on.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import msgspec

from hermes_agent.domain.spending import FREE, Rates, RatesFor
from hermes_agent.providers.resolve import is_private
from hermes_agent.providers.target import Target

# The same model under its day or as the newest of its kind.
_SAME = re.compile(
    r"(-preview(-\d\d-\d{2,4})?|-latest|-exp|-beta|-\d{4}-\d\d-\d\d|-\d{8}|-\d{3,4})*$"
)


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars for a million tokens. `cached` is input from the cache, `write` input that goes
    into it for five minutes, `write_1h` for an hour; where they are left out, they cost what
    other input costs. A request of more than `over` tokens is priced by this band alone."""

    input: float
    output: float
    cached: float | None = None
    write: float | None = None
    write_1h: float | None = None
    over: int = 0

    def rates(self, as_of: str, *, hour: bool) -> Rates:
        """With what is left out filled in; `hour` for the longer cache."""
        write = self.write_1h if hour and self.write_1h is not None else self.write
        return Rates(
            input=self.input,
            output=self.output,
            cached=self.input if self.cached is None else self.cached,
            write=self.input if write is None else write,
            as_of=as_of,
        )


class Price(Band, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row: the model's `name` in lower case, dots as dashes, without a day at its end. `long`
    holds for long requests."""

    name: str
    long: Band | None = None


class PriceList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One vendor's, as its `source` said on the day `as_of`. Nobody else serves the models of a
    `closed` one by these names. Where prices differ by the hour, the higher one stands here."""

    id: str
    as_of: str
    source: str
    closed: bool
    models: tuple[Price, ...]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is `flat` takes a fee a month and not one a token."""

    flat: tuple[str, ...]
    vendors: tuple[PriceList, ...]


@cache
def table() -> _Table:
    """All lists."""
    return msgspec.json.decode(Path(__file__).with_name("prices.json").read_bytes(), type=_Table)


def rates_of(target: Target) -> RatesFor:
    """The prices at this target, for requests of any length."""
    own = _own(target.prices, target)
    if own is not None:
        return lambda _: own
    found = _listed(target)
    if found is not None:
        price, as_of = found
        hour = target.cache_ttl == "1h"

        def by_length(tokens: int) -> Rates:
            long = price.long is not None and tokens > price.long.over
            band = price.long if long and price.long is not None else price
            return band.rates(as_of, hour=hour)

        return by_length
    if target.vendor.local and is_private(target.base_url):
        return lambda _: FREE
    return lambda _: None


def _own(prices: Mapping[str, Rates], target: Target) -> Rates | None:
    """By `provider/model` or model, `*` standing for anything; the longest pattern counts."""
    model = target.model.lower()
    names = (f"{target.vendor.id.lower()}/{model}", model)
    fitting = [
        pattern for pattern in prices if any(fnmatchcase(name, pattern.lower()) for name in names)
    ]
    return prices[max(fitting, key=len)] if fitting else None


def _listed(target: Target) -> tuple[Price, str] | None:
    bare = target.model.rpartition("/")[2].lower().replace(".", "-")
    vendor = target.vendor
    if vendor.id in table().flat:
        return None
    relays = vendor.aggregator or vendor.id.partition(":")[0] == "custom"
    for listed in table().vendors:
        if listed.id != vendor.id and not (listed.closed and relays):
            continue
        for price in listed.models:
            if bare.startswith(price.name) and _SAME.match(bare[len(price.name) :]):
                return price, listed.as_of
    return None
