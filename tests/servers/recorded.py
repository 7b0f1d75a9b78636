"""What the scripted server was asked."""

import json
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

Dialect = Literal["chat", "responses", "anthropic", "gemini", "models", "tags", "page", "other"]
MODEL_DIALECTS = ("chat", "responses", "anthropic", "gemini")


@dataclass(frozen=True)
class Recorded:
    """A request as it came. `headers` have lower-case names; `received_at` is Unix time.

    `hung_up` is set when the client closed its end before the answer was complete; `done` when
    the server has finished with the request, one way or the other.
    """

    path: str
    method: str
    headers: dict[str, str]
    body: bytes
    dialect: Dialect
    received_at: float
    connection: int
    hung_up: threading.Event = field(default_factory=threading.Event, compare=False)
    done: threading.Event = field(default_factory=threading.Event, compare=False)

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when there is no JSON in it."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def payload(self) -> dict[str, Any]:
        """The body as a JSON object, empty when it is none."""
        return cast("dict[str, Any]", self.json) if isinstance(self.json, dict) else {}

    @property
    def model(self) -> str:
        """The model that was asked for."""
        if self.dialect == "gemini":
            return self.path.partition("?")[0].rpartition("/models/")[2].partition(":")[0]
        return str(self.payload.get("model", ""))

    @property
    def stream(self) -> bool:
        """Whether a stream was asked for."""
        if self.dialect == "gemini":
            return ":streamGenerateContent" in self.path
        return self.payload.get("stream") is True
