"""From the configuration and the environment to what each platform's adapter is made from."""

from collections.abc import Mapping

from hermes_agent.config.load import Loaded
from hermes_agent.config.schema.gateway import Platform
from hermes_agent.domain.chats import Target
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.table import PLATFORMS
from hermes_agent.scheduler.targets import place_on

_ON = frozenset(("1", "true", "yes", "on"))
_OFF = frozenset(("0", "false", "no", "off"))

Value = str | int | float | bool | list[str] | dict[str, str]


def enabled(loaded: Loaded) -> tuple[PlatformSettings, ...]:
    """The settings of all platforms that are on: those that `platforms.<name>.enabled` names, and
    those whose variables are all there and that are not switched off."""
    return tuple(settings_of(loaded, name) for name in (*PLATFORMS,) if is_enabled(loaded, name))


def is_enabled(loaded: Loaded, name: str) -> bool:
    """Whether the platform is to be connected."""
    configured = loaded.config.platforms.get(name)
    switch = loaded.environ.get(f"{PLATFORMS[name].prefix}ENABLED", "").strip().lower()
    if switch in _OFF:
        return False
    if switch in _ON or (configured is not None and configured.enabled):
        return True
    if f"platforms.{name}.enabled" in loaded.origins:
        return False
    wanted = PLATFORMS[name].wanted
    values = _values(loaded, name, configured)
    return bool(wanted) and all(any(values.get(key) for key in group) for group in wanted)


def api_enabled(loaded: Loaded) -> bool:
    """Whether the API server is on: API_SERVER_ENABLED, or `platforms.api_server.enabled`."""
    switch = loaded.environ.get("API_SERVER_ENABLED", "").strip().lower()
    if switch in (_ON | _OFF):
        return switch in _ON
    configured = loaded.config.platforms.get("api_server")
    return configured is not None and configured.enabled


def settings_of(loaded: Loaded, name: str) -> PlatformSettings:
    """What the adapter of this platform is made from."""
    configured = loaded.config.platforms.get(name)
    return PlatformSettings(
        name=name,
        values=_values(loaded, name, configured),
        media_dir=loaded.paths.home / "document_cache" / name,
        extra=dict(configured.extra) if configured else {},
        reply_to=configured.reply_to_mode if configured else "first",
    )


def home_channel(loaded: Loaded, name: str) -> Target | None:
    """Where a platform's scheduled jobs and notices go."""
    configured = loaded.config.platforms.get(name)
    home = configured.home_channel if configured else None
    if home is not None and home.chat_id:
        return place_on(name, home.chat_id)
    entry = PLATFORMS.get(name)
    if entry is None:
        return None
    for variable in ("HOME_CHANNEL", "HOME_ROOM", "HOME_ADDRESS"):
        value = loaded.environ.get(f"{entry.prefix}{variable}", "").strip()
        if value:
            return place_on(name, value)
    return None


def _values(loaded: Loaded, name: str, configured: Platform | None) -> dict[str, Value]:
    prefix = PLATFORMS[name].prefix
    values: dict[str, Value] = {
        variable[len(prefix) :].lower(): value
        for variable, value in loaded.environ.items()
        if variable.startswith(prefix) and value
    }
    if name == "discord":
        discord = loaded.config.discord
        channels = discord.free_response_channels
        values.setdefault("require_mention", discord.require_mention)
        values.setdefault("auto_thread", discord.auto_thread)
        if channels:
            listed = channels if isinstance(channels, str) else list(channels)
            values.setdefault("free_response_channels", listed)
    if configured is not None:
        values |= _plain(configured.extra)
        if configured.token is not None:
            values["token"] = configured.token.reveal()
        if configured.api_key is not None:
            values["api_key"] = configured.api_key.reveal()
    return values


def _plain(extra: Mapping[str, object]) -> dict[str, Value]:
    """What adapters can use of the open section; the rest is shown by `config check`."""
    plain: dict[str, Value] = {}
    for key, value in extra.items():
        if isinstance(value, str | int | float | bool):
            plain[key] = value
        elif isinstance(value, list | tuple):
            plain[key] = [str(each) for each in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  open section
        elif isinstance(value, dict):
            plain[key] = {str(k): str(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  open section
    return plain
