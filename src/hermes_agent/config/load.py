"""The effective configuration: defaults, config.yaml, environment, declaration, flags.

Lowest first. The declaration of a managed home outranks file and environment for every key; of
the flags it lets through what `hermes_agent.config.override` names.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from hermes_agent.config import dotenv, keys, merge, reading
from hermes_agent.config.managed import REGISTRY, Managed
from hermes_agent.config.managed import find as find_managed
from hermes_agent.config.merge import Layers, Origin
from hermes_agent.config.normalise import Normaliser, Remark, from_text
from hermes_agent.config.override import FINAL, may_override, under
from hermes_agent.config.paths import Paths
from hermes_agent.config.reading import Document, KeyPath
from hermes_agent.config.schema import Config
from hermes_agent.config.secret_names import is_secret_variable, looks_secret
from hermes_agent.config.validate import Fault, convert
from hermes_agent.config.variables import SWITCHES, VARIABLES, forbidden_in_env_file
from hermes_agent.domain.errors import ConfigError

SHORTEST_SECRET = 8
"""Shorter values are not searched for: blanking them would garble ordinary text."""

Flags = Mapping[str, Any]
"""Dotted keys and what the command line gave for them; None was not given."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The effective configuration and how it came about.

    `data` is what was set (no defaults), unknown keys included; `origins` says by dotted key who
    set it; `environ` is the inherited environment under `.env`; `secrets` are the values to blank
    out wherever they turn up.
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
    env_file = _env_file(paths, remarks)
    effective = {**environ, **env_file}
    document = reading.read(paths.config_file)
    layers = Layers()
    _lay_file(layers, document, effective, remarks)
    _lay_environment(layers, effective, env_file, managed, remarks)
    if managed is not None and managed.settings is not None:
        normaliser = Normaliser(effective, place=lambda _: " in the declaration")
        declared = normaliser.layer(managed.settings)
        remarks += normaliser.remarks
        layers.lay(declared, lambda _: Origin("declaration", managed.signal))
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
        secrets=_secrets(effective, layers.data),
        managed=managed,
    )


def _env_file(paths: Paths, remarks: list[Remark]) -> dict[str, str]:
    found = dotenv.read(paths.env_file)
    for name in [name for name in found if forbidden_in_env_file(name)]:
        del found[name]
        remarks.append(Remark("refused", name, f"{name} is ignored: .env may not set it"))
    return found


def _lay_file(
    layers: Layers, document: Document, environ: Mapping[str, str], remarks: list[Remark]
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
        if managed is not None and managed.settings is not None:
            try:
                present = merge.at(layers.data, path)
            except KeyError:
                present = default(path)
            if not may_override(key, present, value):
                text = f"{key} is for {managed.manager.name} to set; the flag is ignored"
                remarks.append(Remark("refused", key, text))
                continue
        plain: Any = list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
        layers.lay(merge.nested(path, plain), lambda _: Origin("flag"))


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
        lines.append(f"{where}: {fault.text}")
    hint = "Mend it with: hermes config edit"
    if managed is not None:
        hint = f"Mend it in {managed.manager.edit}"
    message = "\n".join(lines) if len(lines) == 1 else "\n  ".join(["Wrong settings:", *lines])
    return InvalidConfigError(message, hint=hint, faults=lines)


def _secrets(environ: Mapping[str, str], data: dict[str, Any]) -> frozenset[str]:
    found = {value for name, value in environ.items() if is_secret_variable(name)}
    _gather(data, keys.Shape(section=Config), secret=False, found=found)
    return frozenset(value for value in found if len(value) >= SHORTEST_SECRET)


def _gather(value: Any, shape: keys.Shape, *, secret: bool, found: set[str]) -> None:
    if isinstance(value, str):
        if secret or shape.secret:
            found.add(value)
            # `Authorization: Bearer TOKEN`: the token alone is as secret.
            found.add(value.rpartition(" ")[2])
        return
    if isinstance(value, list):
        for each in cast("list[Any]", value):
            _gather(each, keys.Shape(free=True), secret=secret, found=found)
        return
    if not isinstance(value, dict):
        return
    for key, each in cast("dict[str, Any]", value).items():
        if shape.section is not None:
            kinds = keys.fields(shape.section)
            inner = keys.shape(kinds[key]) if key in kinds else keys.Shape(free=True)
        else:
            inner = keys.shape(shape.values) if shape.values is not None else keys.Shape(free=True)
        named = shape.section is None and looks_secret(key)
        _gather(each, inner, secret=secret or named, found=found)


__all__ = ["Flags", "InvalidConfigError", "Loaded", "default", "load"]
