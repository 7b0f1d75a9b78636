"""The adapter's settings."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings

OFFICIAL = "https://api.telegram.org"
POLL_TIMEOUT = 50
MAX_COMMANDS = 100

_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where Telegram calls us (`url`), and where we listen. A `secret` of None is made anew at
    every start."""

    url: str
    host: str = "127.0.0.1"
    port: int = 8443
    secret: Secret | None = None

    @property
    def path(self) -> str:
        """The path of the URL."""
        return urlsplit(self.url).path or "/"


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """`poll_timeout` is in seconds; `free_chats` are those where every message is for us;
    `commands` are pairs of name and help for the menu, `proxy` is instead of the environment's."""

    token: Secret
    media_dir: Path
    base_url: str = OFFICIAL
    proxy: Secret | None = None
    poll_timeout: int = POLL_TIMEOUT
    webhook: Webhook | None = None
    require_mention: bool = True
    free_chats: frozenset[str] = frozenset()
    link_previews: bool = True
    quotes: bool = True
    commands: tuple[tuple[str, str], ...] = ()


def configuration(settings: PlatformSettings) -> Configuration:
    """Read the settings. Raises `ConfigError`."""
    values = settings.values
    return Configuration(
        token=_token(values),
        media_dir=settings.media_dir,
        base_url=_url(values, "base_url", OFFICIAL),
        proxy=_proxy(values),
        poll_timeout=_number(values, "poll_timeout", POLL_TIMEOUT, 0, 50),
        webhook=_webhook(values),
        require_mention=_switch(values, "require_mention", True),
        free_chats=frozenset(_list(values, "free_response_chats")),
        link_previews=_switch(values, "link_previews", True),
        quotes=settings.reply_to != "off",
        commands=_commands(_list(values, "commands", between="\n")),
    )


def _token(values: Mapping[str, Any]) -> Secret:
    found = values.get("token") or values.get("bot_token")
    if not isinstance(found, str) or not found.strip():
        raise ConfigError(
            "telegram: there is no bot token.",
            hint="Get one from @BotFather and set TELEGRAM_BOT_TOKEN.",
        )
    token = found.strip()
    if _TOKEN.fullmatch(token) is None:
        raise ConfigError(
            "telegram: the bot token does not look like one (a number, a colon, letters).",
            hint="Copy it again from @BotFather into TELEGRAM_BOT_TOKEN.",
        )
    return Secret(token)


def _webhook(values: Mapping[str, Any]) -> Webhook | None:
    url = _url(values, "webhook_url", "")
    if not url:
        return None
    secret = values.get("webhook_secret")
    if secret is not None and _SECRET.fullmatch(str(secret)) is None:
        raise ConfigError(
            "telegram: webhook_secret may hold letters, digits, _ and - only, at most 256.",
            hint="Leave it out: a new one is made at every start.",
        )
    return Webhook(
        url=url,
        host=str(values.get("webhook_host") or "127.0.0.1"),
        port=_number(values, "webhook_port", 8443, 0, 65_535),
        secret=Secret(str(secret)) if secret is not None else None,
    )


def _proxy(values: Mapping[str, Any]) -> Secret | None:
    """It may hold a password."""
    url = _url(values, "proxy", "")
    return Secret(url) if url else None


def _url(values: Mapping[str, Any], key: str, default: str) -> str:
    url = str(values.get(key) or default).rstrip("/")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise ConfigError(
            f"telegram: {key} is not an http(s) address without a query.",
            hint=f"Correct platforms.telegram.extra.{key}.",
        )
    return url


def _number(values: Mapping[str, Any], key: str, default: int, least: int, most: int) -> int:
    value = values.get(key, default)
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if not least <= number <= most:
        raise ConfigError(
            f"telegram: {key} is to be a number from {least} to {most}.",
            hint=f"Correct platforms.telegram.extra.{key}.",
        )
    return number


def _switch(values: Mapping[str, Any], key: str, default: bool) -> bool:
    value = values.get(key, default)
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ConfigError(
        f"telegram: {key} is to be true or false.",
        hint=f"Correct platforms.telegram.extra.{key}.",
    )


def _list(values: Mapping[str, Any], key: str, between: str = ",") -> list[str]:
    value = values.get(key)
    if value is None:
        return []
    parts: list[object] = [*value] if isinstance(value, list) else [*str(value).split(between)]
    return [str(each).strip() for each in parts if str(each).strip()]


def _commands(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """What the menu can hold of `name - help` lines: Telegram knows no names with a hyphen."""
    found: dict[str, str] = {}
    for line in lines:
        name, _, about = line.partition(" - ")
        name = name.strip().removeprefix("/").lower().replace("-", "_")
        if _COMMAND.fullmatch(name):
            found.setdefault(name, " ".join(about.split())[:256] or name)
    return tuple(found.items())[:MAX_COMMANDS]
