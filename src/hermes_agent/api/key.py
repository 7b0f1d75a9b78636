"""The key that clients must show: the configured one, or one made for this machine."""

import os
import secrets
from pathlib import Path

from hermes_agent.api.settings import ApiSettings
from hermes_agent.config.files import write_atomically
from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError
from hermes_agent.providers.http import is_loopback

KEY_FILE = "api_server.key"


def find_key(settings: ApiSettings) -> tuple[Secret, Path | None]:
    """The key, and the file it is kept in where it was not configured.

    Without a configured key a server on loopback makes one; any other refuses to start with
    `ConfigError`.
    """
    if settings.key:
        key = settings.key.reveal()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigError(
                "API_SERVER_KEY holds characters that no HTTP header can carry.",
                hint="Use letters, digits and signs of ASCII, without spaces.",
            )
        return settings.key, None
    if not is_loopback(settings.host):
        raise ConfigError(
            f"The API server would listen on {settings.host} without a key.",
            hint="Set API_SERVER_KEY in .env (openssl rand -hex 32 makes one), or listen on "
            "127.0.0.1.",
        )
    path = settings.home / KEY_FILE
    return Secret(_kept(path) or _made(path)), path


def _kept(path: Path) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", hint="Remove it; a new key is made then."
        ) from error
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        return file.read(4096).strip() or None


def _made(path: Path) -> str:
    key = secrets.token_hex(32)
    write_atomically(path, f"{key}\n".encode(), mode=0o600)
    return key
