"""Types that several sections share."""

from typing import Annotated, Any, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
"""A whole number, not negative."""

Seconds = Annotated[int, msgspec.Meta(ge=0)] | Annotated[float, msgspec.Meta(ge=0)]
"""A duration in seconds."""

Words = tuple[str, ...]
"""A list of strings."""

Dollars = Seconds
"""An amount of US dollars, not negative."""

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
"""A part of a whole: more than 0, at most 1."""

Open = dict[str, Any]
"""A map whose keys are not ours to know."""

ApiMode = Literal["chat_completions", "codex_responses", "anthropic_messages"]
"""Which protocol a model server speaks."""

Effort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh"]
"""How long a reasoning model thinks; empty leaves it to the vendor."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A map of config.yaml. The string under a field is its description."""
