"""The agent's tools, for a program that it wrote.

A copy lies beside the program, with the socket `s` and with `tools.json`, a list of names with
the names of their parameters. Runs with whatever Python is there, from 3.8 on.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


class ToolError(Exception):
    """The agent took no more calls."""


def _call(name: str, arguments: dict[str, Any]) -> Any:
    asked = json.dumps({"name": name, "arguments": arguments}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(_HERE / "s"))
            line.sendall(asked)
            answer = b"".join(iter(lambda: line.recv(65536), b""))
    except OSError as error:
        raise ToolError(f"The agent cannot be reached: {error}") from None
    if not answer:
        raise ToolError("The agent takes no more calls.")
    told = json.loads(answer)
    if "refused" in told:
        raise ToolError(told["refused"])
    return told["result"]


def _tool(name: str, parameters: list[str]) -> Callable[..., Any]:
    def call(*values: Any, **named: Any) -> Any:
        if len(values) > len(parameters):
            raise TypeError(f"{name} takes: {', '.join(parameters)}")
        given = {**dict(zip(parameters, values)), **named}  # noqa: B905 - new in Python 3.10
        return _call(name, {key: value for key, value in given.items() if value is not None})

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{name}({', '.join(parameters)}): a dict, as the agent's own tool gives it."
    return call


for _name, _parameters in json.loads((_HERE / "tools.json").read_text("utf-8")):
    globals()[_name] = _tool(_name, _parameters)
