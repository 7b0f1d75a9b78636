"""The skills of this home, as the commands about them see them."""

from pathlib import Path
from typing import TYPE_CHECKING

from hermes_agent.config.load import Loaded
from hermes_agent.knowledge.skills.shelf import Shelf

if TYPE_CHECKING:
    from hermes_agent.knowledge.skills.installing import Installer


def shelf_of(loaded: Loaded) -> Shelf:
    """All of them, those that are turned off too."""
    return Shelf((loaded.paths.skills_dir, *_others(loaded)))


def seeded(loaded: Loaded) -> None:
    """Put those in place that come with the program."""
    from hermes_agent.knowledge.skills.bundled import seed, source

    seed(source(loaded.environ), loaded.paths.skills_dir)


def origins_of(loaded: Loaded) -> dict[str, str]:
    """`builtin` or `hub` by name; the others were written here."""
    from hermes_agent.knowledge.skills.bundled import bundled_names

    found = dict.fromkeys(bundled_names(loaded.paths.skills_dir), "builtin")
    return found | dict.fromkeys(installer_of(loaded).installed, "hub")


def installer_of(loaded: Loaded) -> "Installer":
    """What puts skills into the home."""
    from hermes_agent.knowledge.skills.installing import Installer

    trusted = loaded.config.skills.trusted_sources
    return Installer(loaded.paths.skills_dir, trusted, beside=_others(loaded))


def _others(loaded: Loaded) -> list[Path]:
    return [Path(each).expanduser() for each in loaded.config.skills.external_dirs]
