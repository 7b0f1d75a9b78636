"""What the server is told: where it listens, who may speak to it, and its limits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError

DEFAULT_PORT = 8642


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`home` is where the key and the stored responses are. `port` 0 takes a free one.

    `cors_origins` are the web pages that may call (`*` is any). `allowed_hosts` are further names
    by which a server on loopback may be called. `models` are names that a client may choose
    beside `hermes-agent`; `*` lets any through to the model's vendor. `max_body` is in bytes, times
    are in seconds: `header_time` and `body_time` are how long a client may take to send them,
    `write_time` how long it may leave an answer unread, `grace` what running turns get at the
    end. `on_disconnect` says what becomes of a turn whose client went away.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    key: Secret | None = None
    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    on_disconnect: Literal["stop", "finish"] = "stop"
    max_body: int = 1_048_576
    max_turns: int = 128
    max_connections: int = 1024
    header_time: float = 10.0
    body_time: float = 30.0
    write_time: float = 60.0
    idle_time: int = 75
    heartbeat: float = 15.0
    approval_time: float = 300.0
    grace: float = 10.0


def from_environ(environ: Mapping[str, str], home: Path) -> ApiSettings:
    """The settings that the documented `API_SERVER_*` variables make. Raises `ConfigError`."""
    key = environ.get("API_SERVER_KEY", "").strip()
    return ApiSettings(
        home=home,
        host=environ.get("API_SERVER_HOST", "").strip() or "127.0.0.1",
        port=_port(environ.get("API_SERVER_PORT", "").strip()),
        key=Secret(key) if key else None,
        cors_origins=_words(environ.get("API_SERVER_CORS_ORIGINS", "")),
        allowed_hosts=_words(environ.get("API_SERVER_ALLOWED_HOSTS", "")),
        models=_words(environ.get("API_SERVER_MODELS", "")),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)


def _port(text: str) -> int:
    if not text:
        return DEFAULT_PORT
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise ConfigError(
        f"API_SERVER_PORT is {text!r}, which is no port.", hint="A number from 1 to 65535."
    )
