"""What the Discord adapter is told."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.discord.configuration import Configuration, configuration


def read(**values: Any) -> Configuration:
    given = {"bot_token": "t0k3n"} | values
    return configuration(PlatformSettings(name="discord", values=given, media_dir=Path("/")))


def test_the_token_of_the_file_outranks_that_of_the_environment() -> None:
    assert read(token="other").token.reveal() == "other"
    assert "t0k3n" not in repr(read())


def test_without_a_token_it_says_which_variable_to_set() -> None:
    with pytest.raises(ConfigError) as refused:
        read(bot_token=" ")
    assert refused.value.hint is not None
    assert "DISCORD_BOT_TOKEN" in refused.value.hint


@pytest.mark.parametrize("given", ["12, 34", "12 34", ["12", "34"], ["12,34"]])
def test_channels_may_be_a_list_or_text(given: Any) -> None:
    assert read(free_response_channels=given).free_channels == {12, 34}


@pytest.mark.parametrize("given", ["", [], " , "])
def test_no_channels_are_none(given: Any) -> None:
    assert read(free_response_channels=given).free_channels == frozenset()


@pytest.mark.parametrize(
    "values",
    [
        {"free_response_channels": "general"},
        {"free_response_channels": ["12", "#x"]},
        {"require_mention": "perhaps"},
        {"auto_thread": 7},
        {"max_upload_mb": 0},
        {"max_download_mb": "much"},
        {"max_download_mb": 1e9},
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read(**values)


@pytest.mark.parametrize(("given", "on"), [("false", False), ("0", False), ("TRUE", True)])
def test_variables_switch_by_words(given: str, on: bool) -> None:
    assert read(require_mention=given).require_mention is on


def test_people_whom_the_configuration_names_are_known_by_id() -> None:
    assert read(allowed_users="1, anna, 2", owners=["3"]).people == (3, 1, 2)


def test_the_library_is_loaded_when_the_platform_is_made_and_not_before() -> None:
    code = (
        "import sys, hermes_agent.platforms.discord, hermes_agent.platforms.table;"
        "sys.exit(bool({'discord', 'aiohttp', 'asyncio'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_library_is_named_with_its_extra() -> None:
    code = """
import sys
sys.modules["discord"] = None
from pathlib import Path
from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.table import create
try:
    create(PlatformSettings(name="discord", values={"token": "t"}, media_dir=Path("/")))
except ConfigError as error:
    print(error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "hermes-agent[discord]" in done.stdout
