"""The one writer of config.yaml, and the one writer of `.env`.

Both refuse in managed mode, hold a lock against other writers, and write atomically.
"""

import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from hermes_agent.config import dotenv, keys, merge, reading, surgery
from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.config.managed import REGISTRY, require_unmanaged
from hermes_agent.config.merge import Layers, Origin
from hermes_agent.config.normalise import Normaliser, Remark
from hermes_agent.config.paths import Paths
from hermes_agent.config.validate import convert
from hermes_agent.config.variables import forbidden_in_env_file
from hermes_agent.domain.errors import ConfigError, HermesError, UsageError

LOCK_SECONDS = 10.0


def edit(
    paths: Paths,
    changes: Mapping[str, Any] | None = None,
    remove: Iterable[str] = (),
    *,
    environ: Mapping[str, str] = os.environ,
    registry: Path = REGISTRY,
    doing: str = "save configuration",
) -> tuple[Remark, ...]:
    """Set and remove dotted keys in config.yaml; comments, order and everything else stay.

    Values are plain data. Keys in an old spelling are written in the current one, and the old one
    goes. Returns remarks (an unknown key). Raises `ManagedError`; `ConfigError` if the file cannot
    be read or the new value has the wrong type; `NotWritten`; `UsageError` for a literal secret:
    those belong into `.env`. On every error the file is as it was.
    """
    require_unmanaged(paths, environ, doing=doing, registry=registry)
    for value in (changes or {}).values():
        _encoded(repr(value) if not isinstance(value, str) else value)
    with locked(paths):
        text = reading.read_text(paths.config_file, "the configuration") or ""
        new = text
        for key in remove:
            new = _remove(new, key)
        for key, value in (changes or {}).items():
            new = _assign(new, key, value)
        remarks = _check(text, new, environ)
        if new != text:
            write_atomically(paths.config_file, _encoded(new))
    return remarks


def replace_text(
    paths: Paths,
    text: str,
    *,
    expected: str,
    environ: Mapping[str, str] = os.environ,
    registry: Path = REGISTRY,
) -> None:
    """Save config.yaml as a person edited it, unless it is no longer the `expected` text."""
    require_unmanaged(paths, environ, registry=registry)
    with locked(paths):
        if (reading.read_text(paths.config_file, "the configuration") or "") != expected:
            raise HermesError(
                f"{paths.config_file} was changed by something else meanwhile; nothing was saved"
            )
        write_atomically(paths.config_file, _encoded(text))


def edit_env_file(
    paths: Paths,
    changes: Mapping[str, str] | None = None,
    remove: Iterable[str] = (),
    *,
    environ: Mapping[str, str] = os.environ,
    registry: Path = REGISTRY,
    doing: str = "save secrets",
) -> bool:
    """Set and remove variables in `.env` (0600); other lines stay. Returns whether it changed.

    Raises `ManagedError`, `UsageError` for a name that `.env` may not set, `ConfigError` for a
    torn file, `NotWritten`.
    """
    require_unmanaged(paths, environ, doing=doing, registry=registry)
    wanted = dict(changes or {})
    for name in wanted:
        if forbidden_in_env_file(name):
            raise UsageError(f"{name} cannot be set in .env")
    gone = set(remove)
    with locked(paths):
        text = reading.read_text(paths.env_file, "the secrets file") or ""
        pieces: list[str] = []
        for line in dotenv.parse(text, str(paths.env_file)):
            if line.name in gone:
                continue
            if line.name in wanted:
                value = wanted.pop(line.name)
                gone.add(line.name)
                keep = line.value == value
                pieces.append(line.text if keep else dotenv.format_line(line.name, value))
            else:
                pieces.append(line.text)
        new = _ended("".join(pieces)) + "".join(
            dotenv.format_line(name, value) for name, value in wanted.items()
        )
        if new == text:
            return False
        _write_secret_file(paths.env_file, new)
    return True


def replace_env_text(
    paths: Paths,
    text: str,
    *,
    environ: Mapping[str, str] = os.environ,
    registry: Path = REGISTRY,
) -> None:
    """Write a repaired `.env`."""
    require_unmanaged(paths, environ, doing="save secrets", registry=registry)
    with locked(paths):
        _write_secret_file(paths.env_file, text)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UsageError("The value is not UTF-8 text", hint="Nothing was written.") from error


def _write_secret_file(path: Path, text: str) -> None:
    data = _encoded(text)
    if path.exists() and path.stat().st_mode & 0o077:
        path.chmod(0o600)
    write_atomically(path, data, 0o600)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _assign(text: str, key: str, value: Any) -> str:
    path = _path(keys.canonical(key))
    if path == ("model",) and isinstance(value, str):
        path = ("model", "default")
    shape = keys.find(path)
    if shape is not None and shape.secret and isinstance(value, str) and "${" not in value:
        raise UsageError(
            f"{key} is a secret and is not written to config.yaml",
            hint="Put it into .env and write ${NAME} here; hermes config set does both.",
        )
    for old in [old for old, new in keys.LEGACY.items() if new == keys.join(path)]:
        if _has(_data(text), keys.split(old)):
            text = _operate(text, keys.split(old), None, remove=True)
    model = _data(text).get("model")
    if path[0] == "model" and len(path) == 2 and model is not None and not isinstance(model, dict):
        # `model: NAME` is short for a map with the name as its default.
        if path[1] == "default":
            return _operate(text, ("model",), value)
        return _operate(text, ("model",), {"default": model, path[1]: value})
    return _operate(text, path, value)


def _remove(text: str, key: str) -> str:
    data = _data(text)
    spellings = {key, keys.canonical(key)}
    spellings |= {old for old, new in keys.LEGACY.items() if new == keys.canonical(key)}
    if key == "model.default" and isinstance(data.get("model"), str):
        spellings.add("model")
    for each in sorted(spellings):
        path = _path(each)
        while _has(_data(text), path):
            text = _operate(text, path, None, remove=True)
    return text


def _operate(text: str, path: tuple[str, ...], value: Any, *, remove: bool = False) -> str:
    """Change the text and make sure that it now says that, and nothing else differs."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    plain = text.removeprefix(bom)
    before = _data(plain)
    refusal = ConfigError(
        f"{keys.join(path)} cannot be changed here without touching other settings",
        hint="Its value is shared by an alias or written in a rare form: hermes config edit",
    )
    try:
        new = surgery.remove(plain, path) if remove else surgery.assign(plain, path, value)
        after = _data(new)
    except (surgery.CannotOperate, ConfigError) as error:
        raise refusal from error
    if remove:
        expected = None if _has(after, path) else after
        same = expected is not None and _without(before, path) == _without(after, path)
    else:
        same = after == _with(before, path, value)
    if not same:
        raise refusal
    return bom + new


def _data(text: str) -> dict[str, Any]:
    return reading.parse(text, "config.yaml").data


def _path(key: str) -> tuple[str, ...]:
    try:
        return keys.split(key)
    except ValueError as error:
        raise UsageError(f"{key!r} is not a key", hint="Keys look like terminal.timeout") from error


def _has(data: Any, path: tuple[str, ...]) -> bool:
    try:
        merge.at(data, path)
    except KeyError:
        return False
    return True


def _with(data: Any, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
    if isinstance(data, list):
        items = list(cast("list[Any]", data))
        items[int(path[0])] = _with(items[int(path[0])], path[1:], value)
        return items
    entries = dict(cast("dict[str, Any]", data)) if isinstance(data, dict) else {}
    entries[path[0]] = _with(entries.get(path[0]), path[1:], value)
    return entries


def _without(data: Any, path: tuple[str, ...]) -> Any:
    """The data without that key, and without the maps on its way that are empty then."""
    key, rest = path[0], path[1:]
    if isinstance(data, list):
        items = list(cast("list[Any]", data))
        items[int(key)] = _without(items[int(key)], rest) if rest else None
        return items
    if not isinstance(data, dict):
        return data
    entries = dict(cast("dict[str, Any]", data))
    inner = _without(entries[key], rest) if rest and key in entries else None
    if inner in (None, {}):
        entries.pop(key, None)
    else:
        entries[key] = inner
    return entries


def _check(old: str, new: str, environ: Mapping[str, str]) -> tuple[Remark, ...]:
    """The remarks that the new text newly calls for. Raises `ConfigError` for new faults."""
    try:
        was_faults, was_remarks = _judge(old, environ)
    except ConfigError:
        was_faults, was_remarks = set[str](), set[Remark]()
    faults, remarks = _judge(new, environ)
    fresh = sorted(faults - was_faults)
    if fresh:
        raise ConfigError("; ".join(fresh), hint="Nothing was written.")
    seen = {(remark.kind, remark.key) for remark in was_remarks}
    return tuple(remark for remark in remarks if (remark.kind, remark.key) not in seen)


def _judge(text: str, environ: Mapping[str, str]) -> tuple[set[str], set[Remark]]:
    document = reading.parse(text, "config.yaml")
    normaliser = Normaliser(environ, document.texts)
    layers = Layers()
    layers.lay(normaliser.layer(document.data), lambda _: Origin("config.yaml"))
    found = convert(layers.data)
    faults = {fault.text for fault in found} if isinstance(found, list) else set[str]()
    return faults, set(normaliser.remarks)


def faults_in(text: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """What is wrong with the text of a config.yaml, looked at for itself; empty if nothing is."""
    try:
        faults, _ = _judge(text, environ)
    except ConfigError as error:
        return [error.message]
    return sorted(faults)


@contextmanager
def locked(paths: Paths, name: str = ".config.lock") -> Generator[None]:
    """Hold a lock of this home against other writers; the home is made if need be.

    Raises `HermesError` when another program holds it for long, `NotWritten`.
    """
    from filelock import FileLock, Timeout

    from hermes_agent.config.home import make_home

    make_home(paths)
    lock = FileLock(paths.home / name, timeout=LOCK_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        raise HermesError(
            f"Another program has been writing in {paths.home} for {LOCK_SECONDS:.0f} s",
            hint=f"See who holds {paths.home / name}",
        ) from error
    except OSError as error:
        raise NotWritten(
            f"Cannot write in {paths.home}: {error.strerror}", hint="Nothing was changed."
        ) from error
    try:
        yield
    finally:
        lock.release()
