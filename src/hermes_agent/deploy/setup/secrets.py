"""The service's environment: environment files in order, `environment` below them."""

from collections.abc import Iterable, Mapping

from hermes_agent.config import dotenv
from hermes_agent.config.variables import credential_in_env_file, forbidden_in_env_file
from hermes_agent.deploy.container import inner
from hermes_agent.deploy.setup import reach, sources
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import ConfigError

MOST_BYTES = 1024 * 1024
LONGEST_VALUE = 120_000
"""Bytes; execve(2) takes no string longer than 128 KiB."""

# ld.so(8), locale(7), iconv_open(3): heeded before a program has begun, by root's /usr/bin/env too,
# with which a start begins. (LD_* is on config's list.) The last one is that of Nix.
_OF_THE_C_LIBRARY = ("GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "NLSPATH", "LOCALE_ARCHIVE")


def gather(spec: Specification) -> tuple[dict[str, str], list[str]]:
    """The variables and warnings. Raises `SetupFailed`, naming the file."""
    warnings: list[str] = []
    found = dict(spec.environment)
    for path in spec.environment_files:
        lines = _read(path)
        found.update(_allowed(lines, path, warnings, agents=reach.writes(spec, path)))
    for name, value in fixed(spec).items():
        if found.get(name, value) != value:
            warnings.append(f"{name} is ignored: the deployment sets it to {value}")
        found[name] = value
    for name, value in found.items():
        _check(name, value)
    return found, warnings


def require_readable(spec: Specification) -> None:
    """That the files of `secrets` are there; who hands them over would only say a number.

    Raises `SetupFailed`, naming the file.
    """
    for key, path in sorted(spec.secrets.items()):
        if not sources.read(path, f"the secret {key} in", MOST_BYTES).strip():
            raise SetupFailed(
                f"The secret {key} in {path} is empty", hint="Write its value into that file."
            )


def fixed(spec: Specification) -> dict[str, str]:
    """What the deployment itself says, as the service sees it."""
    container = spec.container.enable
    values = {
        "HERMES_HOME": inner.HERMES_HOME if container else spec.home,
        "HERMES_MANAGED": "true" if spec.manager == "nixos" else spec.manager,
        "MESSAGING_CWD": inner.workspace(spec) if container else spec.workspace,
    }
    if container:
        values["HOME"] = inner.HOME
    elif spec.scope == "system":
        values["HOME"] = spec.state_dir
    return values


def text(variables: Mapping[str, str]) -> str:
    """The file that systemd and a shell read the same from."""
    return "".join(dotenv.format_exactly(name, value) for name, value in sorted(variables.items()))


def _read(path: str) -> list[dotenv.Line]:
    data = sources.read(path, "the environment file", MOST_BYTES)
    try:
        return list(dotenv.parse(data.decode("utf-8"), path))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SetupFailed(
            f"The environment file {path}, line {line}: not UTF-8 text",
            hint="Is it still encrypted?",
        ) from error
    except ConfigError as error:
        raise SetupFailed(
            f"The environment file {error.message}",
            hint="Its lines are NAME=value; a value with quotes in it belongs into quotes.",
        ) from error


def _allowed(
    lines: Iterable[dotenv.Line], path: str, warnings: list[str], *, agents: bool
) -> Iterable[tuple[str, str]]:
    for line in lines:
        if bare := dotenv.bare_name(line):
            warnings.append(f"{bare} in {path} has no value and is left out")
        elif not line.name:
            continue
        elif not dotenv.NAME.fullmatch(line.name):
            warnings.append(f"{line.name} in {path} is no name for a variable and is left out")
        elif forbidden_in_env_file(line.name) or line.name.startswith(_OF_THE_C_LIBRARY):
            warnings.append(f"{line.name} is ignored: {path} may not set it")
        elif agents and not credential_in_env_file(line.name):
            warnings.append(
                f"{line.name} is ignored: the agent can write to {path}, which may hold nothing"
                " but keys of services therefore"
            )
        else:
            yield line.name, line.value


def _check(name: str, value: str) -> None:
    if len(value.encode("utf-8", "surrogateescape")) > LONGEST_VALUE:
        raise SetupFailed(f"The variable {name} is longer than {LONGEST_VALUE:,} bytes")
    if any((ord(c) < 32 and c not in "\t\n") or ord(c) == 127 for c in value):
        raise SetupFailed(
            f"The variable {name} holds a control character, which systemd does not pass on",
            hint="Is the file it comes from text?",
        )
