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
    assert len([r for r in wide.warnings if r.kind == "refused"]) == 6


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
