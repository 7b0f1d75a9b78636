"""The configured time zone."""

from datetime import tzinfo

from hermes_agent.domain.errors import ConfigError


def zone_of(name: str) -> tzinfo | None:
    """The zone called `name`; None for the machine's own. Raises `ConfigError`."""
    if not name:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"timezone is no time zone that this machine knows: {name}",
            hint="Use a name such as Europe/Berlin: hermes config set timezone NAME",
        ) from error
