"""What would keep a service from starting, or have no effect: said before anything is changed."""

import os
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.deploy.faults import Fault
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.reading import remarks_on_settings
from hermes_agent.deploy.setup import secrets, sources
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import ConfigError, HermesError


class Files(msgspec.Struct, frozen=True):
    """The files with secrets: whether their content is another than the running service was given,
    and why they cannot be read."""

    changed: bool
    fault: SetupFailed | None


def remarks(settings: dict[str, Any]) -> list[Fault]:
    """About declared settings that have no effect."""
    return remarks_on_settings(settings)


def require_container(spec: Specification) -> None:
    """That there is an engine, and that the container sees the package. Raises `HermesError`s."""
    if not spec.container.enable:
        return
    from hermes_agent.deploy.container.engine import Engine

    Engine.of(spec.container)
    program = os.path.realpath(spec.package)
    if not any(_below(program, os.path.realpath(root)) for root in spec.package_roots):
        raise ConfigError(
            f"packageRoots: the container would not see {program}, the package",
            hint=f"Name every folder that it needs, that of its Python too:"
            f" packageRoots: [ {program}, … ]",
        )


def look(spec: Specification, places: Places) -> Files:
    """Look at the files that a start reads."""
    try:
        environment, _ = secrets.gather(spec)
        secrets.require_readable(spec)
        handed = {
            key: sources.read(path, f"the secret {key} in", secrets.MOST_BYTES)
            for key, path in spec.secrets.items()
        }
    except SetupFailed as fault:
        return Files(changed=False, fault=fault)
    given = _content(str(places.environment))
    changed = given is not None and given != secrets.text(environment).encode(
        "utf-8", "surrogateescape"
    )
    folder = _credentials(spec, places)
    for key, data in handed.items():
        given = _content(f"{folder}/settings.{key}")
        changed = changed or (given is not None and given != data)
    return Files(changed=changed, fault=None)


def missing_here(spec: Specification) -> list[Fault]:
    """What a specification names and this machine does not have, for whoever may be asking."""
    named = [("package", spec.program)]
    named += [("environmentFiles", path) for path in spec.environment_files]
    named += [(f"secrets.{key}", path) for key, path in sorted(spec.secrets.items())]
    named += [
        (key, path)
        for key, path in (("configFile", spec.config_file), ("authFile", spec.auth_file))
        if path is not None
    ]
    named += [
        (f"documents.{name}", document.path)
        for name, document in sorted(spec.documents.items())
        if document.path is not None
    ]
    found = [
        Fault(f"there is no {path} on this machine", key) for key, path in named if _absent(path)
    ]
    try:
        require_container(spec)
    except ConfigError as error:
        key, _, said = error.message.partition(": ")
        found.append(Fault(said, key, error.hint))
    except HermesError as error:
        found.append(Fault(error.message, "container.backend", error.hint))
    return found


def _absent(path: str) -> bool:
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _credentials(spec: Specification, places: Places) -> str:
    if spec.container.enable:
        return str(places.runtime / "credentials")
    # Where LoadCredential puts them: systemd.exec(5).
    above = "/run" if spec.scope == "system" else str(places.roots.runtime.parent)
    return f"{above}/credentials/{spec.unit}"


def _below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _content(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None
