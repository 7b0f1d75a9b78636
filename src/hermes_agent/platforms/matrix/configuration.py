"""What the Matrix adapter is told."""

import re
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings

_ON = frozenset(("1", "true", "yes", "on"))
_OFF = frozenset(("0", "false", "no", "off", ""))
_WHERE = "platforms.matrix.extra"
_USER = re.compile(r"@[^:\s]{1,200}:[^\s/]{1,200}")


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """`homeserver` is `http(s)://host[:port]`. There is an access token, or a user and a password.
    `device_id` is empty where the server or an earlier log-in gave one. `store` is the folder of
    the keys for encryption. Files above `max_file` bytes are named and left out, both ways.
    `sync_wait` is how many seconds the server may wait with an answer when nothing happens."""

    homeserver: str
    media_dir: Path
    store: Path
    access_token: Secret = Secret("")
    password: Secret = Secret("")
    user_id: str = ""
    device_id: str = ""
    device_name: str = "Hermes Agent"
    encryption: bool = False
    require_mention: bool = True
    free_rooms: frozenset[str] = frozenset()
    read_receipts: bool = True
    max_file: int = 25 * 1024 * 1024
    sync_wait: float = 30.0


def configuration(settings: PlatformSettings) -> Configuration:
    """Read the settings. Raises `ConfigError`, with the name of what is wrong."""
    values = settings.values

    def text(*names: str) -> str:
        return next((found for name in names if (found := str(values.get(name, "")).strip())), "")

    token, password, user = text("access_token", "token"), text("password"), text("user_id", "user")
    if not token and not password:
        raise ConfigError(
            "Matrix has neither an access token nor a password.",
            hint="Set MATRIX_ACCESS_TOKEN in .env, or MATRIX_USER_ID and MATRIX_PASSWORD.",
        )
    if not token and not user:
        raise ConfigError(
            "Matrix has a password and no user.", hint="Set MATRIX_USER_ID to @name:server."
        )
    if user and not _USER.fullmatch(user):
        raise ConfigError(
            f"{user!r} is no user of Matrix's.", hint="Set MATRIX_USER_ID to @name:server."
        )
    store = text("store", "store_path")
    return Configuration(
        homeserver=_homeserver(text("homeserver")),
        media_dir=settings.media_dir,
        # media_dir is HERMES_HOME/document_cache/matrix.
        store=Path(store).expanduser() if store else settings.media_dir.parent.parent / "matrix",
        access_token=Secret(token),
        password=Secret("" if token else password),
        user_id=user,
        device_id=text("device_id"),
        device_name=text("device_name") or "Hermes Agent",
        encryption=_switch(values.get("encryption", False), "encryption"),
        require_mention=_switch(values.get("require_mention", True), "require_mention"),
        free_rooms=_words(values.get("free_response_rooms", "")),
        read_receipts=_switch(values.get("read_receipts", True), "read_receipts"),
        max_file=int(_number(values.get("max_file_mb", 25), "max_file_mb", 500) * 1024 * 1024),
        sync_wait=_number(values.get("sync_wait", 30), "sync_wait", 120),
    )


def _homeserver(given: str) -> str:
    url = given if "://" in given or not given else f"https://{given}"
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and not parts.query
        fine = fine and not parts.username and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError(
            "Matrix has no homeserver that can be used.",
            hint="Set MATRIX_HOMESERVER to its address, such as https://matrix.org.",
        )
    return url.rstrip("/")


def _switch(given: object, name: str) -> bool:
    text = str(given).strip().lower()
    if text in _ON or text in _OFF:
        return text in _ON
    raise ConfigError(f"{_WHERE}.{name} must be true or false, not {text!r}.")


def _words(given: object) -> frozenset[str]:
    listed = map(str, cast("list[object]", given)) if isinstance(given, list) else (str(given),)
    return frozenset(" ".join(listed).replace(",", " ").split())


def _number(given: object, name: str, most: int) -> float:
    try:
        number = float(str(given))
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise ConfigError(f"{_WHERE}.{name} must be a number up to {most}.")
    return number
