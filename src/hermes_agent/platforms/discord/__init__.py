"""Discord: private messages, servers and their threads, slash commands, buttons, files."""

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import Platform, PlatformSettings


def create(settings: PlatformSettings) -> Platform:
    """The adapter. Raises `ConfigError`."""
    from hermes_agent.platforms.discord.configuration import configuration

    made = configuration(settings)
    try:
        from hermes_agent.platforms.discord.adapter import Discord
    except ImportError as error:
        raise ConfigError(
            "Discord needs the extra 'discord', which is not installed.",
            hint="Install it: pip install 'hermes-agent[discord]'",
        ) from error
    return Discord(made)
