"""auth.json: logins at vendors, and their tokens, which change while the agent runs.

`{"version": 1, "updated_at": ISO 8601, "active_provider": "nous", "providers": {"nous":
{"access_token": …}, "openai-codex": {"tokens": {"access_token": …}}}}`. What we do not know in it
is kept. The declaration of a managed home may seed the file; from then on it is the agent's own.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from hermes_agent.config.paths import Paths
from hermes_agent.config.reading import read_text
from hermes_agent.config.secret import Secret
from hermes_agent.config.secret_names import looks_secret
from hermes_agent.domain.errors import ConfigError

VERSION = 1
MOST_BYTES = 1024 * 1024
_MILLISECONDS = 10_000_000_000
"""A number of seconds since 1970 as large as this lies in the year 2286."""

# Where an entry may have what a model server takes as a key, and the time at which it ends.
_KEYS: tuple[tuple[tuple[str, ...], tuple[str, ...] | None], ...] = (
    (("api_key",), None),
    (("agent_key",), ("agent_key_expires_at",)),
    (("access_token",), ("expires_at",)),
    (("tokens", "access_token"), ("tokens", "expires_at")),
)
_NOT_SECRET = ("_url", "_uri", "_type", "_at", "_in", "_endpoint", "_id")


class Login(msgspec.Struct, frozen=True):
    """A login at one vendor. `expires` is a time in seconds since 1970, None for no end."""

    provider: str
    key: Secret
    expires: float | None = None

    def expired(self, now: float | None = None) -> bool:
        """Whether it has ended."""
        return self.expires is not None and self.expires <= (time.time() if now is None else now)


class AuthFile(msgspec.Struct, frozen=True):
    """The file's content, as it stands there. Changes give a new one."""

    data: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        return f"<AuthFile {', '.join(sorted(self.providers)) or 'without logins'}>"

    @property
    def active(self) -> str:
        """The vendor that was chosen last; empty for none."""
        value = self.data.get("active_provider")
        return value if isinstance(value, str) else ""

    @property
    def providers(self) -> dict[str, dict[str, Any]]:
        """The entries by vendor."""
        return cast("dict[str, dict[str, Any]]", self.data.get("providers") or {})

    def login(self, provider: str) -> Login | None:
        """The key or token of a vendor, whichever its entry has first; None if none."""
        entry = self.providers.get(provider, {})
        for path, ends in _KEYS:
            value = _at(entry, path)
            if isinstance(value, str) and value.strip():
                return Login(provider, Secret(value.strip()), _time(_at(entry, ends or ())))
        return None

    def logins(self) -> list[Login]:
        """All that can be used as keys, expired ones included."""
        return [login for name in self.providers if (login := self.login(name)) is not None]

    def secrets(self) -> Iterator[str]:
        """Every text that must not be shown."""
        return _secrets(self.data)

    def having(self, provider: str, entry: Mapping[str, Any]) -> "AuthFile":
        """The same with these fields in a vendor's entry; fields that are not named stay."""
        providers = {
            **self.providers,
            provider: {**self.providers.get(provider, {}), **entry},
        }
        return AuthFile({**self.data, "providers": providers})

    def without(self, provider: str) -> "AuthFile":
        """The same without that vendor."""
        providers = {name: each for name, each in self.providers.items() if name != provider}
        active = None if self.active == provider else self.data.get("active_provider")
        return AuthFile({**self.data, "providers": providers, "active_provider": active})


NOBODY = AuthFile()


def read(paths: Paths) -> AuthFile:
    """The logins, none if there is no file. Raises `ConfigError` for a damaged one."""
    path = paths.auth_file
    text = read_text(path, "the file with the logins")
    if text is None:
        return NOBODY
    if len(text) > MOST_BYTES:
        raise ConfigError(f"{path} is longer than {MOST_BYTES:,} bytes")
    return parse(text, path)


def parse(text: str, path: Path) -> AuthFile:
    """The logins in a text. Raises `ConfigError`, which shows nothing of it."""
    try:
        data = msgspec.json.decode(text, type=dict[str, Any])
        msgspec.convert(data.get("providers"), dict[str, dict[str, Any]] | None)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError) as error:
        raise ConfigError(
            f"{path} is damaged: {error}",
            hint="Move it away, and log in again. Nothing writes over it while it is damaged.",
        ) from error
    return AuthFile(data)


def change(paths: Paths, change: Callable[[AuthFile], AuthFile]) -> AuthFile:
    """Read the file, change it and write it, while nobody else does; returns what was written.

    A new file is 0600, an old one keeps owner, group and mode. Raises `ConfigError` for a damaged
    file, which stays as it is, and `NotWritten`.
    """
    from hermes_agent.config.edit import locked
    from hermes_agent.config.files import write_atomically

    with locked(paths, "auth.lock"):
        before = read(paths)
        after = change(before)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        data = {"version": VERSION, **after.data, "updated_at": now}
        encoded = msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n"
        if len(encoded) > MOST_BYTES:
            raise ConfigError(f"{paths.auth_file} would be longer than {MOST_BYTES:,} bytes")
        write_atomically(paths.auth_file, encoded, 0o600)
    return AuthFile(data)


def _at(entry: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    at: Any = entry
    for part in path:
        at = cast("dict[str, Any]", at).get(part) if isinstance(at, dict) else None
    return at if path else None


def _time(value: Any) -> float | None:
    """A time as seconds, milliseconds or ISO 8601; None for anything else."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / 1000 if value > _MILLISECONDS else float(value)
    return None


def _secrets(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in cast("dict[str, Any]", value).items():
            yield from _secrets(each, key)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _secrets(each, name)
    elif isinstance(value, str) and looks_secret(name) and not name.endswith(_NOT_SECRET):
        yield value
