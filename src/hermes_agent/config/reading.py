"""config.yaml as plain data that remembers where each value stands.

Scalars are resolved as YAML 1.1 does (https://yaml.org/type/), except that dates and base-60
numbers stay text: no setting means either, and `22:22` is somebody's port mapping.
"""

import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from hermes_agent.domain.errors import ConfigError

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 4 * 1024 * 1024
MAX_VALUES = 100_000
MAX_DEPTH = 64

# Below both, nesting cannot be deep enough to matter.
_SAFE_OPENERS = 1000
_SAFE_LENGTH = 64 * 1024

KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_TEXT = {_TAG + "str", _TAG + "timestamp", _TAG + "value"}
_MERGE = _TAG + "merge"
_TRUE = {"yes", "true", "on"}


class Document(msgspec.Struct, frozen=True):
    """A parsed file: `data` (always a map), `lines` (1-based) and the `texts` of bare scalars that
    YAML takes for something else than text, both by path; `repeated` keys, the last of which won.
    """

    data: dict[str, Any]
    lines: dict[KeyPath, int]
    texts: dict[KeyPath, str]
    repeated: tuple[KeyPath, ...] = ()


EMPTY = Document({}, {}, {})


def read_text(path: Path, what: str) -> str | None:
    """The text of a settings file, None if there is none. Raises `ConfigError`; never hangs."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(
            f"Cannot read {what} {path}: {error.strerror}",
            hint="Look at the permissions of the file and of the folders above it.",
        ) from error
    try:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            raise ConfigError(
                f"{path} is not a regular file", hint=f"Move it away: {what} belongs there."
            )
        if about.st_size > MAX_BYTES:
            raise ConfigError(
                f"{path} is too large for a settings file ({about.st_size:,} bytes)",
                hint=f"At most {MAX_BYTES:,} bytes are read.",
            )
        with os.fdopen(os.dup(fd), "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"Cannot read {what} {path}: {error.strerror}") from error
    finally:
        os.close(fd)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: not UTF-8 text (byte 0x{data[error.start]:02x})",
            hint="Save the file as UTF-8.",
        ) from error


def compose(text: str, source: str) -> "yaml.Node | None":
    """The tree of nodes of one YAML document. Raises `ConfigError` with line and column."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _refuse_depths(text, source, loader)
        return cast("yaml.Node | None", yaml.compose(text, Loader=loader))  # pyright: ignore[reportUnknownMemberType]  the stubs leave its argument open
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = error.problem or error.context or "not YAML"
        raise ConfigError(
            f"{source}{where}: {problem}", hint="Mend it with: hermes config edit"
        ) from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(
            f"{source}: {problem}", hint="Mend it with: hermes config edit"
        ) from error
    except RecursionError as error:
        raise ConfigError(f"{source}: nested too deeply") from error


def _refuse_depths(text: str, source: str, loader: Any) -> None:
    """Composing is recursive in C and overflows its stack on deep nesting; events are not."""
    import yaml

    openers = sum(text.count(opener) for opener in ("[", "{", "- ", "? "))
    if openers <= _SAFE_OPENERS and len(text) <= _SAFE_LENGTH:
        return
    depth = 0
    for event in cast("Iterator[object]", yaml.parse(text, Loader=loader)):  # pyright: ignore[reportUnknownMemberType]  the stubs leave its argument open
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ConfigError(f"{source}: nested more than {MAX_DEPTH} levels deep")


def parse(text: str, source: str) -> Document:
    """Parse the text of a settings file; `source` names it in errors."""
    node = compose(text.removeprefix("\ufeff"), source)
    if node is None:
        return EMPTY
    builder = _Builder(source)
    data = builder.value(node, ())
    if data is None:
        return EMPTY
    if not isinstance(data, dict):
        raise ConfigError(
            f"{source}: expected settings (`key: value` lines), found {_kind(data)}",
            hint="Mend it with: hermes config edit",
        )
    return Document(
        cast("dict[str, Any]", data), builder.lines, builder.texts, tuple(builder.repeated)
    )


def read(path: Path) -> Document:
    """Read config.yaml; empty if there is none. Raises `ConfigError`."""
    text = read_text(path, "the configuration")
    return EMPTY if text is None else parse(text, str(path))


def scalar(tag: str, text: str) -> Any:
    """The value of a bare scalar that YAML 1.1 resolved to `tag`; None for null."""
    kind = tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in _TRUE
    if kind == "int" and ":" not in text:
        return _whole(text)
    if kind == "float" and ":" not in text:
        plain = text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
        number = float(plain)
        # No limit may be infinite, and a comparison with NaN would never stop anything.
        return number if math.isfinite(number) else text
    return text


def _whole(text: str) -> int:
    digits = text.replace("_", "").lower()
    unsigned = digits.lstrip("+-")
    if len(unsigned) > 1 and unsigned[0] == "0" and unsigned.isdigit():
        return int(digits, 8)
    return int(digits, 0)


def _kind(value: object) -> str:
    words: dict[type, str] = {list: "a list", str: "text", bool: "a yes or no"}
    return words.get(type(value), "a number")


class _Builder:
    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[KeyPath, int] = {}
        self.texts: dict[KeyPath, str] = {}
        self.repeated: list[KeyPath] = []
        self.count = 0

    def value(self, node: "yaml.Node", path: KeyPath) -> Any:
        import yaml

        self.count += 1
        if self.count > MAX_VALUES:
            raise ConfigError(f"{self.source}: more than {MAX_VALUES:,} values, aliases unfolded")
        if len(path) > MAX_DEPTH:
            raise ConfigError(f"{self.source}: nested more than {MAX_DEPTH} levels deep")
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._plain(node, "seq")
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            self._plain(node, "map")
            return self._map(node, path)
        raise ConfigError(f"{self.source}: unreadable value")

    def _scalar(self, node: "yaml.ScalarNode", path: KeyPath) -> Any:
        text: str = node.value
        if node.tag in _TEXT:
            return text
        if node.tag.removeprefix(_TAG) not in ("null", "bool", "int", "float"):
            self._refuse(node)
        try:
            value = scalar(node.tag, text)
        except ValueError:
            self._refuse(node)
            raise
        self.texts[path] = text
        return value

    def _map(self, node: "yaml.MappingNode", path: KeyPath) -> dict[str, Any]:
        import yaml

        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key)
            name = str(key.value)
            if key.tag == _MERGE:
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if not isinstance(source, yaml.MappingNode):
                        self._refuse(value)
                    for inner, content in self.value(source, path).items():
                        merged.setdefault(inner, content)
                continue
            if name in own:
                self.repeated.append((*path, name))
            own[name] = self.value(value, (*path, name))
            self.lines[(*path, name)] = key.start_mark.line + 1
        return {**merged, **own}

    def _plain(self, node: "yaml.Node", kind: str) -> None:
        if node.tag != _TAG + kind:
            self._refuse(node)

    def _refuse(self, node: "yaml.Node") -> None:
        mark = node.start_mark
        raise ConfigError(
            f"{self.source}, line {mark.line + 1}, column {mark.column + 1}: "
            f"a value of the kind {node.tag} has no place here"
        )
