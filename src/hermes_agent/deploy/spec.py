"""The specification: one deployment, whoever declares it.

JSON (YAML for people); the keys are the names of the NixOS module's options. The NixOS module,
the home-manager module and `hermes deploy apply` produce it, everything else here reads it.
"""

from typing import Annotated, Any, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9-]{0,40}\Z")]
"""A deployment's name: also that of its unit and of its container."""
Account = Annotated[str, msgspec.Meta(pattern=r"\A[a-z_][a-z0-9_-]{0,30}\Z")]
AbsolutePath = Annotated[str, msgspec.Meta(pattern=r"\A/[^\0\n]*\Z", max_length=4000)]
Variable = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]*\Z")]
Key = Annotated[str, msgspec.Meta(pattern=r"\A[^/\0\n]+\Z")]
"""A dotted key of config.yaml."""
RestartPolicy = Literal[
    "no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"
]


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A map of the specification; unknown keys are errors."""


class Document(Part, frozen=True, kw_only=True):
    """A file for the working directory: its `text`, or the `path` where it is copied from."""

    text: str | None = None
    path: AbsolutePath | None = None


class Container(Part, frozen=True, kw_only=True):
    """The container mode. `program` is the engine's command line, found on PATH by default.

    `provision` names Debian packages for the first start; None takes the usual ones, best effort.
    """

    enable: bool = False
    backend: Literal["docker", "podman"] = "docker"
    image: Annotated[str, msgspec.Meta(min_length=1)] = "ubuntu:24.04"
    extra_volumes: tuple[str, ...] = ()
    extra_options: tuple[str, ...] = ()
    network: Annotated[str, msgspec.Meta(min_length=1)] = "host"
    sudo: bool = True
    host_users: tuple[Account, ...] = ()
    provision: tuple[str, ...] | None = None
    program: str | None = None


class Hardening(Part, frozen=True, kw_only=True):
    """The native mode's sandbox: off, or settings of systemd.exec(5) laid over the usual ones."""

    enable: bool = True
    settings: dict[str, str | bool | int | tuple[str, ...]] = {}


class Specification(Part, frozen=True, kw_only=True):
    """One deployment of the agent.

    `package` is a folder with `bin/hermes`; `package_roots` are the read-only trees that it needs
    (`/nix/store`), mounted into a container at the same place. `gc_roots` is the folder in which a
    link keeps the package from garbage collection. `secrets` has dotted keys of config.yaml and
    the files that hold their values. `working_directory` defaults to `workspace` in `state_dir`.
    """

    version: Literal[1] = 1
    name: Name = "hermes-agent"
    manager: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "deploy"
    scope: Literal["system", "user"] = "system"
    package: AbsolutePath
    package_roots: tuple[AbsolutePath, ...] = ()
    gc_roots: AbsolutePath | None = None
    user: Account = "hermes"
    group: Account = "hermes"
    create_user: bool = True
    state_dir: AbsolutePath = "/var/lib/hermes"
    working_directory: AbsolutePath | None = None
    add_to_system_packages: bool = False
    settings: dict[str, Any] = {}
    config_file: AbsolutePath | None = None
    environment: dict[Variable, str] = {}
    environment_files: tuple[AbsolutePath, ...] = ()
    secrets: dict[Key, AbsolutePath] = {}
    auth_file: AbsolutePath | None = None
    auth_file_force_overwrite: bool = False
    documents: dict[str, Document] = {}
    mcp_servers: dict[str, dict[str, Any]] = {}
    extra_args: tuple[str, ...] = ()
    extra_packages: tuple[AbsolutePath, ...] = ()
    restart: RestartPolicy = "always"
    restart_sec: Annotated[int, msgspec.Meta(ge=0)] = 5
    hardening: Hardening = Hardening()
    container: Container = Container()

    @property
    def home(self) -> str:
        """HERMES_HOME on the host."""
        return f"{self.state_dir}/.hermes"

    @property
    def workspace(self) -> str:
        """The agent's working directory on the host."""
        return self.working_directory or f"{self.state_dir}/workspace"

    @property
    def declared(self) -> dict[str, Any]:
        """The settings with the MCP servers in them; what `config_file` says is not known here."""
        if not self.mcp_servers:
            return self.settings
        servers = {**self.settings.get("mcp_servers", {}), **self.mcp_servers}
        return {**self.settings, "mcp_servers": servers}

    @property
    def program(self) -> str:
        """The command that everything here starts."""
        return f"{self.package}/bin/hermes"

    @property
    def unit(self) -> str:
        """The name of the service."""
        return f"{self.name}.service"
