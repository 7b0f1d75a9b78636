"""Layers, variables, tolerances and errors of the configuration."""

import os
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.config import keys
from hermes_agent.config.load import InvalidConfigError, Loaded, load
from hermes_agent.config.paths import Paths
from hermes_agent.config.schema import Config
from hermes_agent.domain.errors import ConfigError


def loaded(
    home: Path,
    config: str | bytes = "",
    *,
    env_file: str = "",
    environ: dict[str, str] | None = None,
    flags: dict[str, Any] | None = None,
) -> Loaded:
    home.mkdir(exist_ok=True)
    data = config.encode() if isinstance(config, str) else config
    (home / "config.yaml").write_bytes(data)
    if env_file:
        (home / ".env").write_text(env_file)
    return load(Paths(home), environ or {}, flags, registry=home / "no-registry")


def test_without_any_file_everything_has_its_default(home: Path) -> None:
    config = load(Paths(home), {}, registry=home / "none").config
    assert config == Config()
    assert config.approvals.mode == "manual"
    assert config.approvals.cron_mode == "deny"
    assert config.display.personality == "kawaii"
    assert config.agent.max_turns == 90
    assert config.terminal.backend == "local"
    assert not home.exists()


def test_each_layer_outranks_the_one_below(home: Path) -> None:
    text = "model: file\ntimezone: file\nagent: {max_turns: 1}\nterminal: {cwd: /file}\n"
    result = loaded(
        home,
        text,
        environ={"HERMES_MODEL": "env", "HERMES_TIMEZONE": "env", "TERMINAL_CWD": "/env"},
        env_file="HERMES_TIMEZONE=dotenv\n",
        flags={"model.default": "flag", "model.provider": None},
    )
    assert result.config.model.default == "flag"
    assert result.config.timezone == "dotenv"
    assert result.config.terminal.cwd == "/env"
    assert result.config.agent.max_turns == 1
    assert result.origins["model.default"].layer == "flag"
    assert str(result.origins["timezone"]) == "environment, HERMES_TIMEZONE in .env"
    assert str(result.origins["agent.max_turns"]) == "config.yaml, line 3"
    shadowed = {remark.key for remark in result.warnings if remark.kind == "shadowed"}
    assert shadowed == {"model.default", "timezone", "terminal.cwd"}


def test_maps_are_merged_and_lists_replaced(home: Path) -> None:
    result = loaded(
        home,
        "terminal: {timeout: 5, env_passthrough: [A, B]}\n",
        flags={"terminal.env_passthrough": ("C",)},
    )
    assert result.config.terminal.timeout == 5
    assert result.config.terminal.env_passthrough == ("C",)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("approvals: {mode: off}", "approvals.mode", "off"),
        ("display: {tool_progress: off}", "display.tool_progress", "off"),
        ("display: {tool_progress: on}", "display.tool_progress", "all"),
        ("human_delay: {mode: no}", "human_delay.mode", "off"),
        ("model: a/b", "model.default", "a/b"),
        ("model: 4.10", "model.default", "4.10"),
        ("max_turns: 7", "agent.max_turns", 7),
        ("max_turns: 7\nagent: {max_turns: 8}", "agent.max_turns", 8),
        ("terminal: {env_type: docker}", "terminal.backend", "docker"),
        ("terminal: {env_type: docker, backend: ssh}", "terminal.backend", "ssh"),
        ("personalities: {x: y}", "agent.personalities", {"x": "y"}),
        ("compression: {threshold: 1}", "compression.threshold", 1.0),
        ("terminal: {docker_volumes: [22:22]}", "terminal.docker_volumes", ("22:22",)),
        (
            "discord: {free_response_channels: [123456789012345678]}",
            "discord.free_response_channels",
            ("123456789012345678",),
        ),
        ("timezone: 2020-01-01", "timezone", "2020-01-01"),
        ("logging: {level: debug}", "logging.level", "DEBUG"),
        ("terminal:\ndisplay: ~", "terminal.timeout", 180),
        ("compression: {summary_base_url: null}", "compression.summary_base_url", None),
        ("a: &a {timeout: 9}\nterminal: {<<: *a}", "terminal.timeout", 9),
        ('{"terminal": {"timeout": 9}}', "terminal.timeout", 9),
        ("agent: {max_turns: 0x10}", "agent.max_turns", 16),
    ],
)
def test_what_existing_files_say_is_understood(home: Path, text: str, key: str, value: Any) -> None:
    at: Any = loaded(home, text).config
    for part in key.split("."):
        at = getattr(at, part)
    assert at == value


def test_variables_are_expanded_in_text_and_left_where_they_are_not_set(home: Path) -> None:
    result = loaded(
        home,
        "model: {base_url: 'http://${HOST}/${GONE}', api_key: '${KEY}'}\n"
        "agent: {max_turns: '${N}', system_prompt: $HOST}\n"
        "mcp_servers: {x: {env: {T: '${HOST}'}, args: ['${HOST}']}}\n",
        environ={"HOST": "inherited", "N": "12"},
        env_file="HOST=h\nKEY=sk-123456789\n",
    )
    assert result.config.model.base_url == "http://h/${GONE}"
    assert result.config.agent.max_turns == 12
    assert result.config.agent.system_prompt == "$HOST"
    assert result.config.mcp_servers["x"].env == {"T": "h"}
    assert result.config.mcp_servers["x"].args == ("h",)
    assert result.config.model.api_key is not None
    assert result.config.model.api_key.reveal() == "sk-123456789"


def test_secrets_are_known_and_do_not_show_themselves(home: Path) -> None:
    result = loaded(
        home,
        "model: {api_key: config-secret}\n"
        "mcp_servers: {x: {headers: {Authorization: Bearer header-secret}}}\n"
        "foreign: {token: foreign-secret}\n",
        environ={"OPENAI_API_KEY": "inherited-secret", "A_TOKEN": "short", "USER": "not-a-secret"},
        env_file="TELEGRAM_BOT_TOKEN=dotenv-secret\n",
    )
    assert result.secrets == {
        "config-secret",
        "Bearer header-secret",
        "header-secret",
        "foreign-secret",
        "inherited-secret",
        "dotenv-secret",
    }
    assert not any(secret in repr(result) for secret in result.secrets)
    assert "config-secret" not in f"{result.config!r} {result.config.model.api_key}"


def test_env_file_cannot_move_the_home_nor_choose_the_program(home: Path) -> None:
    names = ("HERMES_HOME", "HERMES_MANAGED", "HERMES_DEV", "PATH", "LD_PRELOAD", "PYTHONPATH")
    result = loaded(
        home, env_file="".join(f"{n}=evil\n" for n in names) + "GOOD=1\n", environ={"PATH": "/bin"}
    )
    assert dict(result.environ) == {"PATH": "/bin", "GOOD": "1"}
    assert {r.key for r in result.warnings if r.kind == "refused"} == set(names)


def test_an_unknown_key_is_kept_and_named_with_the_nearest_known_one(home: Path) -> None:
    result = loaded(home, "terminal:\n  tiemout: 5\nplatform:\n  x: 1\n")
    first, second = result.warnings
    assert first.text == (
        "terminal.tiemout (config.yaml, line 2) is not a known key; did you mean terminal.timeout?"
    )
    assert second.key == "platform"
    assert result.data["terminal"] == {"tiemout": 5}


def test_a_key_that_stands_twice_is_named_and_the_last_counts(home: Path) -> None:
    result = loaded(home, "timezone: A\nmodel: x\ntimezone: B\n")
    assert result.config.timezone == "B"
    assert [r.kind for r in result.warnings] == ["repeated"]


def test_every_wrong_value_is_named_with_its_line_and_what_was_expected(home: Path) -> None:
    text = (
        "agent:\n  max_turns: many\n"
        "approvals:\n  mode: sometimes\n  timeout: -1\n"
        "mcp_servers:\n  x:\n    args: one\n"
        "custom_providers:\n  - name: y\n"
        "terminal: 5\n"
    )
    with pytest.raises(InvalidConfigError) as caught:
        loaded(home, text)
    where = home / "config.yaml"
    assert caught.value.exit_code == 78
    assert sorted(caught.value.faults) == sorted(
        [
            f"{where}, line 2: agent.max_turns: expected a whole number, got 'many'",
            f"{where}, line 4: approvals.mode: expected one of manual, smart, off, got 'sometimes'",
            f"{where}, line 5: approvals.timeout: expected a number, got -1",
            f"{where}, line 8: mcp_servers.x.args: expected a list, got 'one'",
            f"{where}, line 9: custom_providers.0: base_url missing",
            f"{where}, line 11: terminal: expected a map, got 5",
        ]
    )


@pytest.mark.parametrize(
    "text",
    [
        "model: {api_key: [hunter2hunter2]}",
        "platforms: {telegram: {token: {a: hunter2hunter2}}}",
        "mcp_servers: {x: {env: hunter2hunter2}}",
        "custom_providers: [{name: x, api_key: hunter2hunter2, base_url: []}]",
    ],
)
def test_a_secret_of_the_wrong_type_is_not_shown(home: Path, text: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        loaded(home, text)
    assert "hunter2" not in caught.value.message


def test_a_wrong_variable_is_an_error_that_names_it(home: Path) -> None:
    with pytest.raises(
        InvalidConfigError, match=r"HERMES_MAX_ITERATIONS: agent\.max_turns: expected"
    ):
        loaded(home, environ={"HERMES_MAX_ITERATIONS": "lots"})


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"model:\n  default: [1, 2\nx: 3\n", r"line 3, column 2"),
        (b"model: a: b\n", r"line 1, column 9: mapping values are not allowed"),
        (b"model:\n\t- x\n", r"line 2, column 1"),
        (b"model: x\nname: \xff\xfe\n", r"line 2: not UTF-8 text \(byte 0xff\)"),
        (b"model: \x07\n", r"control characters are not allowed"),
        (b"- a\n- b\n", r"found a list"),
        (b"just words\n", r"found text"),
        (b"a: !!python/object/apply:os.system [id]\n", r"line 1, column 4"),
        (b"a: 1\n---\nb: 2\n", r"line 2"),
        (b"[" * 200_000, r"config\.yaml"),
        (b"a: &a [*a]\n", r"levels deep"),
        (b"a: " + b"{a: " * 500 + b"1" + b"}" * 500, r"levels deep|line 1"),
        (b"#" * (5 * 1024 * 1024), r"too large"),
        (
            b"a: &a [1,1,1,1,1,1,1,1,1]\n"
            + b"".join(
                b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9))
                for i in range(9)
            ),
            r"values, aliases unfolded",
        ),
    ],
)
@pytest.mark.timeout(30)
def test_a_file_that_is_no_configuration_is_an_error_that_says_where(
    home: Path, data: bytes, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        loaded(home, data)
    assert caught.value.exit_code == 78
    assert len(caught.value.message) < 1000


def test_a_directory_or_a_pipe_in_the_file_s_place_is_an_error_and_hangs_nothing(
    home: Path,
) -> None:
    home.mkdir()
    (home / "config.yaml").mkdir()
    with pytest.raises(ConfigError, match="not a regular file"):
        load(Paths(home), {})
    (home / "config.yaml").rmdir()
    os.mkfifo(home / "config.yaml")
    with pytest.raises(ConfigError, match="not a regular file"):
        load(Paths(home), {})
    (home / "config.yaml").unlink()
    os.mkfifo(home / ".env")
    with pytest.raises(ConfigError, match="not a regular file"):
        load(Paths(home), {})


def test_a_home_that_is_a_file_is_an_error(home: Path) -> None:
    home.write_text("x")
    with pytest.raises(ConfigError, match="is not a folder"):
        load(Paths(home), {})


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1.0e+999"])
def test_a_cap_that_could_never_be_reached_is_an_error(home: Path, number: str) -> None:
    with pytest.raises(InvalidConfigError, match=r"budget\.day_usd: expected a number"):
        loaded(home, f"budget: {{day_usd: {number}}}")


def test_a_sparse_file_of_a_hundred_megabytes_is_refused_unread(home: Path) -> None:
    home.mkdir()
    with (home / "config.yaml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(ConfigError, match="too large"):
        load(Paths(home), {})


def test_the_switch_of_approvals_needs_a_yes(home: Path) -> None:
    assert loaded(home, environ={"HERMES_YOLO_MODE": "0"}).config.approvals.mode == "manual"
    assert loaded(home, environ={"HERMES_YOLO_MODE": "1"}).config.approvals.mode == "off"


@pytest.mark.parametrize("path", [("a",), ("a.b", "c"), ("model", "gpt-4.1", "x")])
def test_a_dotted_key_can_be_taken_apart_again(path: tuple[str, ...]) -> None:
    assert keys.split(keys.join(path)) == path


@pytest.mark.parametrize("dotted", ["", ".", "a.", ".a", 'a."b', 'a."b"c'])
def test_a_malformed_key_is_refused(dotted: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        keys.split(dotted)
