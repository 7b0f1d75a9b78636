"""The effective configuration for people to see: every secret masked."""

from typing import Any, cast

import msgspec

from hermes_agent.config import keys
from hermes_agent.config.load import Loaded
from hermes_agent.config.reading import KeyPath
from hermes_agent.config.secret import Secret
from hermes_agent.config.secret_names import is_secret_variable, looks_secret, masked
from hermes_agent.config.secret_values import SHORTEST_SECRET


class NoSuchKey(KeyError):
    """The schema has no such key and none is set."""


def value(loaded: Loaded, path: KeyPath) -> Any:
    """One effective value as plain data, masked. Raises `NoSuchKey`."""
    at: Any = loaded.config
    for index, part in enumerate(path):
        if isinstance(at, msgspec.Struct):
            names = zip(at.__struct_encode_fields__, at.__struct_fields__, strict=True)
            name = dict(names).get(str(part))
            if name is None:
                return _unknown(loaded, path)
            at = getattr(at, name)
        elif isinstance(at, dict) and part in at:
            at = cast("dict[str, Any]", at)[str(part)]
        elif isinstance(at, tuple) and str(part).isdigit() and int(part) < len(at):  # pyright: ignore[reportUnknownArgumentType]  only its length is asked
            at = cast("tuple[Any, ...]", at)[int(part)]
        elif at is None and keys.find(path[: index + 1]) is not None:
            return None
        else:
            return _unknown(loaded, path)
    return _hide(_plain(at), loaded, path)


def everything(loaded: Loaded) -> dict[str, Any]:
    """The whole effective configuration as plain data, masked; unknown keys included."""
    full = _plain(loaded.config)
    _add_unknown(full, loaded.data)
    return cast("dict[str, Any]", _hide(full, loaded, ()))


def leaves(data: dict[str, Any], at: KeyPath = ()) -> dict[str, Any]:
    """Plain data by dotted key; lists and empty maps are values."""
    found: dict[str, Any] = {}
    for key, each in data.items():
        path = (*at, key)
        if isinstance(each, dict) and each:
            found.update(leaves(cast("dict[str, Any]", each), path))
        else:
            found[keys.join(path)] = each
    return found


def variables(loaded: Loaded) -> dict[str, tuple[str, bool]]:
    """The secrets in the environment by name: masked, and whether `.env` sets them."""
    return {
        name: (masked(text), name in loaded.env_file)
        for name, text in sorted(loaded.environ.items())
        if text and is_secret_variable(name)
    }


def _plain(at: Any) -> Any:
    def show(item: Any) -> str:
        return masked(cast("Secret", item).reveal())

    return msgspec.to_builtins(at, enc_hook=show)


def _unknown(loaded: Loaded, path: KeyPath) -> Any:
    at: Any = loaded.data
    for part in path:
        if not isinstance(at, dict) or part not in at:
            raise NoSuchKey(keys.join(path))
        at = cast("dict[str, Any]", at)[str(part)]
    return _hide(at, loaded, path)


def _add_unknown(full: dict[str, Any], data: dict[str, Any]) -> None:
    for key, each in data.items():
        if key not in full:
            full[key] = each
        elif isinstance(each, dict) and isinstance(full[key], dict):
            _add_unknown(full[key], cast("dict[str, Any]", each))


def _hide(at: Any, loaded: Loaded, path: KeyPath) -> Any:
    """Mask what looks secret by its place or is known to be secret by its text."""
    origin = loaded.origins.get(keys.join(path)) if path else None
    if origin is not None and origin.layer == "credential":
        return "***"
    if isinstance(at, dict):
        entries = cast("dict[str, Any]", at)
        return {key: _hide(each, loaded, (*path, key)) for key, each in entries.items()}
    if isinstance(at, list | tuple):
        items = enumerate(cast("list[Any]", at))
        return [_hide(each, loaded, (*path, index)) for index, each in items]
    if not isinstance(at, str) or not at:
        return at
    shape = keys.find(path)
    if shape is not None and shape.secret:
        return at
    if _foreign(path) and (looks_secret(str(path[-1])) or "headers" in path):
        return masked(at)
    for secret in loaded.secrets:
        if len(secret) >= SHORTEST_SECRET and secret in at:
            at = at.replace(secret, masked(secret))
    return at


def _foreign(path: KeyPath) -> bool:
    """Whether the last part is a name that the schema does not give."""
    holder = keys.find(path[:-1])
    return holder is None or holder.section is None or keys.find(path) is None
