"""Where commands run. An environment is a class and one line in this table, imported on demand."""

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from hermes_agent.domain.errors import ConfigError
from hermes_agent.domain.ports import Environment

if TYPE_CHECKING:
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


def create(name: str, place: "Place") -> Workroom:
    """The environment that `terminal.backend` names. Raises `ConfigError` for an unknown name."""
    if name not in TABLE:
        raise ConfigError(
            f"There is no terminal backend called '{name}'.",
            hint=f"Set terminal.backend to one of: {', '.join(TABLE)}.",
        )
    module, _, kind = TABLE[name].rpartition(".")
    made: Workroom = getattr(import_module(module), kind)(place)
    return made
