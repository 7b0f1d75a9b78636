"""One layer of settings, made ready for the schema: old spellings, `${VAR}`, YAML's surprises."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from hermes_agent.config import keys
from hermes_agent.config.keys import Shape
from hermes_agent.config.reading import KeyPath
from hermes_agent.config.schema import Config, Section

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


class Remark(msgspec.Struct, frozen=True):
    """Something about the settings that the person should know. `kind` is one of unknown, legacy,
    repeated, shadowed, refused; `key` a dotted key or a variable's name."""

    kind: str
    key: str
    text: str


def expand(text: str, environ: Mapping[str, str]) -> str:
    """`${NAME}` replaced by the variable's value; what is not set stays as it is written."""
    return _VARIABLE.sub(lambda m: environ.get(m[1], m[0]), text)


def from_text(text: str, shape: Shape) -> Any:
    """What a variable's or a command line's text means for a key; the text itself if nothing."""
    word = text.strip().lower()
    if shape.choices:
        return _choice(text.strip(), shape)
    if bool in shape.scalars and word in _TRUE + _FALSE:
        return word in _TRUE
    for kind in (int, float):
        if kind in shape.scalars:
            try:
                number = kind(word)
            except ValueError:
                continue
            if math.isfinite(number):
                return number
    if shape.items is not None and str not in shape.scalars:
        return _listed(text, keys.shape(shape.items))
    if shape.section or shape.values is not None or shape.free:
        return _structured(text)
    return text


def _structured(text: str) -> Any:
    from hermes_agent.config import reading
    from hermes_agent.domain.errors import ConfigError

    try:
        return reading.parse(f"v: {text}", "value").data["v"]
    except ConfigError:
        return text


def _listed(text: str, item: Shape) -> Any:
    if text.lstrip().startswith("["):
        return _structured(text)
    return [from_text(each.strip(), item) for each in text.split(",") if each.strip()]


def _choice(text: str, shape: Shape) -> str:
    for form in (text, text.lower(), text.upper()):
        if form in shape.choices:
            return form
    return text


class Normaliser:
    """Walks one layer together with the schema. `remarks` gathers what it met on the way."""

    def __init__(
        self,
        environ: Mapping[str, str],
        texts: Mapping[KeyPath, str] | None = None,
        place: Callable[[KeyPath], str] = lambda _: "",
    ) -> None:
        self.environ = environ
        self.texts = texts or {}
        self.place = place
        self.remarks: list[Remark] = []

    def layer(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The layer with current spellings only; unknown keys stay."""
        result = self._section(dict(data), Config, ())
        return self._modernise(result)

    def _section(self, data: dict[str, Any], section: type[Section], at: KeyPath) -> dict[str, Any]:
        kinds = keys.fields(section)
        result: dict[str, Any] = {}
        for key, value in data.items():
            path = (*at, key)
            known = keys.shape(kinds[key]) if key in kinds else self._unknown(path)
            if value is None and not (known.optional or known.free):
                continue
            result[key] = self._value(value, known, path)
        return result

    def _unknown(self, path: KeyPath) -> Shape:
        dotted = keys.join(path)
        if dotted in keys.LEGACY:
            meant = keys.LEGACY[dotted]
            text = f"{dotted}{self.place(path)} is the old name of {meant}"
            self.remarks.append(Remark("legacy", dotted, text))
            found = keys.find(keys.split(meant))
            if found is not None:
                return found
        else:
            near = keys.nearest(path)
            guess = f"; did you mean {near}?" if near else ""
            text = f"{dotted}{self.place(path)} is not a known key{guess}"
            self.remarks.append(Remark("unknown", dotted, text))
        return Shape(free=True)

    def _value(self, value: Any, shape: Shape, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return self._map(cast("dict[str, Any]", value), shape, path)
        if isinstance(value, list):
            item = keys.shape(shape.items) if shape.items is not None else Shape(free=True)
            each = enumerate(cast("list[Any]", value))
            return [self._value(v, item, (*path, i)) for i, v in each]
        if path == ("model",) and not isinstance(value, bool):
            return {"default": self._scalar(value, _TEXT, path)}
        return (
            value if shape.free and not isinstance(value, str) else self._scalar(value, shape, path)
        )

    def _map(self, value: dict[str, Any], shape: Shape, path: KeyPath) -> dict[str, Any]:
        if shape.section is not None:
            return self._section(value, shape.section, path)
        inner = keys.shape(shape.values) if shape.values is not None else Shape(free=True)
        return {key: self._value(each, inner, (*path, key)) for key, each in value.items()}

    def _scalar(self, value: Any, shape: Shape, path: KeyPath) -> Any:
        if isinstance(value, str):
            full = expand(value, self.environ) if "${" in value else value
            if full is not value and full != value and not shape.free:
                return from_text(full, shape)
            return _choice(full, shape) if shape.choices else full
        if isinstance(value, bool) and shape.choices:
            # YAML 1.1 reads a bare `off` as false.
            for word in ("on", "all", "true") if value else ("off", "false"):
                if word in shape.choices:
                    return word
            return self.texts.get(path, value)
        wants_text = shape.secret or str in shape.scalars
        if value is not None and wants_text and type(value) not in shape.scalars:
            return self.texts.get(path, value)
        return value

    def _modernise(self, data: dict[str, Any]) -> dict[str, Any]:
        for old, new in keys.LEGACY.items():
            before, after = keys.split(old), keys.split(new)
            holder = data if len(before) == 1 else data.get(before[0])
            if not isinstance(holder, dict) or before[-1] not in holder:
                continue
            value: Any = cast("dict[str, Any]", holder).pop(before[-1])
            target: Any = data.setdefault(after[0], {})
            if not isinstance(target, dict):
                continue
            target = cast("dict[str, Any]", target)
            present = target.get(after[-1])
            if isinstance(value, dict) and isinstance(present, dict):
                target[after[-1]] = {
                    **cast("dict[str, Any]", value),
                    **cast("dict[str, Any]", present),
                }
            else:
                target.setdefault(after[-1], value)
        return data


_TEXT = Shape(scalars=frozenset((str,)))
