"""Where commands of chats begin, and what a platform is told of our commands."""

from pathlib import Path

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import ConfigError
from hermes_agent.gateway.commands.table import menu
from hermes_agent.platforms.base import PlatformSettings


def working_directory(loaded: Loaded) -> Path:
    """Where commands of chats begin: `terminal.cwd`, else MESSAGING_CWD, else the home directory.

    Raises `ConfigError`.
    """
    named = loaded.config.terminal.cwd
    if named in (".", "auto", "cwd", ""):
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
