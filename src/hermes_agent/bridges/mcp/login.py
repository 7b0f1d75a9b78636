"""Logging in at a server with a person's help: the authorization code flow with PKCE and dynamic
registration (OAuth 2.1 as in the specification 2025-11-25, basic/authorization)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from hermes_agent.bridges.mcp.link import Signals, first
from hermes_agent.bridges.mcp.offer import Offer, offer_of
from hermes_agent.bridges.mcp.opening import opener
from hermes_agent.bridges.mcp.returning import Refused, Returning, Visit, visit_of
from hermes_agent.bridges.mcp.tokens import TokenFiles
from hermes_agent.config.schema.execution import McpServer
from hermes_agent.domain.errors import HermesError

if TYPE_CHECKING:
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

    from hermes_agent.bridges.mcp.stdio import Program

LONGEST = 600.0
"""Seconds that a person has."""
Paste = Callable[[], Awaitable[str]]
"""Waits for a line that a person types; "" when no more will come."""


async def sign_in(
    name: str,
    server: McpServer,
    files: TokenFiles,
    *,
    show: Callable[[str], None],
    paste: Paste | None = None,
) -> Offer:
    """Log in and keep the login in `files`; gives what the server offers then. `show` gets the
    address that the person has to visit. Raises `HermesError`; what was kept before stays then."""
    async with Returning(await _port(files)) as returning:
        redirect = returning.address
        fresh = _Fresh(files, redirect)
        provider = _provider(server.url, fresh, redirect, returning, show, paste)
        files.context = provider.context
        connect = opener(server, _no_program, auth=lambda _: provider)
        try:
            async with asyncio.timeout(LONGEST), connect(Signals()) as client:
                offer = await offer_of(client, name)
        except TimeoutError as error:
            raise HermesError(f"Nobody logged in within {LONGEST / 60:.0f} minutes.") from error
        except Exception as error:  # in groups or not, whatever the library makes of it
            raise _failure(name, error) from error
    if not fresh.given:
        raise HermesError(
            f"The MCP server {name} lets us in without a login.",
            hint=f"Take auth out of mcp_servers.{name}.",
        )
    return offer


class _Fresh:
    """The files, with no login in them: only what this login brings is used. The registration is
    used again where it is for the same way back."""

    def __init__(self, files: TokenFiles, redirect: str) -> None:
        self._files = files
        self._redirect = redirect
        self.given = False
        self._tokens: OAuthToken | None = None

    async def get_tokens(self) -> "OAuthToken | None":
        return self._tokens

    async def set_tokens(self, tokens: "OAuthToken") -> None:
        self._tokens = tokens
        self.given = True
        await self._files.set_tokens(tokens)

    async def get_client_info(self) -> "OAuthClientInformationFull | None":
        found = await self._files.get_client_info()
        if found is None or self._redirect not in map(str, found.redirect_uris or ()):
            return None
        return found

    async def set_client_info(self, client_info: "OAuthClientInformationFull") -> None:
        """Kept together with the tokens, not before: the old login may go on to be used."""


async def _port(files: TokenFiles) -> int:
    """Where the browser came back to the last time: servers may insist on it."""
    found = await files.get_client_info()
    for uri in (found.redirect_uris if found else None) or ():
        if uri.host == "127.0.0.1" and uri.port:
            return uri.port
    return 0


def _provider(
    url: str,
    fresh: _Fresh,
    redirect: str,
    returning: Returning,
    show: Callable[[str], None],
    paste: Paste | None,
) -> "OAuthClientProvider":
    from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider

    from hermes_agent.bridges.mcp.signing import client_metadata

    expected = ""

    async def visit(address: str) -> None:
        nonlocal expected
        expected = parse_qs(urlsplit(address).query).get("state", [""])[0]
        returning.expect(expected)
        show(address)

    async def come_back() -> AuthorizationCodeResult:
        pasting = asyncio.create_task(_pasted(paste, returning, expected)) if paste else None
        try:
            found = await returning.visit()
        finally:
            if pasting is not None:
                pasting.cancel()
        return AuthorizationCodeResult(code=found.code, state=found.state, iss=found.iss)

    return OAuthClientProvider(
        url, client_metadata(redirect), fresh, redirect_handler=visit, callback_handler=come_back
    )


async def _pasted(paste: Paste, returning: Returning, expected: str) -> None:
    """A person copies the address that the browser ended at, or the code in it."""
    while line := (await paste()).strip():
        try:
            visit = visit_of(line)
            if visit is None and not line.startswith(("http:", "https:")):
                visit = Visit(line, expected)
            if visit is not None:
                returning.take(visit)
                return
        except Refused as error:
            returning.fail(error)
            return


def _failure(name: str, error: BaseException) -> HermesError:
    error = first(error)
    if isinstance(error, HermesError):
        return error
    # What the library says may hold an answer of the server's; its kind is enough.
    said = str(error).partition(":")[0][:200]
    return HermesError(
        f"The login at the MCP server {name} failed: {said}",
        hint="hermes logs has more." if not said else None,
    )


def _no_program(*_: object) -> "Program":
    raise HermesError("A program needs no login.")
