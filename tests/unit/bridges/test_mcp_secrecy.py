"""What is said about a server holds nothing that it was given in confidence."""

import pytest

from hermes_agent.bridges.mcp.secrecy import address, blanked
from hermes_agent.config.schema.execution import McpServer

URL = "https://ann:pass-word@example.org:8443/mcp?key=query-secret&page=2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, "https://***@example.org:8443/mcp?***"),
        ("http://127.0.0.1:1/mcp", "http://127.0.0.1:1/mcp"),
        ("http://[broken", "***"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert address(url) == shown


@pytest.mark.parametrize("secret", ["pass-word", "query-secret", "bearer-token", URL])
def test_an_error_keeps_what_the_server_was_given(secret: str) -> None:
    server = McpServer(url=URL, headers={"Authorization": "Bearer bearer-token"})
    assert secret not in blanked(f"it failed: {secret} and more", server)


def test_variables_that_are_no_secrets_stay_readable() -> None:
    server = McpServer(command="x", env={"API_KEY": "very-secret", "MODE": "production"})
    assert blanked("very-secret in production", server) == "*** in production"
