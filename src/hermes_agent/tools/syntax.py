"""A cheap check of a file that was just written: does it parse?"""

import posixpath
from collections.abc import Callable

_MAX_CHARS = 400_000


def fault(path: str, text: str) -> str | None:
    """What is wrong with the syntax, in one line; None when all is well or nobody can tell."""
    check = _CHECKS.get(posixpath.splitext(path)[1].lower())
    return None if check is None or len(text) > _MAX_CHARS else check(text)


def _python(text: str) -> str | None:
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return f"Python: {error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"Python: {error}"
    return None


def _json(text: str) -> str | None:
    import json

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    except RecursionError:
        return "JSON: nested too deeply"
    return None


def _toml(text: str) -> str | None:
    import tomllib

    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return f"TOML: {error}"
    return None


def _yaml(text: str) -> str | None:
    import yaml

    loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        list(yaml.compose_all(text, Loader=loader))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # yaml has no types
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return f"YAML: {error.problem}{f' (line {mark.line + 1})' if mark else ''}"
    except (yaml.YAMLError, RecursionError) as error:
        return f"YAML: {error}"
    return None


_CHECKS: dict[str, Callable[[str], str | None]] = {
    ".py": _python,
    ".json": _json,
    ".toml": _toml,
    ".yaml": _yaml,
    ".yml": _yaml,
}
