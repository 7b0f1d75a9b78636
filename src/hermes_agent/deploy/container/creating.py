"""How a container is created: the arguments of `docker create` and `podman create`."""

from collections.abc import Iterator, Mapping

from hermes_agent.deploy.container import inner
from hermes_agent.deploy.container.defaults import defaults
from hermes_agent.deploy.container.found import IDENTITY, NAME
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.setup import secrets
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import ConfigError

STATE = "hermes-agent.state"
"""The label with the state directory on the host, for people."""


def arguments(spec: Specification, places: Places, identity: str, name: str) -> list[str]:
    """Everything after `create`. Raises `ConfigError` for a path that cannot be mounted.

    `extraOptions` come last and as they are: of options that count once the engines take the last.
    """
    usual = defaults()
    container = spec.container
    words = [
        f"--name={name}",
        # A program that is nobody's first process leaves no zombies behind.
        "--init",
        # Neither the image's user nor its program are meant.
        "--user=0:0",
        f"--entrypoint={inner.ENTRYPOINT}",
        "--workdir=/",
        "--no-healthcheck",
        "--pull=missing",
        "--restart=no",
        "--stop-signal=SIGTERM",
        f"--stop-timeout={usual.stop_seconds}",
        f"--network={container.network}",
        f"--label={IDENTITY}={identity}",
        f"--label={NAME}={spec.name}",
        f"--label={STATE}={spec.state_dir}",
        *(f"--cap-drop={capability}" for capability in usual.drop_capabilities),
        *usual.engine_options[container.backend],
    ]
    if not container.sudo:
        words.append("--security-opt=no-new-privileges")
    if not any(option.startswith("--log-driver") for option in container.extra_options):
        words += usual.log[container.backend]
    words += _mounts(spec, places)
    words += [f"--env={key}={value}" for key, value in sorted(variables(spec).items())]
    words += [f"--volume={volume}" for volume in container.extra_volumes]
    return [*words, *container.extra_options, container.image]


def variables(spec: Specification) -> Mapping[str, str]:
    """What every process in the container has, also those of `docker exec`; no secrets.

    HOME is not in it: a shell of the container's root must not read what the agent wrote there.
    """
    path = f"{defaults().path}:{inner.PACKAGE}/bin"
    fixed = {name: value for name, value in secrets.fixed(spec).items() if name != "HOME"}
    return {"PATH": path, "LANG": "C.UTF-8", **spec.environment, **fixed}


def _mounts(spec: Specification, places: Places) -> Iterator[str]:
    for root in spec.package_roots:
        yield _mount(root, root, readonly=True)
    yield _mount(spec.state_dir, inner.DATA)
    yield _mount(str(places.runtime), inner.RUN, readonly=True)
    yield _mount(str(places.runtime / "registry"), inner.REGISTRY, readonly=True)


def _mount(source: str, target: str, *, readonly: bool = False) -> str:
    for path in (source, target):
        if any(sign in path for sign in ',"') or not path.isprintable():
            raise ConfigError(
                f"A container cannot have {path!r}: commas and quotes cannot be mounted",
                hint="Choose another place.",
            )
    end = ",readonly" if readonly else ""
    return f"--mount=type=bind,source={source},target={target}{end}"
