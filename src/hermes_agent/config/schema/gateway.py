"""Chat apps: who, where, how."""
# ruff: noqa: RUF012  msgspec gives every instance a fresh copy of an empty default

from typing import Literal

from hermes_agent.config.schema.types import Count, Open, Seconds, Section, Words
from hermes_agent.config.secret import Secret


class SessionReset(Section, frozen=True, kw_only=True):
    """When a chat begins anew."""

    mode: Literal["both", "idle", "daily", "none"] = "both"
    """After a pause (idle), at an hour of the day (daily), either, or never."""
    idle_minutes: Count = 1440
    """Length of that pause in minutes."""
    at_hour: Count = 4
    """That hour, 0 to 23."""
    notify: bool = True
    """Tell the chat."""
    notify_exclude_platforms: Words = ("api_server", "webhook")
    """Platforms that are not told."""


class Streaming(Section, frozen=True, kw_only=True):
    """Answers in chat apps that grow while they are written."""

    enabled: bool = False
    """Send answers as they come."""
    transport: Literal["edit", "off"] = "edit"
    """How: by editing the message."""
    edit_interval: Seconds = 0.3
    """Seconds between two edits."""
    buffer_threshold: Count = 40
    """Characters to gather before an edit."""
    cursor: str = " ▉"
    """What stands at the end of an unfinished message."""


class HomeChannel(Section, frozen=True, kw_only=True):
    """The chat that scheduled jobs and notices go to."""

    platform: str = ""
    """Its platform."""
    chat_id: str = ""
    """Its id there."""
    name: str = ""
    """Its name, for people."""


class Platform(Section, frozen=True, kw_only=True):
    """One chat app."""

    enabled: bool = False
    """Connect to it."""
    token: Secret | None = None
    """Its bot token. Better kept in .env."""
    api_key: Secret | None = None
    """Its key. Better kept in .env."""
    home_channel: HomeChannel | None = None
    """The chat that scheduled jobs and notices go to."""
    reply_to_mode: Literal["off", "first", "all"] = "first"
    """Which parts of an answer quote the question."""
    extra: Open = {}
    """Settings that only this chat app knows."""


class Discord(Section, frozen=True, kw_only=True):
    """Discord servers."""

    require_mention: bool = True
    """Answer in channels only when mentioned."""
    free_response_channels: str | Words = ""
    """Channels where no mention is needed, by id."""
    auto_thread: bool = True
    """Answer in a thread of its own."""


class WhatsApp(Section, frozen=True, kw_only=True):
    """WhatsApp."""

    reply_prefix: str | None = None
    """Text before every answer."""
