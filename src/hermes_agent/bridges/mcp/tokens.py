"""Logins at MCP servers, as files of the home: `mcp-tokens/NAME.json` and `NAME.client.json`.

The first holds the answer of the token endpoint (RFC 6749, 5.1) and `expires_at` in seconds since
1970; the second the registration (RFC 7591, 3.2.1), and beside it the server's address and the
metadata of the authorization server (RFC 8414) and of the resource (RFC 9728).
"""

import hashlib
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from hermes_agent.config.files import write_atomically

if TYPE_CHECKING:
    from mcp.client.auth.oauth2 import OAuthContext
    from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

FOLDER = "mcp-tokens"
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,80}")
_MOST_BYTES = 1024 * 1024


class TokenFiles:
    """The login at the server called `name`; `mcp.client.auth.TokenStorage`. What was given for
    another address than `url` is not used. Damaged files count as none."""

    def __init__(self, home: Path, name: str, url: str) -> None:
        plain = _PLAIN.fullmatch(name) and not name.endswith(".client")
        stem = name if plain else hashlib.sha256(name.encode()).hexdigest()[:24]
        self._folder = home / FOLDER
        self._tokens = self._folder / f"{stem}.json"
        self._client = self._folder / f"{stem}.client.json"
        self._url = url
        self.context: OAuthContext | None = None
        """Where the metadata are taken from when something is written."""

    @property
    def lock(self) -> Path:
        """Held by who renews the login."""
        return self._tokens.with_suffix(".lock")

    @property
    def exist(self) -> bool:
        """Whether there is a login for this address."""
        return bool(self._current().get("access_token"))

    @property
    def expires_at(self) -> float | None:
        """When the access token ends, if that is known."""
        at = self._current().get("expires_at")
        return float(at) if isinstance(at, int | float) else None

    async def get_tokens(self) -> "OAuthToken | None":
        """See `TokenStorage`."""
        from mcp.shared.auth import OAuthToken

        return _parsed(OAuthToken, self._current())

    async def set_tokens(self, tokens: "OAuthToken") -> None:
        """See `TokenStorage`. The registration that they belong to is kept with them. Raises
        `NotWritten`."""
        if (context := self.context) is not None and context.client_info is not None:
            await self.set_client_info(context.client_info)
        data = tokens.model_dump(mode="json", exclude_none=True)
        if tokens.expires_in is not None:
            data["expires_at"] = time.time() + tokens.expires_in
        self._write(self._tokens, data)

    async def get_client_info(self) -> "OAuthClientInformationFull | None":
        """See `TokenStorage`."""
        from mcp.shared.auth import OAuthClientInformationFull

        return _parsed(OAuthClientInformationFull, self._registration())

    async def set_client_info(self, client_info: "OAuthClientInformationFull") -> None:
        """See `TokenStorage`. Raises `NotWritten`."""
        data = client_info.model_dump(mode="json", exclude_none=True)
        data["server_url"] = self._url
        if (context := self.context) is not None:
            for key, found in (
                ("authorization_server", context.oauth_metadata),
                ("protected_resource", context.protected_resource_metadata),
            ):
                if found is not None:
                    data[key] = found.model_dump(mode="json", exclude_none=True)
        self._write(self._client, data)

    def restore(self, context: "OAuthContext") -> None:
        """Give the context what was found out about the authorization server at the login."""
        from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

        data = self._registration()
        context.oauth_metadata = _parsed(OAuthMetadata, data.get("authorization_server"))
        context.protected_resource_metadata = _parsed(
            ProtectedResourceMetadata, data.get("protected_resource")
        )
        context.token_expiry_time = self.expires_at

    def forget(self) -> bool:
        """Remove the login; whether there was one."""
        found = False
        for path in (self._tokens, self._client, self.lock):
            try:
                path.unlink()
                found |= path != self.lock
            except FileNotFoundError:
                continue
        return found

    def _registration(self) -> dict[str, Any]:
        data = _read(self._client)
        return data if data.get("server_url", self._url) == self._url else {}

    def _current(self) -> dict[str, Any]:
        known = _read(self._client).get("server_url", self._url)
        return _read(self._tokens) if known == self._url else {}

    def _write(self, path: Path, data: dict[str, Any]) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if path.exists() and path.stat().st_mode & 0o077:
            path.chmod(0o600)
        write_atomically(path, msgspec.json.format(msgspec.json.encode(data)), 0o600)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = msgspec.json.decode(file.read(_MOST_BYTES))
    except (OSError, msgspec.DecodeError):
        return {}
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def _parsed(kind: Any, data: object) -> Any:
    """A model of the library, or None where the data do not fit it."""
    if not data:
        return None
    try:
        return kind.model_validate(data)
    except ValueError:
        return None
