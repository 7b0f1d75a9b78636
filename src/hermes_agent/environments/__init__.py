"""Where commands run. An environment is a class and one line in this table, imported on demand."""

from importlib import import_module
from typing import TYPE_CHECKING

from hermes_agent.domain.errors import ConfigError

if TYPE_CHECKING:
    from hermes_agent.environments.enclosure import Place
    from hermes_agent.environments.shell import ShellEnvironment

TABLE: dict[str, str] = {
    "local": "hermes_agent.environments.local.LocalEnvironment",
    "bubblewrap": "hermes_agent.environments.bubblewrap.BubblewrapEnvironment",
}


def create(name: str, place: "Place") -> "ShellEnvironment":
    """The environment that `terminal.backend` names. Raises `ConfigError` for an unknown name."""
    if name not in TABLE:
        raise ConfigError(
            f"There is no terminal backend called '{name}'.",
            hint=f"Set terminal.backend to one of: {', '.join(TABLE)}.",
        )
    module, _, kind = TABLE[name].rpartition(".")
    made: ShellEnvironment = getattr(import_module(module), kind)(place)
    return made
