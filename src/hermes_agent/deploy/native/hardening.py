"""How far the service is confined: the fullest set, less what the declared settings need.

`data/hardening.json`, which the Nix modules read too: `native` is the fullest set of a service of
the machine, `user` that of a person's own service; `relax` has, by reason, the values that replace
those of `native`, null to leave a directive out. A list is one line for each of its elements.
Reasons apply in the order `nonamespaces`, `home`, `bubblewrap`, `jit`, `browser`; the later one
wins.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from hermes_agent.deploy.spec import Specification

Value = str | bool | int | list[str] | tuple[str, ...]
Directives = dict[str, Value]
Reason = Literal["nonamespaces", "home", "bubblewrap", "jit", "browser"]

HIDDEN = ("/home", "/root", "/run/user")
"""What `ProtectHome=` takes out of sight."""
PRIVATE = ("/tmp", "/var/tmp")  # noqa: S108  places of which the service has its own
COMMANDS_HERE = ("local", "bubblewrap")
"""The values of `terminal.backend` with which commands run in the service."""
_MOST_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")
_BROWSER = frozenset({"browser", "all", "*"})


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    native: dict[str, str | bool | list[str]]
    relax: dict[Reason, dict[str, str | bool | list[str] | None]]
    user: dict[str, str | bool | list[str]]


def table() -> Table:
    """As it is shipped."""
    path = Path(__file__).parent.parent / "data" / "hardening.json"
    return msgspec.json.decode(path.read_bytes(), type=Table)


def has_user_namespaces() -> bool:
    """Whether this machine has them at all; some are hardened so that it has none."""
    try:
        return _MOST_NAMESPACES.read_text("ascii").strip() != "0"
    except OSError:
        return False


def reasons(
    spec: Specification, settings: Mapping[str, Any], *, user_namespaces: bool = True
) -> tuple[Reason, ...]:
    """Why the fullest set cannot be had. `settings` is the declaration, of whatever origin.

    Commands that run in the service (`terminal.backend`) need namespaces for bubblewrap, and may
    be programs with just-in-time compilers (node); so may MCP servers that are started here.
    """
    return (*(() if user_namespaces else ("nonamespaces",)), *_reasons(spec, settings))


def directives(
    spec: Specification, settings: Mapping[str, Any], *, user_namespaces: bool = True
) -> Directives:
    """Everything that confines the service, by directive; `hardening.settings` has the last word.

    The places that can be written are not in it: see `writable`.
    """
    known = table()
    found: Directives = {"UMask": (known.native if spec.scope == "system" else known.user)["UMask"]}
    if not spec.hardening.enable:
        return found
    found.update(known.native if spec.scope == "system" else known.user)
    if spec.scope == "system":
        for reason in reasons(spec, settings, user_namespaces=user_namespaces):
            for name, value in known.relax[reason].items():
                if value is None:
                    found.pop(name, None)
                else:
                    found[name] = value
    found.update(spec.hardening.settings)
    return found


def writable(spec: Specification) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the service may write: paths for `ReadWritePaths=`, and those that need `BindPaths=`
    because what lies above them is hidden from it."""
    if spec.scope == "user" or not spec.hardening.enable:
        return (), ()
    paths = [spec.state_dir]
    if not below(spec.workspace, (spec.state_dir,)):
        paths.append(spec.workspace)
    bound = tuple(path for path in paths if below(path, (*HIDDEN, *PRIVATE)))
    return tuple(path for path in paths if path not in bound), bound


def below(path: str, folders: tuple[str, ...]) -> bool:
    """Whether the path is one of these folders or lies in one."""
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _reasons(spec: Specification, settings: Mapping[str, Any]) -> Iterator[Reason]:
    if below(spec.state_dir, HIDDEN) or below(spec.workspace, HIDDEN):
        yield "home"
    commands = _section(settings, "terminal").get("backend", "local") in COMMANDS_HERE
    servers = _section(settings, "mcp_servers").values()
    started = any(isinstance(each, dict) and "command" in each for each in servers)
    if commands:
        yield "bubblewrap"
    if commands or started:
        yield "jit"
    if _wants_browser(settings):
        yield "browser"


def _wants_browser(settings: Mapping[str, Any]) -> bool:
    """Whether the settings say so: the bundles that every platform has by default do not count,
    for most agents have no browser."""
    if settings.get("browser"):
        return True
    lists = [settings.get("toolsets"), *_section(settings, "platform_toolsets").values()]
    return any(
        isinstance(names, list) and not _BROWSER.isdisjoint(map(str, cast("list[Any]", names)))
        for names in lists
    )


def _section(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = settings.get(name)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
