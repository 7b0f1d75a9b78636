"""Where commands of chats begin, what a platform is told of them, which bot is ours alone."""

import logging
from pathlib import Path

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import ConfigError
from hermes_agent.gateway.commands.table import menu
from hermes_agent.gateway.lock import GatewayLock, LockUnusable, hold_token
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.runtime.backend import DISTANT, backend_of

_TOKENS = ("bot_token", "token", "access_token")
_log = logging.getLogger(__name__)


def working_directory(loaded: Loaded) -> Path:
    """Where commands of chats begin: `terminal.cwd`, else MESSAGING_CWD, else the home directory.

    Raises `ConfigError`.
    """
    named = loaded.config.terminal.cwd
    if named in (".", "auto", "cwd", "") or backend_of(loaded) in DISTANT:
        named = loaded.environ.get("MESSAGING_CWD", "").strip() or str(Path.home())
    path = Path(named).expanduser().absolute()
    if not path.is_dir():
        raise ConfigError(
            f"The working directory does not exist: {path}",
            hint="Make it, or change it with: hermes config set terminal.cwd PATH",
        )
    return path


def with_menu(settings: PlatformSettings) -> PlatformSettings:
    """The same, with the slash commands for the platform's own menu."""
    return msgspec.structs.replace(settings, values={**settings.values, "commands": menu()})


def hold_bot(settings: PlatformSettings, loaded: Loaded) -> GatewayLock | None:
    """The lock on a platform's bot token: two gateways with one bot would take each other's
    messages away. None where there is no token, or no lock to be had. Raises `AlreadyRunning`."""
    token = next((v for name in _TOKENS if (v := settings.values.get(name))), None)
    if not isinstance(token, str):
        return None
    try:
        return hold_token(settings.name, token, loaded.paths.home, loaded.environ)
    except LockUnusable as error:
        _log.warning("%s: %s", settings.name, error)
        return None
