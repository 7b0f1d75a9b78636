"""The files of a login: whose they are, what they survive."""

import stat
from pathlib import Path

import pytest
from mcp.shared.auth import OAuthToken

from hermes_agent.bridges.mcp.tokens import TokenFiles

pytestmark = pytest.mark.anyio
URL = "https://example.org/mcp"
TOKEN = OAuthToken(access_token="at-1", refresh_token="rt-1", expires_in=60)


async def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    await TokenFiles(tmp_path, "demo", URL).set_tokens(TOKEN)
    files = TokenFiles(tmp_path, "demo", URL)
    found = await files.get_tokens()
    assert found is not None
    assert (found.access_token, found.refresh_token) == ("at-1", "rt-1")
    assert files.expires_at is not None
    mode = stat.S_IMODE((tmp_path / "mcp-tokens" / "demo.json").stat().st_mode)
    assert mode == 0o600


async def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "mcp-tokens" / "demo.json"
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0o644)
    await TokenFiles(tmp_path, "demo", URL).set_tokens(TOKEN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"access_token": 7}', '{"token_type": "mac"}'])
async def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mcp-tokens" / "demo.json"
    path.parent.mkdir()
    path.write_text(text)
    assert await TokenFiles(tmp_path, "demo", URL).get_tokens() is None


@pytest.mark.parametrize("name", ["../config", "a/b", "..", ".hidden", "x.client", "ü" * 90, ""])
async def test_no_name_of_a_server_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    files = TokenFiles(tmp_path, name, URL)
    await files.set_tokens(TOKEN)
    (path,) = (tmp_path / "mcp-tokens").iterdir()
    assert path.suffix == ".json"
    assert ".client" not in path.name
    assert await files.get_tokens() is not None
    assert files.forget()
    assert not list((tmp_path / "mcp-tokens").iterdir())
