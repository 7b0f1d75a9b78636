"""The effective configuration: defaults, config.yaml, environment, declaration, credentials, flags.

Lowest first. The declaration of a managed home outranks file and environment for every key, and
where it says nothing about who may talk and what may run, the defaults count: `.env` and
config.yaml lie where the agent's own user may write. Of the flags it lets through what
`hermes_agent.config.override` names.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from hermes_agent.config import auth, credentials, fence, keys, merge, reading, secret_values
from hermes_agent.config.managed import REGISTRY, Managed
from hermes_agent.config.managed import find as find_managed
from hermes_agent.config.merge import Layers, Origin
from hermes_agent.config.normalise import Normaliser, Remark, from_text
from hermes_agent.config.override import FINAL, may_override, under
from hermes_agent.config.paths import Paths
from hermes_agent.config.reading import Document, KeyPath
from hermes_agent.config.schema import Config
from hermes_agent.config.validate import Fault, convert
from hermes_agent.config.variables import SWITCHES, VARIABLES
from hermes_agent.domain.errors import ConfigError

Flags = Mapping[str, Any]
"""Dotted keys and what the command line gave for them; None was not given."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The effective configuration and how it came about.

    `data` is what was set (no defaults), unknown keys included; `origins` says by dotted key who
    set it; `environ` is the inherited environment under `.env`; `secrets` are the values to blank
    out wherever they turn up; `logins` is what auth.json has.
    """

    config: Config
    paths: Paths
    data: dict[str, Any]
    origins: dict[str, Origin]
    warnings: tuple[Remark, ...]
    environ: Mapping[str, str]
    env_file: Mapping[str, str]
    secrets: frozenset[str]
    managed: Managed | None
    logins: auth.AuthFile = auth.NOBODY

    def __repr__(self) -> str:
        return f"<Loaded {self.paths.config_file}>"


class InvalidConfigError(ConfigError):
    """Values of the wrong type. `faults` has them all."""

    def __init__(self, message: str, *, hint: str | None, faults: list[str]) -> None:
        super().__init__(message, hint=hint)
        self.faults = faults


def load(
    paths: Paths | None = None,
    environ: Mapping[str, str] = os.environ,
    flags: Flags | None = None,
    *,
    registry: Path = REGISTRY,
) -> Loaded:
    """Read everything. Raises `ConfigError` (exit status 78), all faults named."""
    paths = paths or Paths.of(environ)
    if paths.home.exists() and not paths.home.is_dir():
        raise ConfigError(
            f"HERMES_HOME {paths.home} is not a folder", hint="Name a folder, or one to be made."
        )
    managed = find_managed(paths, environ, registry=registry)
    remarks: list[Remark] = []
    env_file = fence.env_file(paths, environ, managed, remarks)
    effective = {**environ, **env_file}
    document = reading.read(paths.config_file)
    declared, odd = _declaration(managed, effective)
    layers = Layers()
    _lay_file(layers, document, effective, declared, remarks)
    _lay_environment(layers, effective, env_file, managed, remarks)
    if managed is not None and declared is not None:
        remarks += odd
        layers.lay(declared, lambda _: Origin("declaration", managed.signal))
    given = _lay_credentials(layers, environ, remarks) if managed is not None else []
    logins = _logins(paths, remarks)
    _lay_flags(layers, flags or {}, managed, remarks)
    config = convert(layers.data)
    if isinstance(config, list):
        raise _invalid(config, layers, paths, managed)
    return Loaded(
        config=config,
        paths=paths,
        data=layers.data,
        origins=layers.origins,
        warnings=tuple(remarks),
        environ=effective,
        env_file=env_file,
        secrets=secret_values.gather(effective, layers.data, (*given, *logins.secrets())),
        managed=managed,
        logins=logins,
    )


def _declaration(
    managed: Managed | None, environ: Mapping[str, str]
) -> tuple[dict[str, Any] | None, list[Remark]]:
    """What is declared, ready to be laid, and what is odd about it."""
    if managed is None or managed.settings is None:
        return None, []
    normaliser = Normaliser(environ, place=lambda _: " in the declaration")
    return normaliser.layer(managed.settings), normaliser.remarks


def _lay_credentials(
    layers: Layers, environ: Mapping[str, str], remarks: list[Remark]
) -> list[str]:
    """Lay them; returns their texts."""
    texts: list[str] = []
    for path, text in credentials.read(environ).items():
        texts.append(text)
        value = credentials.value(path, text)
        place = credentials.PREFIX + keys.join(path)
        # Nothing is filled in: `${` in a secret is part of it.
        normaliser = Normaliser({}, place=lambda _, place=place: f" (credential {place})")
        layer = normaliser.layer(merge.nested(path, value))
        remarks += normaliser.remarks
        layers.lay(layer, lambda _, place=place: Origin("credential", place))
    return texts


def _logins(paths: Paths, remarks: list[Remark]) -> auth.AuthFile:
    try:
        return auth.read(paths)
    except ConfigError as error:
        # Whatever needs no login still works; nobody writes over the file.
        remarks.append(Remark("refused", "auth.json", f"{error.message}; its logins are not used"))
        return auth.NOBODY


def _lay_file(
    layers: Layers,
    document: Document,
    environ: Mapping[str, str],
    declared: dict[str, Any] | None,
    remarks: list[Remark],
) -> None:
    older: dict[KeyPath, KeyPath] = {
        keys.split(new): keys.split(old) for old, new in keys.LEGACY.items()
    }

    def line(path: KeyPath) -> int | None:
        for length in range(len(path), 0, -1):
            found = document.lines.get(path[:length])
            if found is None:
                found = document.lines.get(older.get(path[:length], ()))
            if found is not None:
                return found
        return None

    def place(path: KeyPath) -> str:
        found = line(path)
        return f" (config.yaml, line {found})" if found else ""

    normaliser = Normaliser(environ, document.texts, place)
    data = normaliser.layer(document.data)
    remarks += normaliser.remarks
    for path in document.repeated:
        text = f"{keys.join(path)}{place(path)} stands there twice; the last counts"
        remarks.append(Remark("repeated", keys.join(path), text))

    if declared is not None:
        for path in fence.take_gates(data, declared):
            text = f"{keys.join(path)}{place(path)} is ignored: it is for the declaration to set"
            remarks.append(Remark("refused", keys.join(path), text))

    def origin(path: KeyPath) -> Origin:
        found = line(path)
        return Origin("config.yaml", f"line {found}" if found else "")

    layers.lay(data, origin)


def _lay_environment(
    layers: Layers,
    environ: Mapping[str, str],
    env_file: Mapping[str, str],
    managed: Managed | None,
    remarks: list[Remark],
) -> None:
    declared = managed is not None and managed.settings is not None
    wanted = [(name, key, environ[name]) for name, key in VARIABLES if environ.get(name)]
    for name, (key, value) in SWITCHES.items():
        if environ.get(name, "").strip().lower() in ("1", "true", "yes", "on"):
            wanted.append((name, key, value))
    taken: set[str] = set()
    for name, key, text in wanted:
        if key in taken:
            continue
        taken.add(key)
        where = f"{name} in .env" if name in env_file else name
        if declared and under(key, FINAL):
            text = f"{where} is ignored: {key} is for the declaration to set"
            remarks.append(Remark("refused", name, text))
            continue
        path = keys.split(key)
        shape = keys.find(path)
        value = from_text(text, shape) if shape else text
        _note_shadow(layers, path, value, where, remarks)
        layers.lay(merge.nested(path, value), lambda _, where=where: Origin("environment", where))


def _note_shadow(
    layers: Layers, path: KeyPath, value: Any, where: str, remarks: list[Remark]
) -> None:
    try:
        below = merge.at(layers.data, path)
    except KeyError:
        return
    if below != value:
        key = keys.join(path)
        remarks.append(Remark("shadowed", key, f"{key} in config.yaml is outranked by {where}"))


def _lay_flags(
    layers: Layers, flags: Flags, managed: Managed | None, remarks: list[Remark]
) -> None:
    for key, value in flags.items():
        if value is None:
            continue
        path = keys.split(key)
        declared = managed if managed is not None and managed.settings is not None else None
        if declared and not may_override(key, _present(layers.data, path), value):
            text = f"{key} is for {declared.manager.name} to set; the flag is ignored"
            remarks.append(Remark("refused", key, text))
            continue
        plain: Any = list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
        layers.lay(merge.nested(path, plain), lambda _: Origin("flag"))


def _present(data: dict[str, Any], path: KeyPath) -> Any:
    """What counts without the flag; a platform without toolsets of its own has everybody's."""
    try:
        return merge.at(data, path)
    except KeyError:
        if path[0] == "platform_toolsets" and len(path) == 2:
            return _present(data, ("toolsets",))
        return default(path)


def default(path: KeyPath) -> Any:
    """The built-in value of a key; None where there is none."""
    at: Any = Config()
    for part in path:
        if isinstance(at, msgspec.Struct):
            names = zip(at.__struct_encode_fields__, at.__struct_fields__, strict=True)
            name = dict(names).get(str(part))
            at = getattr(at, name) if name else None
        else:
            return None
    return at


def _invalid(
    faults: list[Fault], layers: Layers, paths: Paths, managed: Managed | None
) -> InvalidConfigError:
    lines: list[str] = []
    for fault in faults:
        origin = layers.origin_of(fault.path)
        if origin is None:
            where = str(paths.config_file)
        elif origin.layer == "config.yaml":
            where = (
                f"{paths.config_file}, {origin.place}" if origin.place else str(paths.config_file)
            )
        else:
            where = origin.place or origin.layer
        text = fault.text
        if origin is not None and origin.layer == "credential":
            text = f"{text.partition(', got ')[0]}, got something else (not shown: it is secret)"
        lines.append(f"{where}: {text}")
    hint = "Mend it with: hermes config edit"
    if managed is not None:
        hint = f"Mend it in {managed.manager.edit}"
    message = "\n".join(lines) if len(lines) == 1 else "\n  ".join(["Wrong settings:", *lines])
    return InvalidConfigError(message, hint=hint, faults=lines)


__all__ = ["Flags", "InvalidConfigError", "Loaded", "default", "load"]
