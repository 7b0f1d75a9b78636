"""All platforms: where each lives, and which variables of the environment are its own."""

from importlib import import_module
from typing import NamedTuple

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import Platform, PlatformSettings


class Entry(NamedTuple):
    """`module` below `hermes_agent.platforms` has a function `create(settings)`. `prefix` begins
    the names of its variables; `wanted` are the values (lower-case, without the prefix) without
    which it cannot start, one of each group."""

    module: str
    label: str
    prefix: str
    wanted: tuple[tuple[str, ...], ...]


PLATFORMS: dict[str, Entry] = {
    "telegram": Entry("telegram", "Telegram", "TELEGRAM_", (("bot_token", "token"),)),
    "discord": Entry("discord", "Discord", "DISCORD_", (("bot_token", "token"),)),
    "matrix": Entry(
        "matrix", "Matrix", "MATRIX_", (("homeserver",), ("access_token", "password", "token"))
    ),
    "email": Entry(
        "email", "E-mail", "EMAIL_", (("address",), ("password",), ("imap_host",), ("smtp_host",))
    ),
    "irc": Entry("irc", "IRC", "IRC_", (("server",), ("nick",))),
    "webhook": Entry("webhook", "Webhooks", "WEBHOOK_", ()),
}


def create(settings: PlatformSettings) -> Platform:
    """The adapter of this name. Raises `ConfigError`."""
    entry = PLATFORMS.get(settings.name)
    if entry is None:
        raise ConfigError(
            f"There is no platform called '{settings.name}'.",
            hint=f"Known: {', '.join(PLATFORMS)}.",
        )
    made: Platform = import_module(f"hermes_agent.platforms.{entry.module}").create(settings)
    return made
