"""Telegram, over its Bot API: https://core.telegram.org/bots/api."""

from hermes_agent.platforms.base import Platform, PlatformSettings


def create(settings: PlatformSettings) -> Platform:
    """The adapter. Raises `ConfigError`."""
    from hermes_agent.platforms.telegram.adapter import Telegram
    from hermes_agent.platforms.telegram.configuration import configuration

    found = configuration(settings)
    if found.webhook is not None:
        from hermes_agent.platforms.listener import require_server

        require_server("telegram")
    return Telegram(found)
