"""What the Matrix adapter is told."""

from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.matrix.configuration import Configuration, configuration

GOOD = {"homeserver": "https://example.org/", "access_token": "syt_word"}


def made(**values: Any) -> Configuration:
    return configuration(
        PlatformSettings(name="matrix", values=GOOD | values, media_dir=Path("/h/cache/matrix"))
    )


def test_a_homeserver_may_be_named_without_its_scheme() -> None:
    assert made().homeserver == "https://example.org"
    assert made(homeserver="example.org").homeserver == "https://example.org"
    assert made(homeserver="http://127.0.0.1:8008").homeserver == "http://127.0.0.1:8008"


@pytest.mark.parametrize(
    "given", ["", "ftp://example.org", "https://", "https://a:b@example.org", "https://x:99999"]
)
def test_a_homeserver_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ConfigError) as raised:
        made(homeserver=given)
    assert "MATRIX_HOMESERVER" in (raised.value.hint or "")


def test_a_token_outranks_a_password() -> None:
    both = made(user_id="@me:example.org", password="word")
    assert both.access_token.reveal() == "syt_word"
    assert not both.password


@pytest.mark.parametrize(
    "values",
    [
        {"access_token": ""},
        {"access_token": "", "password": "word"},
        {"access_token": "", "password": "word", "user_id": "me"},
        {"encryption": "perhaps"},
        {"require_mention": "sometimes"},
        {"max_file_mb": "0"},
        {"sync_wait": "long"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_telling_secrets(
    values: dict[str, str],
) -> None:
    with pytest.raises(ConfigError) as raised:
        made(**values)
    assert "syt_word" not in f"{raised.value!r}{raised.value.hint}"


def test_no_secret_shows_in_its_representation() -> None:
    assert "syt_word" not in repr(made())
    shown = repr(made(access_token="", user_id="@me:example.org", password="secret-word"))
    assert "secret-word" not in shown
