"""Requests to a server that wants a login, signed where no person is there to log in.

OAuth 2.1 as the specification has it (2025-11-25, basic/authorization). The login itself is made by
`hermes mcp login` (`login.py`); here its tokens are used and renewed.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx2
from mcp.client.auth.oauth2 import OAuthClientProvider
from mcp.shared.auth import OAuthClientMetadata

from hermes_agent.bridges.mcp.link import Signals
from hermes_agent.bridges.mcp.tokens import TokenFiles

_LOCK_SECONDS = 60.0
_PROTOCOL = "mcp-protocol-version"


def client_metadata(redirect: str) -> OAuthClientMetadata:
    """How we register."""
    return OAuthClientMetadata.model_validate(
        {"client_name": "Hermes Agent", "redirect_uris": [redirect]}
    )


class Signer(OAuthClientProvider):
    """Signs with what `files` hold, which are read for each request: another process may have
    logged in or renewed. A login that has ended is said through `signals`."""

    def __init__(self, name: str, url: str, files: TokenFiles, signals: Signals) -> None:
        super().__init__(url, client_metadata("http://127.0.0.1/callback"), files)
        self._name = name
        self._files = files
        self._signals = signals

    async def _initialize(self) -> None:
        await super()._initialize()
        self._files.restore(self.context)
        self._files.context = self.context

    async def _auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        async with self.context.lock:
            await self._initialize()
            self.context.protocol_version = request.headers.get(_PROTOCOL)
            fresh = self.context.is_token_valid()
            if not fresh:
                async with aclosing(self._renewing(None)) as renewing:
                    async for each in renewing:
                        answer = yield each
                        await self._handle_refresh_response(answer)
            token = self._sign(request)
        response = yield request
        if response.status_code == 401 and fresh:
            # The server ended it before its time.
            async with self.context.lock:
                async with aclosing(self._renewing(token)) as renewing:
                    async for each in renewing:
                        answer = yield each
                        await self._handle_refresh_response(answer)
                token = self._sign(request)
            response = yield request
        if response.status_code == 401:
            self._refused()
        elif response.status_code == 403 and "insufficient_scope" in response.headers.get(
            "www-authenticate", ""
        ):
            self._signals.refuse(
                f"its login does not allow enough. Log in anew: hermes mcp login {self._name}"
            )

    async def _renewing(self, token: str | None) -> AsyncGenerator[httpx2.Request]:
        """The request that renews the login, unless another process just did: then the token is
        another one than `token`."""
        from filelock import AsyncFileLock

        if not self.context.can_refresh_token():
            return
        async with AsyncFileLock(self._files.lock, timeout=_LOCK_SECONDS, mode=0o600):
            await self._initialize()
            current = self.context.current_tokens
            renewed = (
                self.context.is_token_valid()
                if token is None
                else current is not None and current.access_token != token
            )
            if not renewed and self.context.can_refresh_token():
                yield await self._refresh_token()

    def _sign(self, request: httpx2.Request) -> str:
        tokens = self.context.current_tokens
        if tokens is None or not self.context.is_token_valid():
            request.headers.pop("Authorization", None)
            return ""
        self._add_auth_header(request)
        return tokens.access_token

    def _refused(self) -> None:
        what = "its login has ended" if self._files.exist else "it wants a login"
        self._signals.refuse(f"{what}. Log in: hermes mcp login {self._name}")
