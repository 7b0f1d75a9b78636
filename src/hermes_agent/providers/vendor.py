"""What a vendor is, and the table of those we know (`vendors.json`)."""

from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

WireName = Literal["chat_completions", "responses", "anthropic", "gemini"]


class Quirks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a vendor departs from the wire's common form.

    `max_tokens`: the field that limits the answer. `stream_usage`: whether
    `stream_options.include_usage` is understood. `effort`: how reasoning effort is asked for.
    `echo`: the field in which earlier reasoning goes back. `cache`: who places the breakpoints:
    `key` names the session, `claude` marks blocks for Claude models only, `blocks` for all.
    """

    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    stream_usage: bool = True
    effort: Literal["", "reasoning_effort", "reasoning", "thinking", "enable_thinking"] = ""
    echo: Literal["", "reasoning_content", "reasoning_details"] = ""
    cache: Literal["", "key", "claude", "blocks"] = ""


class Prefixed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys that begin with `prefix` belong to another address (and wire) of the same vendor."""

    prefix: str
    base_url: str


class Vendor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the table. `keys` are environment variables in the order they are looked up.

    `hosts` are further hosts of the vendor's own that its keys may be sent to. A `local` server
    needs no key. An `aggregator` has other vendors' models as `vendor/model`. `families` are the
    beginnings of its models' names. Where `automatic` is false its keys alone do not choose it:
    they are found on many machines for other reasons.
    """

    id: str
    label: str
    base_url: str
    wire: WireName = "chat_completions"
    aliases: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    base_url_env: tuple[str, ...] = ()
    model: str = ""
    hosts: tuple[str, ...] = ()
    headers: dict[str, str] = {}
    prefixed: tuple[Prefixed, ...] = ()
    families: tuple[str, ...] = ()
    local: bool = False
    aggregator: bool = False
    automatic: bool = True
    quirks: Quirks = Quirks()

    @property
    def own(self) -> frozenset[str]:
        """The vendor's own hosts."""
        urls = (self.base_url, *(each.base_url for each in self.prefixed))
        return frozenset({*self.hosts, *(urlsplit(url).hostname or "" for url in urls if url)})


@cache
def vendors() -> tuple[Vendor, ...]:
    """Every row, in the order in which `provider: auto` looks for keys."""
    return msgspec.json.decode(
        Path(__file__).with_name("vendors.json").read_bytes(), type=tuple[Vendor, ...]
    )


def find_vendor(name: str) -> Vendor | None:
    """By id or alias, in any case."""
    wanted = name.strip().lower()
    for vendor in vendors():
        if wanted == vendor.id or wanted in vendor.aliases:
            return vendor
    return None
