"""This machine, with nothing between."""

from collections.abc import Mapping, Sequence

from hermes_agent.environments.enclosure import Launch, Place
from hermes_agent.environments.files import HostFiles
from hermes_agent.environments.scratch import Scratch
from hermes_agent.environments.shell import ShellEnvironment


class Local:
    """The empty prefix."""

    name = "local"
    terminal = "/proc/self/fd/0"
    fleeting = None

    def __init__(self, place: Place) -> None:
        self.files = HostFiles(place.cwd)
        self._scratch = Scratch()

    @property
    def scratch(self) -> str | None:
        """The scratch directory."""
        return self._scratch.path

    def launch(
        self, argv: Sequence[str | bytes], *, cwd: str, variables: Mapping[str, str], pty: bool
    ) -> Launch:
        """As it is."""
        return Launch(argv=argv, cwd=cwd, variables=variables)

    def close(self) -> None:
        """Remove the scratch directory."""
        self._scratch.remove()


class LocalEnvironment(ShellEnvironment):
    """Commands run as this user on this machine."""

    def __init__(self, place: Place) -> None:
        super().__init__(Local(place), place)
