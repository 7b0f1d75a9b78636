"""What the Discord adapter is told."""

from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings

CDN = frozenset(("cdn.discordapp.com", "media.discordapp.net"))
_ON = frozenset(("1", "true", "yes", "on"))
_OFF = frozenset(("0", "false", "no", "off", ""))
_WHERE = "platforms.discord.extra"


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """`people` are those whom the configuration names, by id: the door decides about them, this is
    for finding their private channels. `free_channels` are those where no mention is needed, by
    id. `commands` are `name - help` each. `api_base` and `gateway_url` stand for Discord's own
    where they are set. Files above `max_download` and `max_upload` bytes are named and left out.
    """

    token: Secret
    media_dir: Path
    require_mention: bool = True
    auto_thread: bool = True
    free_channels: frozenset[int] = frozenset()
    people: tuple[int, ...] = ()
    commands: tuple[str, ...] = ()
    api_base: str = ""
    gateway_url: str = ""
    file_hosts: frozenset[str] = CDN
    max_download: int = 25 * 1024 * 1024
    max_upload: int = 10 * 1024 * 1024


def configuration(settings: PlatformSettings) -> Configuration:
    """Read the settings. Raises `ConfigError`, with the name of what is wrong."""
    values = settings.values
    token = str(values.get("token") or values.get("bot_token") or "").strip()
    if not token:
        raise ConfigError(
            "Discord has no token.",
            hint="Set DISCORD_BOT_TOKEN in .env; the bot's page on discord.com/developers has it.",
        )
    api_base = str(values.get("api_base") or "").rstrip("/")
    hosts = CDN | ({urlsplit(api_base).netloc} if api_base else frozenset[str]())
    return Configuration(
        token=Secret(token),
        media_dir=settings.media_dir,
        require_mention=_switch(values.get("require_mention", True), "require_mention"),
        auto_thread=_switch(values.get("auto_thread", True), "auto_thread"),
        free_channels=_ids(values.get("free_response_channels", "")),
        people=tuple(
            int(word)
            for key in ("owners", "allowed_users", "guests")
            for word in _words(values.get(key, ""))
            if _is_id(word)
        ),
        commands=_lines(values.get("commands")),
        api_base=api_base,
        gateway_url=str(values.get("gateway_url") or "").rstrip("/"),
        file_hosts=frozenset(hosts),
        max_download=_megabytes(values.get("max_download_mb", 25), "max_download_mb"),
        max_upload=_megabytes(values.get("max_upload_mb", 10), "max_upload_mb"),
    )


def _switch(given: object, name: str) -> bool:
    text = str(given).strip().lower()
    if text in _ON or text in _OFF:
        return text in _ON
    raise ConfigError(f"{_WHERE}.{name} must be true or false, not {text!r}.")


def _lines(given: object) -> tuple[str, ...]:
    return tuple(map(str, cast("list[object]", given))) if isinstance(given, list) else ()


def _ids(given: object) -> frozenset[int]:
    words = _words(given)
    bad = [word for word in words if not _is_id(word)]
    if bad:
        raise ConfigError(
            f"The free response channels of Discord name {bad[0]!r}, which is no channel's id.",
            hint="An id is a long number: Developer Mode, then Copy Channel ID.",
        )
    return frozenset(int(word) for word in words)


def _words(given: object) -> tuple[str, ...]:
    text = " ".join(_lines(given)) or ("" if isinstance(given, list) else str(given))
    return tuple(text.replace(",", " ").split())


def _is_id(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 20


def _megabytes(given: object, name: str) -> int:
    try:
        count = float(str(given))
    except ValueError:
        count = 0.0
    if not 0 < count <= 500:
        raise ConfigError(f"{_WHERE}.{name} must be a number of megabytes up to 500.")
    return int(count * 1024 * 1024)
