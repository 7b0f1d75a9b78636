"""Whom to ask, settled: the vendor, the address, the model and the key."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.spending import Rates
from hermes_agent.providers.vendor import Vendor, WireName

DEFAULT_CONTEXT = 128_000


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One model behind one address.

    `key_source` says where the key came from, for people. `context_length` is in tokens, a guess
    unless `context_known`.
    `extra` holds fields that are laid over every request body as they are. `cache_ttl` is how
    long marked blocks live in the vendor's cache. `prices` are a person's own, by pattern.
    """

    vendor: Vendor
    wire: WireName
    base_url: str
    model: str
    key: Secret | None = None
    key_source: str = ""
    context_length: int = DEFAULT_CONTEXT
    context_known: bool = False
    max_output: int | None = None
    extra: dict[str, Any] = {}
    cache_ttl: str = "5m"
    prices: Mapping[str, Rates] = {}

    @property
    def caches_blocks(self) -> bool:
        """Whether prompt blocks are marked for caching."""
        cache = self.vendor.quirks.cache
        return cache == "blocks" or (cache == "claude" and "claude" in self.model.lower())
