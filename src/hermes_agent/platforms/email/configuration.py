"""What the e-mail adapter is told."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.email.addresses import is_address

Security = Literal["tls", "starttls", "none"]

MEGABYTE = 1024 * 1024

_ON = frozenset(("1", "true", "yes", "on"))
_OFF = frozenset(("0", "false", "no", "off", ""))
_HOST = re.compile(r"[A-Za-z0-9._:\-]{1,253}")
_WHERE = "platforms.email.extra"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where one of the two servers is."""

    host: str
    port: int
    security: Security

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """`poll_interval` is in seconds and counts where the server has no IDLE (RFC 2177). Sizes are
    in bytes: mail above `max_message` is named and not fetched, files above `max_file` are left
    out. `replies_per_hour` bounds what is sent into one thread. `ca_file` names an authority to be
    trusted instead of the machine's own."""

    address: str
    user: str
    password: Secret
    imap: Server
    smtp: Server
    media_dir: Path
    name: str = "Hermes"
    folder: str = "INBOX"
    poll_interval: int = 15
    idle: bool = True
    ca_file: str = ""
    authserv_id: str = ""
    trust_from: bool = False
    max_message: int = 25 * MEGABYTE
    max_file: int = 20 * MEGABYTE
    replies_per_hour: int = 20

    @property
    def domain(self) -> str:
        """Of our own address."""
        return self.address.rpartition("@")[2]


def configuration(settings: PlatformSettings) -> Configuration:
    """Read the settings. Raises `ConfigError`, with the name of what is wrong."""
    values = settings.values
    address = _text(values, "address").lower()
    if not is_address(address):
        raise ConfigError(
            f"email: {address!r} is no address." if address else "email: there is no address.",
            hint="Set EMAIL_ADDRESS in .env.",
        )
    password = str(values.get("password") or values.get("token") or "")
    if not password:
        raise ConfigError(
            "email: there is no password.",
            hint="Set EMAIL_PASSWORD in .env; many providers want an app password.",
        )
    return Configuration(
        address=address,
        user=_text(values, "username") or address,
        password=Secret(password),
        imap=_server(values, "imap", {993: "tls", 143: "starttls"}, 993),
        smtp=_server(values, "smtp", {465: "tls", 587: "starttls", 25: "starttls"}, 587),
        media_dir=settings.media_dir,
        name=_text(values, "name") or "Hermes",
        folder=_text(values, "folder") or "INBOX",
        poll_interval=_number(values, "poll_interval", 15, 1, 3600),
        idle=_switch(values, "idle", True),
        ca_file=_ca_file(values),
        authserv_id=_text(values, "authserv_id").lower(),
        trust_from=_switch(values, "trust_from", False),
        max_message=_number(values, "max_message_mb", 25, 1, 100) * MEGABYTE,
        max_file=_number(values, "max_file_mb", 20, 1, 100) * MEGABYTE,
        replies_per_hour=_number(values, "replies_per_hour", 20, 1, 10_000),
    )


def _server(
    values: Mapping[str, Any], kind: str, usual: Mapping[int, Security], default: int
) -> Server:
    host = _text(values, f"{kind}_host")
    if not _HOST.fullmatch(host):
        raise ConfigError(
            f"email: {host!r} is no host." if host else f"email: there is no {kind} server.",
            hint=f"Set EMAIL_{kind.upper()}_HOST in .env.",
        )
    port = _number(values, f"{kind}_port", default, 1, 65_535)
    security = _text(values, f"{kind}_security").lower() or usual.get(port, "tls")
    if security not in ("tls", "starttls", "none"):
        raise ConfigError(f"{_WHERE}.{kind}_security is to be tls, starttls or none.")
    if security == "none" and not _is_loopback(host):
        raise ConfigError(
            f"email: the password is not sent to {host} without TLS.",
            hint=f"Set {_WHERE}.{kind}_security to tls or starttls.",
        )
    return Server(host=host, port=port, security=security)  # pyright: ignore[reportArgumentType]  narrowed above


def _ca_file(values: Mapping[str, Any]) -> str:
    path = _text(values, "ca_file")
    if path and not Path(path).is_file():
        raise ConfigError(
            f"email: there is no file {path}.", hint=f"Correct {_WHERE}.ca_file, or leave it out."
        )
    return path


def _text(values: Mapping[str, Any], key: str) -> str:
    return str(values.get(key) or "").strip()


def _number(values: Mapping[str, Any], key: str, default: int, least: int, most: int) -> int:
    text = _text(values, key) or str(default)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if not least <= number <= most:
        raise ConfigError(
            f"email: {key} is to be a number from {least} to {most}, not {text!r}.",
            hint=f"Correct EMAIL_{key.upper()} or {_WHERE}.{key}.",
        )
    return number


def _switch(values: Mapping[str, Any], key: str, default: bool) -> bool:
    text = str(values.get(key, default)).strip().lower()
    if text in _ON or text in _OFF:
        return text in _ON
    raise ConfigError(f"email: {key} is to be true or false, not {text!r}.")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
