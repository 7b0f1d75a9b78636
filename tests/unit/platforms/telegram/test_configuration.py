"""Settings as they come from a file or the environment."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.telegram.configuration import OFFICIAL, Configuration, configuration

TOKEN = "123456:AAabcdefghijklmnopqrstuvwxyz0123456"


def made(**values: Any) -> Configuration:
    given = {"bot_token": TOKEN, **values}
    return configuration(PlatformSettings(name="telegram", values=given, media_dir=Path("/m")))


def test_a_token_is_enough() -> None:
    found = made()
    assert found.token.reveal() == TOKEN
    assert found.base_url == OFFICIAL
    assert found.require_mention
    assert found.webhook is None
    assert TOKEN not in repr(found)


def test_words_of_the_environment_are_read_like_values_of_a_file() -> None:
    found = made(
        require_mention="false",
        free_response_chats="-1, -2",
        poll_timeout="5",
        webhook_url="https://agent.example/telegram",
        webhook_port="8080",
    )
    assert not found.require_mention
    assert found.free_chats == {"-1", "-2"}
    assert found.poll_timeout == 5
    assert found.webhook is not None
    assert (found.webhook.port, found.webhook.path) == (8080, "/telegram")
    assert found.webhook.host == "127.0.0.1"


@pytest.mark.parametrize(
    "values",
    [
        {"bot_token": ""},
        {"bot_token": "not a token"},
        {"bot_token": f"{TOKEN}/../../x"},
        {"bot_token": f"{TOKEN}\r\nHost: evil"},
        {"base_url": "ftp://x"},
        {"base_url": "http://["},
        {"proxy": "socks5://127.0.0.1:1"},
        {"poll_timeout": 51},
        {"poll_timeout": "soon"},
        {"require_mention": "maybe"},
        {"webhook_url": "https://x/", "webhook_port": 70_000},
        {"webhook_url": "https://x/", "webhook_secret": "with blanks"},
        {"webhook_url": "x"},
    ],
)
def test_what_cannot_be_used_is_refused_with_a_hint_and_without_the_token(
    values: dict[str, Any],
) -> None:
    with pytest.raises(ConfigError) as refused:
        made(**values)
    assert refused.value.hint
    assert TOKEN not in f"{refused.value}{refused.value.hint}"


def test_the_menu_holds_what_telegram_can_show() -> None:
    found = made(commands=["stop - End the turn", "reload-mcp - Again", "new", "Ünfit - x", ""])
    assert found.commands == (
        ("stop", "End the turn"),
        ("reload_mcp", "Again"),
        ("new", "new"),
    )


def test_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, hermes_agent.platforms.telegram as t; "
        "print([n for n in ('httpx2', 'asyncio', 'ssl', 'uvicorn') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
