"""Changes to YAML text that leave every other byte as it is.

The text is parsed for the places of its nodes, and only the characters of the value in question
are replaced. A round trip through a dumper would move comments that stand between two sections
and reflow what it did not write. The caller checks the result by parsing it.
"""

import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hermes_agent.config.reading import compose

if TYPE_CHECKING:
    import yaml

_PLAIN = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./@+:-]*[A-Za-z0-9_./@+-])?")
_RESERVED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_ALIAS = re.compile(r"\s*:\s*\*[^\s,\]}]+")
_COLON = re.compile(r"\s*:")
_INDENT = 2


class CannotOperate(Exception):
    """The text has a form in which this change cannot be made."""


class _Pair(NamedTuple):
    key: "yaml.ScalarNode"
    value: "yaml.Node"


def assign(text: str, path: tuple[str, ...], value: Any) -> str:
    """The text with `value` at `path`; maps on the way are made."""
    return _Text(text).assign(path, value)


def remove(text: str, path: tuple[str, ...]) -> str:
    """The text without the key at `path`. An emptied map stays as `{}`."""
    return _Text(text).remove(path)


class _Text:
    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.root = compose(text, "config.yaml")

    def assign(self, path: tuple[str, ...], value: Any) -> str:
        if self.root is None or _is_empty(self.root):
            return self._insert_line(len(self.text), _block(path, value, 0))
        node, flow, pair = self.root, False, None
        for depth, part in enumerate(path):
            flow = flow or _is_flow(node)
            if _is_map(node):
                found = self._find(node, part)
                if found is None:
                    rest = path[depth:]
                    if not _pairs(node) and not flow:
                        raise CannotOperate
                    return self._insert(node, rest, value, flow=flow)
                pair = found
                node = found.value
                last = depth == len(path) - 1
                if not last and _is_empty(node) and not self._is_alias(pair):
                    return self._fill(pair, _nest(path[depth + 1 :], value), flow=flow)
                if not last and _is_map(node) and not _pairs(node) and not flow:
                    return self._fill(pair, _nest(path[depth + 1 :], value), flow=flow)
                if not last and self._is_alias(pair):
                    raise CannotOperate
            else:
                node = _item(node, part)
                pair = None
        if pair is not None:
            return self._fill(pair, value, flow=flow)
        return self._splice(node.start_mark.index, self._end(node), _inline(value))

    def remove(self, path: tuple[str, ...]) -> str:
        node, flow, holder = self.root, False, None
        if node is None:
            return self.text
        for part in path[:-1]:
            flow = flow or _is_flow(node)
            if _is_map(node):
                holder = self._find(node, part)
                if holder is None or self._is_alias(holder):
                    raise CannotOperate
                node = holder.value
            else:
                node, holder = _item(node, part), None
        pairs = _pairs(node)
        index = _last(pairs, path[-1])
        flow = flow or _is_flow(node)
        if len(pairs) == 1 and (holder is not None or flow or node is not self.root):
            if holder is None:
                return self._splice(node.start_mark.index, self._end(node), "{}")
            return self._fill(holder, {}, flow=True)
        return self._cut_flow(pairs, index) if flow else self._cut_lines(pairs, index)

    def _cut_flow(self, pairs: list[_Pair], index: int) -> str:
        if index + 1 < len(pairs):
            return self._splice(
                pairs[index].key.start_mark.index, pairs[index + 1].key.start_mark.index, ""
            )
        return self._splice(self._pair_end(pairs[index - 1]), self._pair_end(pairs[index]), "")

    def _cut_lines(self, pairs: list[_Pair], index: int) -> str:
        start = pairs[index].key.start_mark.index
        line = self.text.rfind("\n", 0, start) + 1
        if self.text[line:start].strip(" "):
            # The first key of a list item shares its line with the dash.
            return self._splice(start, pairs[index + 1].key.start_mark.index, "")
        return self._splice(line, self._after_line(self._pair_end(pairs[index])), "")

    def _fill(self, pair: _Pair, value: Any, *, flow: bool) -> str:
        """Replace the value of a pair."""
        colon = _COLON.match(self.text, pair.key.end_mark.index)
        if colon is None:
            raise CannotOperate
        end = self._pair_end(pair)
        as_block = isinstance(value, dict) and bool(cast("dict[str, Any]", value)) and not flow
        if not as_block:
            rest = "\n" if self.text[colon.end() : end].endswith("\n") else ""
            return self._splice(colon.end(), end, f" {_inline(value)}{rest}")
        indent = pair.key.start_mark.column + _INDENT
        lines = "".join(
            _block((key,), each, indent) for key, each in cast("dict[str, Any]", value).items()
        )
        if self.text[colon.end() : end].strip():
            self.text = self._splice(colon.end(), end, "")
            end = colon.end()
        return self._insert_line(self._after_line(end), lines)

    def _insert(self, node: "yaml.Node", path: tuple[str, ...], value: Any, *, flow: bool) -> str:
        pairs = _pairs(node)
        if flow:
            quoted = any(pair.key.style == '"' for pair in pairs)
            inner = _inline(_nest(path[1:], value), quoted=quoted)
            entry = f"{_inline(path[0], quoted=quoted)}: {inner}"
            if pairs:
                at = self._pair_end(pairs[-1])
                return self._splice(at, at, f", {entry}")
            brace = self.text.index("{", node.start_mark.index) + 1
            return self._splice(brace, brace, entry)
        indent = pairs[0].key.start_mark.column
        at = self._after_line(self._pair_end(pairs[-1]))
        return self._insert_line(at, _block(path, value, indent))

    def _insert_line(self, at: int, lines: str) -> str:
        lines = lines.replace("\n", self.newline)
        before = self.text[:at]
        if before and not before.endswith("\n"):
            before += self.newline
        return before + lines + self.text[at:]

    def _splice(self, start: int, end: int, new: str) -> str:
        return self.text[:start] + new.replace("\n", self.newline) + self.text[end:]

    def _after_line(self, at: int) -> int:
        """The start of the next line; `at` itself if it is the start of one already."""
        if at and self.text[at - 1] == "\n":
            return at
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def _find(self, node: "yaml.Node", key: str) -> _Pair | None:
        pairs = _pairs(node)
        try:
            return pairs[_last(pairs, key)]
        except KeyError:
            return None

    def _is_alias(self, pair: _Pair) -> bool:
        # An alias is the very node that it names, with that node's place.
        return pair.value.start_mark.index < pair.key.end_mark.index or (
            _ALIAS.match(self.text, pair.key.end_mark.index) is not None
        )

    def _pair_end(self, pair: _Pair) -> int:
        alias = _ALIAS.match(self.text, pair.key.end_mark.index)
        return alias.end() if alias else self._end(pair.value)

    def _end(self, node: "yaml.Node") -> int:
        """Where a node's last character stands; of a block scalar, where the next line begins."""
        import yaml

        if isinstance(node, yaml.ScalarNode) or _is_flow(node) or not node.value:
            return node.end_mark.index
        if isinstance(node, yaml.MappingNode):
            return self._pair_end(_pairs(node)[-1])
        last = cast("list[yaml.Node]", node.value)[-1]
        if last.start_mark.index < node.start_mark.index:
            raise CannotOperate
        return self._end(last)


def _is_map(node: "yaml.Node") -> bool:
    import yaml

    return isinstance(node, yaml.MappingNode)


def _is_flow(node: "yaml.Node") -> bool:
    import yaml

    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _is_empty(node: "yaml.Node") -> bool:
    return node.tag == "tag:yaml.org,2002:null"


def _pairs(node: "yaml.Node") -> list[_Pair]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        raise CannotOperate
    return [_Pair(key, value) for key, value in node.value]


def _last(pairs: list[_Pair], key: str) -> int:
    for index in range(len(pairs) - 1, -1, -1):
        if pairs[index].key.value == key:
            return index
    raise KeyError(key)


def _item(node: "yaml.Node", part: str) -> "yaml.Node":
    import yaml

    if not isinstance(node, yaml.SequenceNode) or not part.isdigit():
        raise CannotOperate
    items = cast("list[yaml.Node]", node.value)
    if int(part) >= len(items) or items[int(part)].start_mark.index < node.start_mark.index:
        raise CannotOperate
    return items[int(part)]


def _nest(path: tuple[str, ...], value: Any) -> Any:
    for part in reversed(path):
        value = {part: value}
    return value


def _block(path: tuple[str, ...], value: Any, indent: int) -> str:
    """Lines that give `value` at `path`, indented, each with its newline."""
    value = _nest(path[1:], value)
    head = f"{' ' * indent}{_inline(path[0])}:"
    if isinstance(value, dict) and value:
        entries = cast("dict[str, Any]", value).items()
        return f"{head}\n" + "".join(_block((k,), v, indent + _INDENT) for k, v in entries)
    return f"{head} {_inline(value)}\n"


def _inline(value: Any, *, quoted: bool = False) -> str:
    """A value on one line, readable as YAML 1.1 and 1.2 alike."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        return "[" + ", ".join(_inline(each, quoted=quoted or _odd(each)) for each in items) + "]"
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value).items()
        inner = (
            f"{_inline(key, quoted=quoted)}: {_inline(each, quoted=quoted or _odd(each))}"
            for key, each in entries
        )
        return "{" + ", ".join(inner) + "}"
    text = str(value)
    plain = not quoted and _PLAIN.fullmatch(text) and text.lower() not in _RESERVED
    return text if plain else '"' + "".join(_escaped(c) for c in text) + '"'


def _number(value: float) -> str:
    text = repr(value)
    if isinstance(value, float) and "e" in text and "." not in text:
        mantissa, _, exponent = text.partition("e")
        text = f"{mantissa}.0e{exponent if exponent[0] in '+-' else '+' + exponent}"
    return text


def _odd(value: Any) -> bool:
    # Inside brackets a colon can begin a pair.
    return isinstance(value, str) and ":" in value


def _escaped(char: str) -> str:
    if char in '\\"':
        return "\\" + char
    if char == "\n":
        return "\\n"
    if char.isprintable():
        return char
    return f"\\U{ord(char):08x}"
