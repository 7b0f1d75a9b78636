"""Where commands run. An environment is a class and one line in this table, imported on demand."""

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from hermes_agent.domain.errors import ConfigError
from hermes_agent.domain.ports import Environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from hermes_agent.environments.distant.guard import DistantGuard
    from hermes_agent.environments.enclosure import Place


class Workroom(Environment, Protocol):
    """An `Environment` as whoever owns it sees it."""

    @property
    def used(self) -> bool:
        """Whether a command ever ran here."""
        ...

    @property
    def guard(self) -> "DistantGuard | None":
        """The guard of its own file system; None where that is this machine's."""
        ...


TABLE: dict[str, str] = {
    "local": "hermes_agent.environments.local.LocalEnvironment",
    "bubblewrap": "hermes_agent.environments.bubblewrap.BubblewrapEnvironment",
    "docker": "hermes_agent.environments.distant.container.DockerEnvironment",
    "podman": "hermes_agent.environments.distant.container.PodmanEnvironment",
    "ssh": "hermes_agent.environments.distant.ssh.SshEnvironment",
}


GROUP = "hermes_agent.environments"
"""The entry-point group of plugins. The name of an entry is a backend without a line above; it
stands for what takes a `Place` and gives a `Workroom`."""


def create(name: str, place: "Place") -> Workroom:
    """The environment that `terminal.backend` names. Raises `ConfigError` for an unknown name,
    and for one that needs a plugin which is not installed."""
    if name in TABLE:
        module, _, kind = TABLE[name].rpartition(".")
        made: Workroom = getattr(import_module(module), kind)(place)
        return made
    return plugin(name)(place)


def plugin(name: str) -> "Callable[[Place], Workroom]":
    """What an installed package gives for `name`. Raises `ConfigError` when there is none."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP, name=name):
        loaded: Callable[[Place], Workroom] = entry.load()
        return loaded
    raise ConfigError(
        f"The terminal backend '{name}' comes with a plugin, and none is installed for it.",
        hint=f"Install a package with the entry point {name} in the group {GROUP}, "
        f"or set terminal.backend to one of: {', '.join(TABLE)}.",
    )
