"""Which tools a session has."""

import pytest

from hermes_agent.domain.errors import ConfigError, UsageError
from hermes_agent.tools.choice import with_disabled, with_enabled
from hermes_agent.tools.table import TABLE
from hermes_agent.tools.toolsets import BUNDLES, PLATFORMS, TOOLSETS, resolve


def test_every_platforms_default_is_everything_that_is_there() -> None:
    for platform in PLATFORMS:
        if platform != "acp":
            assert resolve(toolsets=[f"hermes-{platform}"]) == tuple(TABLE)
    assert resolve(toolsets=["all"]) == resolve(toolsets=["*"]) == tuple(TABLE)


def test_every_tool_and_bundle_names_known_toolsets() -> None:
    assert {entry.toolset for entry in TABLE.values()} <= set(TOOLSETS)
    assert {name for bundle in BUNDLES.values() for name in bundle} <= set(TOOLSETS)


def test_the_command_line_goes_before_the_platform_and_that_before_the_default() -> None:
    lists = {"cli": ["todo"]}
    assert resolve(toolsets=["file"], platform_toolsets=lists) == ("todo",)
    assert resolve(toolsets=["todo"], platform="telegram", platform_toolsets=lists) == ("todo",)
    assert resolve(platform_toolsets=lists, chosen=["clarify"]) == ("clarify",)


def test_what_is_disabled_is_never_there() -> None:
    assert resolve(chosen=["file"], disabled=["patch"]) == (
        "read_file",
        "write_file",
        "search_files",
    )
    assert resolve(chosen=["terminal"], disabled=["debugging"]) == ()


def test_toolsets_that_have_no_tools_yet_are_known_and_empty() -> None:
    assert resolve(toolsets=["homeassistant", "todo"]) == ("todo",)


def test_an_unknown_name_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="'trminal'") as fault:
        resolve(toolsets=["trminal"])
    assert "Did you mean terminal?" in (fault.value.hint or "")
    with pytest.raises(UsageError):
        resolve(chosen=["trminal"])
    assert resolve(toolsets=["my-server", "todo"], others=["my-server"]) == ("todo",)


def test_disabling_and_enabling_a_tool_gives_back_what_was_there() -> None:
    before = resolve(toolsets=["hermes-cli"])
    less = with_disabled(("hermes-cli",), "patch")
    assert "patch" not in resolve(toolsets=less)
    assert "web" in less
    again = with_enabled(less, "patch")
    assert resolve(toolsets=again) == before
    assert "file" in again
    assert with_enabled(again, "file") == again


def test_names_of_other_sources_stay_in_the_list() -> None:
    assert with_disabled(("my-server", "todo"), "todo") == ("my-server",)
    assert with_enabled(("my-server",), "todo") == ("my-server", "todo")


def test_a_tool_that_its_toolset_is_named_after_goes_only_with_it() -> None:
    with pytest.raises(UsageError, match="comes with terminal"):
        with_disabled(("terminal",), "process")
    assert with_disabled(("terminal", "todo"), "terminal") == ("todo",)
