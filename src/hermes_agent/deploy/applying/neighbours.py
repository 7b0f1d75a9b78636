"""What else is deployed: neither a name nor a state directory is given twice."""

import os
from collections.abc import Iterator
from pathlib import Path

from hermes_agent.deploy import reading
from hermes_agent.deploy.applying.unit import is_ours
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.spec import Specification
from hermes_agent.deploy.units.systemctl import Systemd
from hermes_agent.domain.errors import ConfigError, HermesError


class Taken(HermesError):
    """Another deployment or service has this already."""


def require_free(spec: Specification, places: Places, unit_file: Path, systemd: Systemd) -> None:
    """Raises `Taken`."""
    _require_name(spec, unit_file, systemd)
    for name, other in installed(places):
        if name == spec.name:
            if other.state_dir != spec.state_dir:
                raise Taken(
                    f"There is another deployment called {name}, with its state in"
                    f" {other.state_dir}",
                    hint="Give this one another name, or remove that one first:"
                    f" hermes deploy remove {name}",
                )
        elif _overlap(other.state_dir, spec.state_dir):
            raise Taken(
                f"stateDir {spec.state_dir}: the deployment {name} has its state in"
                f" {other.state_dir}",
                hint="Choose another stateDir.",
            )
    for name, home in _registered(places):
        if name != spec.name and _overlap(os.path.dirname(home), spec.state_dir):  # noqa: PTH120  text
            raise Taken(
                f"stateDir {spec.state_dir}: the deployment {name} has its home in {home}",
                hint="Choose another stateDir. If that one is no longer used: hermes deploy"
                f" remove {name}",
            )


def installed(places: Places) -> Iterator[tuple[str, Specification]]:
    """The specifications that `hermes deploy apply` keeps, by name."""
    folder = places.specification.parent
    for file in sorted(folder.glob("*.json")):
        try:
            yield file.stem, reading.read(file)
        except ConfigError as error:
            raise ConfigError(
                f"The installed specification {file} cannot be read: {error.message}",
                hint=f"Remove what is left of it: hermes deploy remove {file.stem}",
            ) from error


def _require_name(spec: Specification, unit_file: Path, systemd: Systemd) -> None:
    fragment = systemd.show(spec.unit).get("FragmentPath", "")
    if fragment and fragment != str(unit_file):
        raise Taken(
            f"There is a service {spec.unit} already ({fragment})",
            hint="Give the deployment another name.",
        )
    if os.path.lexists(unit_file) and not unit_file.is_symlink() and not is_ours(unit_file):
        raise Taken(
            f"{unit_file} is there already, and hermes deploy apply did not write it",
            hint="Give the deployment another name, or move that file away.",
        )


def _registered(places: Places) -> Iterator[tuple[str, str]]:
    from hermes_agent.deploy.host.registry import deployments

    for each in deployments(str(places.roots.registry)):
        yield each.name, each.home


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
