"""What the places outside this machine's own file system are made from."""

from collections.abc import Mapping

import msgspec


class ContainerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A container. `memory` is in MB; zero processors or memory means no limit.

    `volumes` are `host:container[:options]`, as the engines take them. `variables` go to the
    commands by name, never through a command line. `sandbox` is a folder of this machine whose
    `workspace` and `home` are what the container keeps; without one it keeps nothing. `workspace`
    is a folder to work in instead of the sandbox's.
    """

    image: str
    cpus: float = 1
    memory: int = 5120
    volumes: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}
    sandbox: str | None = None
    workspace: str | None = None


class SshOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Another machine. What is empty is left to the user's ssh configuration."""

    host: str
    user: str = ""
    port: int = 22
    key: str = ""
