"""How the agent works: turns, prompt, conversation length, sub-agents."""
# ruff: noqa: RUF012  msgspec gives every instance a fresh copy of an empty default

from typing import Literal

from hermes_agent.config.schema.types import Count, Effort, Seconds, Section, Share, Words
from hermes_agent.config.secret import Secret


class Agent(Section, frozen=True, kw_only=True):
    """The agent's loop and prompt."""

    max_turns: Count = 90
    """Most model calls in one turn. The root key max_turns is its old name."""
    verbose: bool = False
    """Say more about what happens."""
    system_prompt: str = ""
    """Text added to the system prompt of every session."""
    reasoning_effort: Effort = ""
    """How long a reasoning model thinks: none to xhigh; empty leaves it to the vendor."""
    personalities: dict[str, str] = {}
    """Personalities of one's own, name to prompt text. Old name: personalities at the root."""
    api_max_retries: Count = 3
    """How often a failed model call is made again."""
    disabled_toolsets: Words = ()
    """Toolsets that are never offered, whatever else names them."""
    gateway_timeout: Seconds = 1800
    """Longest turn of a chat-app session, in seconds."""
    image_input_mode: Literal["auto", "native", "text"] = "auto"
    """Whether pictures go to the model itself or are described to it first."""


class Compression(Section, frozen=True, kw_only=True):
    """Shortening of long conversations."""

    enabled: bool = True
    """Summarise old messages before the context window is full."""
    threshold: Share = 0.5
    """Share of the context window at which it happens."""
    target_ratio: float = 0.2
    """Share of that which the newest messages keep (0.1 to 0.8)."""
    protect_last_n: Count = 20
    """Newest messages that are kept whole as far as they find room."""
    summary_model: str = ""
    """The model that summarises; empty is the conversation's own."""
    summary_provider: str = "auto"
    """Its vendor."""
    summary_base_url: str | None = None
    """Its address instead of the vendor's own."""


class Delegation(Section, frozen=True, kw_only=True):
    """Sub-agents."""

    model: str = ""
    """Their model; empty is the session's own."""
    provider: str = ""
    """Its vendor."""
    base_url: str = ""
    """Its address instead of the vendor's own."""
    api_key: Secret | None = None
    """Key for base_url. Better kept in .env."""
    max_iterations: Count = 50
    """Most model calls of one sub-agent."""
    default_toolsets: Words = ()
    """Toolsets they get; empty gives them the session's own."""


class Memory(Section, frozen=True, kw_only=True):
    """What the agent keeps about its work and its person."""

    memory_enabled: bool = True
    """Keep notes in memories/MEMORY.md."""
    user_profile_enabled: bool = True
    """Keep a profile of the person in memories/USER.md."""
    memory_char_limit: Count = 2200
    """Longest MEMORY.md, in characters."""
    user_char_limit: Count = 1375
    """Longest USER.md, in characters."""
    review: bool = False
    """Look conversations through in the background for what is worth noting; costs model calls."""
    nudge_interval: Count = 10
    """With review: turns after which a conversation is looked through; 0 for never."""
    flush_min_turns: Count = 6
    """With review: fewest turns not looked through yet for which this is done when a conversation
    ends or is shortened; 0 for never."""


class Skills(Section, frozen=True, kw_only=True):
    """Skills: instructions that the agent loads when it needs them."""

    creation_nudge_interval: Count = 10
    """Turns between reminders to write a skill; 0 for none."""
    disabled: Words = ()
    """Skills that are never offered."""
    platform_disabled: dict[str, Words] = {}
    """Skills that are not offered on a platform, by platform."""
    external_dirs: Words = ()
    """More folders to read skills from."""
    trusted_sources: Words = ()
    """Where skills may come from that are merely doubtful: beginnings of addresses or folders."""


class Sessions(Section, frozen=True, kw_only=True):
    """Past conversations."""

    auto_prune: bool = False
    """Delete old sessions by itself."""
    retention_days: Count = 90
    """Age in days after which an ended session is old."""
