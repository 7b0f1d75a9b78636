"""Webhooks: other programs tell the agent that something happened, each on a route of its own."""

from hermes_agent.platforms.base import Platform, PlatformSettings


def create(settings: PlatformSettings) -> Platform:
    """The adapter. Raises `ConfigError`."""
    from hermes_agent.platforms.listener import require_server
    from hermes_agent.platforms.webhook.adapter import Webhook
    from hermes_agent.platforms.webhook.configuration import configuration

    require_server("webhook")
    return Webhook(configuration(settings))
