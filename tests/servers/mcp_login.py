"""A real MCP server behind a real authorization server, both by the protocol's own library:
`python mcp_login.py PORT`.

The authorization endpoint sends the person back at once. GET /control changes what it does:
`consent` is allow, deny or badstate, `lifetime` the seconds of an access token, `revoke` ends all
refresh tokens, `access` all access tokens. GET /grants tells how often each kind was used.
"""

import secrets
import sys
import time

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

PORT = int(sys.argv[1])
HERE = f"http://127.0.0.1:{PORT}"


class Provider(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    def __init__(self) -> None:
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.consent = "allow"
        self.lifetime = 3600
        self.grants = {"code": 0, "refresh": 0, "register": 0}

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.grants["register"] += 1
        self.clients[client_info.client_id] = client_info

    async def authorize(
        self, client: OAuthClientInformationFull, params: AuthorizationParams
    ) -> str:
        back, state = str(params.redirect_uri), params.state
        if self.consent == "deny":
            return construct_redirect_uri(
                back, error="access_denied", error_description="I said no", state=state
            )
        code = f"code-{secrets.token_hex(20)}"
        self.codes[code] = AuthorizationCode(
            code=code,
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        return construct_redirect_uri(
            back, code=code, state="another" if self.consent == "badstate" else state
        )

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        self.grants["code"] += 1
        del self.codes[authorization_code.code]
        return self.issue(client.client_id, authorization_code.resource)

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> RefreshToken | None:
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(
        self,
        client: OAuthClientInformationFull,
        refresh_token: RefreshToken,
        scopes: list[str],
    ) -> OAuthToken:
        if refresh_token.token not in self.refresh:
            raise TokenError("invalid_grant")
        self.grants["refresh"] += 1
        del self.refresh[refresh_token.token]
        return self.issue(client.client_id, refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        found = self.access.get(token)
        if found is not None and (found.expires_at or 0) < time.time():
            return None
        return found

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.access.pop(token.token, None)
        self.refresh.pop(token.token, None)

    def issue(self, client: str, resource: str | None) -> OAuthToken:
        access, refresh = f"at-{secrets.token_hex(20)}", f"rt-{secrets.token_hex(20)}"
        self.access[access] = AccessToken(
            token=access,
            client_id=client,
            scopes=[],
            expires_at=int(time.time() + self.lifetime),
            resource=resource,
        )
        self.refresh[refresh] = RefreshToken(
            token=refresh, client_id=client, scopes=[], resource=resource
        )
        return OAuthToken(
            access_token=access, expires_in=self.lifetime, refresh_token=refresh, scope=""
        )


provider = Provider()
server = MCPServer(
    "locked",
    auth_server_provider=provider,
    auth=AuthSettings(
        issuer_url=AnyHttpUrl(HERE),
        resource_server_url=AnyHttpUrl(f"{HERE}/mcp"),
        client_registration_options=ClientRegistrationOptions(enabled=True),
        validate_token_resource=False,
    ),
)


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.custom_route("/control", methods=["GET"])
async def control(request: Request) -> Response:
    wanted = request.query_params
    provider.consent = wanted.get("consent", provider.consent)
    provider.lifetime = int(wanted.get("lifetime", provider.lifetime))
    if "revoke" in wanted:
        provider.refresh.clear()
    if "access" in wanted:
        provider.access.clear()
    return JSONResponse({})


@server.custom_route("/grants", methods=["GET"])
async def grants(_: Request) -> Response:
    return JSONResponse(provider.grants)


server.run(transport="streamable-http", host="127.0.0.1", port=PORT)
