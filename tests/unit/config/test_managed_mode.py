"""In managed mode the declaration decides, and nothing here writes."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.config.edit import edit, edit_env_file, replace_env_text, replace_text
from hermes_agent.config.load import load
from hermes_agent.config.managed import find, require_unmanaged
from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import ConfigError, ManagedError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a registry")


@pytest.fixture
def paths(home: Path) -> Paths:
    home.mkdir()
    (home / "config.yaml").write_text("# declared\ntimezone: UTC\n")
    (home / ".env").write_text("A=1\n")
    return Paths(home)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    root = tmp_path / "etc"
    (root / "homes").mkdir(parents=True, mode=0o755)
    return root


def register(registry: Path, paths: Paths, **fields: Any) -> Path:
    about = paths.home.stat()
    entry = {"device": about.st_dev, "inode": about.st_ino, "manager": "nixos", **fields}
    file = registry / "homes" / "agent.json"
    file.write_text(json.dumps(entry))
    file.chmod(0o644)
    return file


WRITERS: dict[str, Callable[[Paths, dict[str, str], Path], object]] = {
    "set": lambda p, e, r: edit(p, {"timezone": "X"}, environ=e, registry=r),
    "unset": lambda p, e, r: edit(p, remove=["timezone"], environ=e, registry=r),
    "edit": lambda p, e, r: replace_text(
        p, "x: 1\n", expected=p.config_file.read_text(), environ=e, registry=r
    ),
    "secret": lambda p, e, r: edit_env_file(p, {"A": "2"}, environ=e, registry=r),
    "repair": lambda p, e, r: replace_env_text(p, "A=2\n", environ=e, registry=r),
}


@pytest.mark.parametrize("signal", ["variable", "marker", "registry"])
@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_refuses_and_leaves_the_files_alone(
    paths: Paths, registry: Path, writer: str, signal: str
) -> None:
    environ: dict[str, str] = {}
    if signal == "variable":
        environ["HERMES_MANAGED"] = "true"
    elif signal == "marker":
        paths.managed_marker.touch()
    else:
        register(registry, paths)
    before = {f.name: f.read_bytes() for f in paths.home.iterdir()}
    with pytest.raises(ManagedError, match="managed by NixOS") as caught:
        WRITERS[writer](paths, environ, registry)
    assert caught.value.exit_code == 1
    assert caught.value.hint == "Edit configuration.nix and run: sudo nixos-rebuild switch"
    assert {f.name: f.read_bytes() for f in paths.home.iterdir()} == before


@pytest.mark.parametrize("writer", WRITERS)
def test_without_a_signal_the_same_writers_write(paths: Paths, registry: Path, writer: str) -> None:
    before = {f.name: f.read_bytes() for f in paths.home.iterdir()}
    WRITERS[writer](paths, {}, registry)
    assert {f.name: f.read_bytes() for f in paths.home.iterdir()} != before


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("true", "NixOS"),
        ("1", "NixOS"),
        ("YES", "NixOS"),
        ("nixos", "NixOS"),
        ("home-manager", "home-manager"),
        ("Ansible", "Ansible"),
        ("", None),
        ("false", None),
        ("0", None),
        ("no", None),
    ],
)
def test_the_variable_names_the_manager(paths: Paths, value: str, name: str | None) -> None:
    managed = find(paths, {"HERMES_MANAGED": value}, registry=paths.home / "none")
    assert (managed.manager.name if managed else None) == name


def test_the_marker_names_the_manager_and_no_variable_unsays_it(paths: Paths) -> None:
    paths.managed_marker.write_text("home-manager\n")
    with pytest.raises(ManagedError, match="Cannot save settings: managed by home-manager"):
        require_unmanaged(paths, {"HERMES_MANAGED": "false"}, doing="save settings")


def test_env_file_cannot_end_managed_mode(paths: Paths) -> None:
    paths.env_file.write_text("HERMES_MANAGED=false\n")
    assert load(paths, {"HERMES_MANAGED": "1"}).managed is not None


def test_declared_values_outrank_file_and_environment(paths: Paths, registry: Path) -> None:
    paths.config_file.write_text("timezone: File\nagent: {max_turns: 5}\n")
    register(registry, paths, settings={"timezone": "Declared", "model": {"default": "declared"}})
    loaded = load(paths, {"HERMES_TIMEZONE": "Env", "HERMES_MODEL": "env"}, registry=registry)
    assert loaded.config.timezone == "Declared"
    assert loaded.config.model.default == "declared"
    assert loaded.config.agent.max_turns == 5
    assert loaded.origins["timezone"].layer == "declaration"


def test_no_price_that_was_not_declared_lifts_a_declared_cap(paths: Paths, registry: Path) -> None:
    paths.config_file.write_text("budget: {day_usd: 90, prices: {'*': {input: 0, output: 0}}}\n")
    register(registry, paths, settings={"budget": {"day_usd": 1}})
    flags = {"budget.prices.gpt-5.input": 0.1, "budget.prices.gpt-5.output": 0.1}
    for given in ({}, flags, {"budget.prices": {"*": {"input": 0, "output": 0}}}):
        loaded = load(paths, {}, given, registry=registry)
        assert (loaded.config.budget.day_usd, loaded.config.budget.prices) == (1, {})


def test_declared_prices_stand_as_they_are(paths: Paths, registry: Path) -> None:
    paths.config_file.write_text("budget: {prices: {gpt-5: {input: 0, output: 0}}}\n")
    declared = {"budget": {"prices": {"gpt-*": {"input": 2, "output": 3}}}}
    register(registry, paths, settings=declared)
    assert list(load(paths, {}, registry=registry).config.budget.prices) == ["gpt-*"]


def test_flags_choose_freely_or_narrow_and_never_lift_the_gate(
    paths: Paths, registry: Path
) -> None:
    register(
        registry,
        paths,
        settings={
            "approvals": {"mode": "manual"},
            "toolsets": ["file", "terminal"],
            "agent": {"max_turns": 10},
            "budget": {"turn_usd": 1},
        },
    )

    def with_flags(**flags: Any) -> Any:
        named = {key.replace("__", "."): value for key, value in flags.items()}
        return load(paths, {}, named, registry=registry)

    free = with_flags(model__default="m", model__provider="p", display__personality="noir").config
    assert (free.model.default, free.model.provider, free.display.personality) == ("m", "p", "noir")
    narrow = with_flags(toolsets=("file",), agent__max_turns=3, budget__turn_usd=0.5).config
    assert (narrow.toolsets, narrow.agent.max_turns, narrow.budget.turn_usd) == (("file",), 3, 0.5)
    # 0 is no cap.
    assert with_flags(budget__turn_usd=0).config.budget.turn_usd == 1
    assert with_flags(budget__day_usd=2).config.budget.day_usd == 2
    wide = with_flags(
        toolsets=("file", "web"),
        agent__max_turns=99,
        budget__turn_usd=5,
        approvals__mode="off",
        terminal__backend="ssh",
        command_allowlist=("x",),
    )
    assert wide.config.toolsets == ("file", "terminal")
    assert wide.config.agent.max_turns == 10
    assert wide.config.budget.turn_usd == 1
    assert wide.config.approvals.mode == "manual"
    assert wide.config.terminal.backend == "local"
    assert wide.config.command_allowlist == ()
    assert len([r for r in wide.warnings if r.text.endswith("the flag is ignored")]) == 6


def test_a_variable_cannot_lift_an_undeclared_gate_either(paths: Paths, registry: Path) -> None:
    register(registry, paths, settings={})
    loaded = load(paths, {"HERMES_YOLO_MODE": "1", "TERMINAL_ENV": "ssh"}, registry=registry)
    assert loaded.config.approvals.mode == "manual"
    assert loaded.config.terminal.backend == "local"


def test_a_home_that_was_moved_is_still_known(paths: Paths, registry: Path) -> None:
    register(registry, paths, settings={"timezone": "Declared"}, home=str(paths.home))
    moved = paths.home.with_name("moved")
    paths.home.rename(moved)
    assert load(Paths(moved), {}, registry=registry).config.timezone == "Declared"


def test_a_home_that_was_made_anew_is_known_by_its_path(paths: Paths, registry: Path) -> None:
    register(registry, paths, inode=1, home=str(paths.home), settings={"timezone": "Declared"})
    assert load(paths, {}, registry=registry).config.timezone == "Declared"


def test_another_home_is_not_managed(paths: Paths, registry: Path, tmp_path: Path) -> None:
    register(registry, paths)
    other = tmp_path / "other"
    other.mkdir()
    assert find(Paths(other), {}, registry=registry) is None


def _loosen_file(file: Path) -> None:
    file.chmod(0o664)


def _give_file_away(file: Path) -> None:
    os.chown(file, 1234, 1234)


def _loosen_folder(file: Path) -> None:
    file.parent.chmod(0o775)


def _give_parent_away(file: Path) -> None:
    os.chown(file.parent.parent, 1234, -1)


@pytest.mark.parametrize(
    "spoil", [_loosen_file, _give_file_away, _loosen_folder, _give_parent_away]
)
def test_an_entry_that_others_could_have_written_stops_everything(
    paths: Paths, registry: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(register(registry, paths))
    with pytest.raises(ConfigError, match="cannot be trusted"):
        load(paths, {}, registry=registry)


def test_an_entry_that_is_a_link_or_damaged_stops_everything(
    paths: Paths, registry: Path, tmp_path: Path
) -> None:
    file = register(registry, paths)
    elsewhere = file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="Cannot read the registry entry"):
        find(paths, {}, registry=registry)
    file.unlink()
    file.write_text("{torn")
    with pytest.raises(ConfigError, match="is damaged"):
        find(paths, {}, registry=registry)


def test_fewer_toolsets_than_everybody_s_may_be_asked_for_on_one_platform(
    paths: Paths, registry: Path
) -> None:
    register(registry, paths, settings={"toolsets": ["file", "terminal"]})
    narrow = load(paths, {}, {"platform_toolsets.cli": ("file",)}, registry=registry)
    assert narrow.config.platform_toolsets == {"cli": ("file",)}
    wide = load(paths, {}, {"platform_toolsets.cli": ("file", "web")}, registry=registry)
    assert wide.config.platform_toolsets == {}
    assert "platform_toolsets.cli is for NixOS to set" in wide.warnings[-1].text


LIFTING = [
    "TELEGRAM_ALLOWED_USERS",
    "TELEGRAM_ALLOW_ALL_USERS",
    "GATEWAY_ALLOWED_USERS",
    "GATEWAY_ALLOW_ALL_USERS",
    "EMAIL_AUTHSERV_ID",
    "API_SERVER_ENABLED",
    "API_SERVER_KEY",
    "API_SERVER_HOST",
    "WEBHOOK_SECRET",
    "HERMES_YOLO_MODE",
    "HERMES_REDACT_SECRETS",
    "HERMES_WRITE_SAFE_ROOT",
    "TERMINAL_ENV",
    "OPENAI_BASE_URL",
    "HTTPS_PROXY",
    "CREDENTIALS_DIRECTORY",
]


@pytest.mark.parametrize("name", LIFTING)
def test_in_a_declared_home_env_file_lets_nobody_in_and_lifts_nothing(
    paths: Paths, registry: Path, name: str
) -> None:
    register(registry, paths, settings={})
    paths.env_file.write_text(f"{name}=true\n")
    loaded = load(paths, {}, registry=registry)
    assert name not in loaded.environ
    assert any(r.kind == "refused" and name in r.text for r in loaded.warnings)
    inherited = load(paths, {name: "/usr"}, registry=registry)
    assert inherited.environ[name] == "/usr"


def test_in_a_declared_home_env_file_adds_keys_and_outranks_none(
    paths: Paths, registry: Path
) -> None:
    register(registry, paths, settings={})
    paths.env_file.write_text("OPENAI_API_KEY=stale-key\nGROQ_API_KEY=added-key\nSAME_TOKEN=x\n")
    loaded = load(paths, {"OPENAI_API_KEY": "fresh-key", "SAME_TOKEN": "x"}, registry=registry)
    assert loaded.environ["OPENAI_API_KEY"] == "fresh-key"
    assert loaded.environ["GROQ_API_KEY"] == "added-key"
    assert dict(loaded.env_file) == {"GROQ_API_KEY": "added-key"}
    assert [r.key for r in loaded.warnings] == ["OPENAI_API_KEY"]


def test_without_a_declaration_env_file_sets_what_it_always_set(paths: Paths) -> None:
    paths.env_file.write_text("TELEGRAM_ALLOWED_USERS=1\nOPENAI_API_KEY=mine\n")
    for environ in ({}, {"HERMES_MANAGED": "true"}):
        loaded = load(paths, {"OPENAI_API_KEY": "theirs", **environ}, registry=paths.home / "none")
        assert loaded.environ["TELEGRAM_ALLOWED_USERS"] == "1"
        assert loaded.environ["OPENAI_API_KEY"] == "mine"


GATES = {
    "approvals.mode": "approvals: {mode: off}\n",
    "security.redact_secrets": "security: {redact_secrets: false}\n",
    "command_allowlist": "command_allowlist: [rm]\n",
    "terminal.backend": "terminal: {env_type: ssh}\n",
    "terminal.env_passthrough": "terminal: {env_passthrough: [OPENAI_API_KEY]}\n",
    "platforms.telegram.extra.owners": "platforms: {telegram: {extra: {owners: [6]}}}\n",
    "platforms.email.extra.authserv_id": "platforms: {email: {extra: {authserv_id: evil}}}\n",
    "platforms.webhook.extra.routes": "platforms: {webhook: {extra: {routes: [{name: x}]}}}\n",
}


@pytest.mark.parametrize("key", GATES)
def test_in_a_declared_home_config_yaml_lifts_nothing_of_which_the_declaration_is_silent(
    paths: Paths, registry: Path, key: str
) -> None:
    paths.config_file.write_text(GATES[key] + "timezone: UTC\n")
    register(registry, paths, settings={"model": "m"})
    loaded = load(paths, {}, registry=registry)
    assert key not in loaded.origins
    assert loaded.config.timezone == "UTC"
    assert [(r.kind, r.key) for r in loaded.warnings if r.kind != "legacy" and r.key != "A"] == [
        ("refused", key)
    ]
    assert key in load(paths, {}, registry=registry.parent / "none").origins


def test_the_written_copy_of_what_is_declared_is_no_reason_to_warn(
    paths: Paths, registry: Path
) -> None:
    declared = {
        "approvals": {"mode": "manual"},
        "platforms": {"telegram": {"extra": {"owners": [7]}}},
    }
    paths.env_file.unlink()
    paths.config_file.write_text(
        "approvals: {mode: manual}\n"
        "platforms: {telegram: {token: a-literal-secret, extra: {owners: [7]}}}\n"
    )
    register(registry, paths, settings=declared)
    loaded = load(paths, {}, registry=registry)
    assert loaded.warnings == ()
    token = loaded.config.platforms["telegram"].token
    assert token is not None
    assert token.reveal() == "a-literal-secret"
