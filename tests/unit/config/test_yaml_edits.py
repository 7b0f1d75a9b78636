"""config.yaml keeps every comment, order and byte that an edit does not mean."""

from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hermes_agent.config import reading
from hermes_agent.config.edit import edit, edit_env_file
from hermes_agent.config.paths import Paths
from hermes_agent.config.surgery import assign, remove
from hermes_agent.domain.errors import ConfigError, UsageError

SAMPLE = """\
# The head of the file
model:   # which model
  default: foo/bar   # the best
  provider: "openrouter"

# How it looks
display: {compact: true, skin: default}

terminal:
    backend: local      # four spaces here
    docker_volumes:
    - /a:/a
    - /b:/b   # second

    # about the end of terminal

approvals:
# the tail
agent:
  system_prompt: |
    Be kind.

    Be brief.
"""


def edited(text: str, key: str, value: Any) -> str:
    return assign(text, tuple(key.split(".")), value)


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("model.default", "a/b", "foo/bar   # the best", "a/b   # the best"),
        ("model.provider", "off", '"openrouter"', '"off"'),
        ("display.compact", False, "compact: true", "compact: false"),
        (
            "display.bell_on_complete",
            True,
            "skin: default}",
            "skin: default, bell_on_complete: true}",
        ),
        ("terminal.backend", "docker", "local      # four", "docker      # four"),
        (
            "terminal.timeout",
            5,
            "/b:/b   # second\n",
            "/b:/b   # second\n    timeout: 5\n",
        ),
        ("terminal.docker_volumes", ["/c:/c"], "\n    - /a:/a\n    - /b:/b ", ' ["/c:/c"] '),
        ("approvals.mode", "manual", "approvals:\n", "approvals:\n  mode: manual\n"),
        ("agent.max_turns", 7, "    Be brief.\n", "    Be brief.\n  max_turns: 7\n"),
        (
            "agent.system_prompt",
            "No: this # one",
            "|\n    Be kind.\n\n    Be brief.\n",
            '"No: this # one"\n',
        ),
        (
            "timezone",
            "Europe/Berlin",
            "    Be brief.\n",
            "    Be brief.\ntimezone: Europe/Berlin\n",
        ),
    ],
)
def test_setting_a_key_changes_its_own_characters_and_nothing_else(
    key: str, value: Any, old: str, new: str
) -> None:
    assert SAMPLE.count(old) == 1
    assert edited(SAMPLE, key, value) == SAMPLE.replace(old, new)


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("model.default", "  default: foo/bar   # the best\n", ""),
        ("display.compact", "compact: true, ", ""),
        ("display.skin", ", skin: default", ""),
        ("terminal.backend", "    backend: local      # four spaces here\n", ""),
        ("agent.system_prompt", " |\n    Be kind.\n\n    Be brief.\n", "\n"),
        ("approvals", "approvals:\n", ""),
    ],
)
def test_removing_a_key_takes_its_lines_and_nothing_else(key: str, old: str, new: str) -> None:
    assert SAMPLE.count(old) == 1
    if key == "agent.system_prompt":
        assert remove(SAMPLE, tuple(key.split("."))).endswith("agent: {}\n")
    else:
        assert remove(SAMPLE, tuple(key.split("."))) == SAMPLE.replace(old, new)


def test_a_json_file_stays_json() -> None:
    import json

    text = '{\n  "model": {"default": "x"},\n  "toolsets": ["all"]\n}\n'
    result = edited(edited(text, "model.provider", "off"), "terminal.cwd", "/tmp")
    assert json.loads(result) == {
        "model": {"default": "x", "provider": "off"},
        "toolsets": ["all"],
        "terminal": {"cwd": "/tmp"},
    }


def test_windows_line_ends_stay() -> None:
    assert edited("a: 1\r\nb: 2\r\n", "b", 3) == "a: 1\r\nb: 3\r\n"
    assert edited("a: 1\r\nb: 2", "c.d", 3) == "a: 1\r\nb: 2\r\nc:\r\n  d: 3\r\n"


NAMES = st.sampled_from(["a", "b", "c d", "off", "1", "e.f", "ü", "null", "~", "#x", "- y"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(
        ["yes", "12:30", "0x1", "1e3", "2020-01-01", "<<", "=", "a: b", "a #b", "\x85"]
    )
)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS,
        lambda t: st.lists(t, max_size=3) | st.dictionaries(NAMES, t, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


def dumped(data: Any, draw: Any) -> str:
    import yaml

    return yaml.safe_dump(
        data,
        sort_keys=False,
        allow_unicode=draw(st.booleans()),
        default_flow_style=draw(st.sampled_from([False, None, True])),
        indent=draw(st.sampled_from([2, 4])),
        width=draw(st.sampled_from([20, 80])),
    )


@settings(max_examples=300, deadline=None)
@given(st.data(), TREES, st.lists(NAMES, min_size=1, max_size=3), SCALARS | TREES)
def test_whatever_is_set_reads_back_and_the_rest_stays(
    data: st.DataObject, tree: dict[str, Any], path: list[str], value: Any
) -> None:
    from hermes_agent.config.edit import _operate, _with  # pyright: ignore[reportPrivateUsage]

    text = dumped(tree, data.draw)
    before = reading.parse(text, "x").data
    at: Any = before
    for part in path[:-1]:
        at = cast("dict[str, Any]", at).get(part) if isinstance(at, dict) else at
        if at is None:
            break
    try:
        result = _operate(text, tuple(path), value)
    except ConfigError:
        # Only values that stand where a map would have to be are refused.
        assert at is not None and not isinstance(at, dict)
        return
    assert reading.parse(result, "x").data == _with(before, tuple(path), value)


@settings(max_examples=300, deadline=None)
@given(st.data(), TREES)
def test_whatever_is_removed_is_gone_and_the_rest_stays(
    data: st.DataObject, tree: dict[str, Any]
) -> None:
    from hermes_agent.config.edit import _operate  # pyright: ignore[reportPrivateUsage]

    text = dumped(tree, data.draw)
    path: list[str] = []
    at: Any = reading.parse(text, "x").data
    while isinstance(at, dict) and at:
        entries = cast("dict[str, Any]", at)
        path.append(data.draw(st.sampled_from(sorted(entries))))
        at = entries[path[-1]]
        if data.draw(st.booleans()):
            break
    after = reading.parse(_operate(text, tuple(path), None, remove=True), "x").data
    for part in path[:-1]:
        after = after[part]
    assert path[-1] not in after


def config_file(home: Path, text: str) -> Paths:
    home.mkdir()
    (home / "config.yaml").write_text(text)
    return Paths(home)


def test_a_model_that_is_a_word_becomes_a_map_when_its_provider_is_set(home: Path) -> None:
    paths = config_file(home, "model: foo/bar  # mine\ntoolsets: [all]\n")
    edit(paths, {"model.provider": "openai"})
    assert reading.read(paths.config_file).data["model"] == {
        "default": "foo/bar",
        "provider": "openai",
    }
    edit(paths, {"model": "other"})
    assert reading.read(paths.config_file).data["model"]["default"] == "other"


def test_an_old_spelling_goes_when_its_key_is_set(home: Path) -> None:
    paths = config_file(home, "max_turns: 5  # old\nagent:\n  verbose: true\n")
    edit(paths, {"agent.max_turns": 9})
    assert paths.config_file.read_text() == "agent:\n  verbose: true\n  max_turns: 9\n"


def test_variables_are_not_expanded_by_an_edit(home: Path) -> None:
    paths = config_file(home, "model:\n  api_key: ${HOME}\n")
    edit(paths, {"display.compact": True})
    assert paths.config_file.read_text() == (
        "model:\n  api_key: ${HOME}\ndisplay:\n  compact: true\n"
    )


def test_a_literal_secret_is_never_written_to_the_configuration(home: Path) -> None:
    paths = config_file(home, "timezone: UTC\n")
    with pytest.raises(UsageError, match=r"not written to config\.yaml"):
        edit(paths, {"model.api_key": "sk-verysecret"})
    assert paths.config_file.read_text() == "timezone: UTC\n"


def test_a_value_of_the_wrong_type_leaves_the_file_alone(home: Path) -> None:
    paths = config_file(home, "timezone: UTC\n")
    with pytest.raises(ConfigError, match=r"approvals\.mode: expected one of manual, smart, off"):
        edit(paths, {"approvals.mode": "sometimes"})
    assert paths.config_file.read_text() == "timezone: UTC\n"


def test_a_fault_elsewhere_does_not_keep_one_from_mending_another(home: Path) -> None:
    paths = config_file(home, "approvals: {mode: 5}\nagent: {max_turns: many}\n")
    edit(paths, {"agent.max_turns": 5})
    assert paths.config_file.read_text() == "approvals: {mode: 5}\nagent: {max_turns: 5}\n"


def test_a_value_shared_by_an_alias_is_left_to_the_person(home: Path) -> None:
    text = "a: &x {b: 1}\ndisplay: *x\n"
    paths = config_file(home, text)
    with pytest.raises(ConfigError, match="without touching other settings"):
        edit(paths, {"display.compact": True})
    assert paths.config_file.read_text() == text


def test_owner_group_and_mode_of_the_file_stay(home: Path) -> None:
    import os

    paths = config_file(home, "timezone: UTC\n")
    os.chown(paths.config_file, 1234, 4321)
    paths.config_file.chmod(0o640)
    edit(paths, {"timezone": "Europe/Berlin"})
    about = paths.config_file.stat()
    assert (about.st_uid, about.st_gid, about.st_mode & 0o7777) == (1234, 4321, 0o640)


def test_two_writers_at_once_lose_nothing(home: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    paths = config_file(home, "# mine\n")

    def write(number: int) -> None:
        edit(paths, {f"platform_toolsets.p{number}": ["all"]})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    assert set(reading.read(paths.config_file).data["platform_toolsets"]) == {
        f"p{n}" for n in range(24)
    }


def test_a_part_of_a_list_item_can_be_set_and_removed(home: Path) -> None:
    text = (
        "custom_providers:\n  - name: a  # first\n    base_url: http://x\n"
        "    api_mode: chat_completions\n"
    )
    paths = config_file(home, text)
    edit(paths, {"custom_providers.0.base_url": "http://y"}, ["custom_providers.0.api_mode"])
    assert paths.config_file.read_text() == (
        "custom_providers:\n  - name: a  # first\n    base_url: http://y\n"
    )
    with pytest.raises(ConfigError, match=r"custom_providers\.0: name missing"):
        edit(paths, remove=["custom_providers.0.name"])


def test_text_that_is_not_unicode_is_refused(home: Path) -> None:
    paths = config_file(home, "timezone: UTC\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        edit(paths, {"timezone": "\udcff"})
    with pytest.raises(UsageError, match="not UTF-8"):
        edit_env_file(paths, {"A": "\udcff"})
    assert {p.name for p in home.iterdir()} <= {"config.yaml", ".config.lock"}
