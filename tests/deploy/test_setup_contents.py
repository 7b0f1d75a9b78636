"""What the declaration puts into the state directory: config.yaml, auth.json, documents."""

import json
import os
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hermes_agent.config.schema import CONFIG_VERSION
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.domain.errors import ConfigError
from tests.deploy.ground import Ground, seen


def config(ground: Ground) -> dict[str, object]:
    return yaml.safe_load(ground.config.read_text())


def test_declared_keys_win_own_keys_stay_and_undeclared_ones_leave(ground: Ground) -> None:
    ground.prepare(settings={"timezone": "UTC", "terminal": {"timeout": 5, "backend": "local"}})
    text = ground.config.read_text() + "# mine\nmemory:\n  memory_enabled: false\n"
    ground.config.write_text(text.replace("UTC", "Mine"))
    ground.prepare(settings={"timezone": "UTC", "terminal": {"backend": "local"}})
    assert config(ground) == {
        "timezone": "UTC",
        "terminal": {"backend": "local"},
        "memory": {"memory_enabled": False},
        "_config_version": CONFIG_VERSION,
    }
    assert "# mine" in ground.config.read_text()


def test_within_one_generation_the_file_belongs_to_the_agent(ground: Ground) -> None:
    spec = ground.spec(settings={"timezone": "UTC"})
    ground.prepare(spec)
    ground.config.write_text("timezone: Mine\n")
    ground.prepare(spec)
    assert ground.config.read_text() == "timezone: Mine\n"


def test_a_state_directory_that_was_wiped_is_filled_again(ground: Ground) -> None:
    spec = ground.spec(settings={"timezone": "UTC"}, documents={"A.md": {"text": "a"}})
    ground.prepare(spec)
    subprocess.run(["rm", "-rf", ground.state], check=True)
    assert ground.prepare(spec).changed
    assert config(ground)["timezone"] == "UTC"
    assert (ground.state / "workspace" / "A.md").exists()


def test_a_home_that_was_restored_from_a_copy_still_loses_what_left_the_declaration(
    ground: Ground,
) -> None:
    ground.prepare(settings={"timezone": "UTC"}, documents={"A.md": {"text": "a"}})
    ground.home.rename(ground.state / "old")
    subprocess.run(["cp", "-a", ground.state / "old", ground.home], check=True)
    ground.prepare(settings={"max_turns": 5})
    assert config(ground) == {"max_turns": 5, "_config_version": CONFIG_VERSION}
    assert not (ground.state / "workspace" / "A.md").exists()


def test_a_deleted_config_file_comes_back(ground: Ground) -> None:
    spec = ground.spec(settings={"timezone": "UTC"})
    ground.prepare(spec)
    ground.config.unlink()
    ground.prepare(spec)
    assert config(ground)["timezone"] == "UTC"


def test_a_config_file_replaces_settings_outright(ground: Ground) -> None:
    ground.prepare(settings={"timezone": "UTC"})
    text = "# all mine\nmax_turns: 3\n"
    path = ground.file("config.yaml", text)
    ground.prepare(configFile=path, settings={"timezone": "UTC"})
    assert ground.config.read_text() == text
    entry = json.loads((ground.roots.registry / "homes" / "hermes-agent.json").read_text())
    assert entry["settings"] == {"max_turns": 3}
    ground.prepare(settings={"timezone": "UTC"})
    assert config(ground) == {"timezone": "UTC", "_config_version": CONFIG_VERSION}


@pytest.mark.parametrize("text", ["a: [", "max_turns: many\n", "- a list\n"])
def test_an_unusable_config_file_is_a_fault_of_the_configuration(ground: Ground, text: str) -> None:
    path = ground.file("config.yaml", text)
    with pytest.raises(ConfigError, match=r"config\.yaml") as caught:
        ground.prepare(configFile=path)
    assert caught.value.exit_code == 78
    assert not ground.state.exists()


@pytest.mark.parametrize("content", [b"a: [\n", b"\xff\xfe", b"- list\n", b"a: !!python/x 1\n"])
def test_a_damaged_config_file_is_kept_beside_the_new_one(ground: Ground, content: bytes) -> None:
    for number in (1, 2):
        ground.prepare(settings={"timezone": f"Z{number}"})
        ground.config.write_bytes(content)
        done = ground.prepare(settings={"timezone": f"New{number}"})
        assert config(ground)["timezone"] == f"New{number}"
        kept = ground.home / f"config.yaml.damaged-{number}"
        assert kept.read_bytes() == content
        assert any(kept.name in text for text in done.warnings)


def test_the_number_of_kept_files_is_bounded_and_the_error_says_what_to_do(
    ground: Ground,
) -> None:
    for number in range(9):
        ground.prepare(settings={"timezone": f"Z{number}"})
        ground.config.write_bytes(b"a: [\n")
    ground.prepare(settings={"timezone": "last"})
    ground.config.write_bytes(b"a: [\n")
    with pytest.raises(SetupFailed, match="9 older copies"):
        ground.prepare(settings={"timezone": "one too many"})


def test_aliases_cost_the_comments_and_a_warning_says_so(ground: Ground) -> None:
    ground.prepare(settings={"terminal": {"timeout": 5}})
    ground.config.write_text("# c\nb: &b {timeout: 5}\nterminal:\n  <<: *b\n  mine: 1\n")
    done = ground.prepare(settings={"timezone": "UTC"})
    assert config(ground)["terminal"] == {"mine": 1}
    assert any("without its comments" in text for text in done.warnings)


def test_a_present_version_is_left(ground: Ground) -> None:
    ground.prepare()
    ground.config.write_text("_config_version: 3\n")
    ground.prepare(settings={"timezone": "UTC"})
    assert config(ground)["_config_version"] == 3


# auth.json ---------------------------------------------------------------------------------


def test_a_refreshed_token_survives_restarts_and_other_changes(ground: Ground) -> None:
    seed = ground.file("auth.json", '{"token": "seed"}')
    auth = ground.home / "auth.json"
    ground.prepare(authFile=seed)
    assert (auth.read_text(), stat.S_IMODE(auth.stat().st_mode)) == ('{"token": "seed"}', 0o600)
    auth.write_text('{"token": "refreshed"}')
    ground.prepare(authFile=seed)
    ground.prepare(authFile=seed, settings={"timezone": "UTC"})
    assert auth.read_text() == '{"token": "refreshed"}'


def test_a_forced_overwrite_happens_once_for_each_generation(ground: Ground) -> None:
    seed = ground.file("auth.json", '{"token": "seed"}')
    auth = ground.home / "auth.json"
    spec = ground.spec(authFile=seed, authFileForceOverwrite=True)
    ground.prepare(spec)
    for _ in range(2):
        auth.write_text('{"token": "refreshed"}')
        ground.prepare(spec)
        assert auth.read_text() == '{"token": "refreshed"}'
    ground.file("auth.json", '{"token": "new seed"}')
    ground.prepare(spec)
    assert auth.read_text() == '{"token": "new seed"}'


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00"])
def test_an_auth_file_that_is_no_json_object_is_named(ground: Ground, content: str) -> None:
    path = ground.file("auth.json", content)
    with pytest.raises(SetupFailed, match="not a JSON object"):
        ground.prepare(authFile=path)
    assert not ground.state.exists()


# documents ---------------------------------------------------------------------------------


def test_documents_are_text_or_copies_in_the_working_directory_and_below(ground: Ground) -> None:
    source = ground.file("USER.md", "from a file\n")
    ground.prepare(
        documents={
            "SOUL.md": {"text": "kind"},
            "USER.md": {"path": source},
            "notes/2024/first.md": {"text": "EOF\n$HOME `id`\n"},
            "-odd name'\".md": {"text": ""},
            "🙂" * 60 + ".md": {"text": "long"},
        }
    )
    work = ground.state / "workspace"
    assert (work / "SOUL.md").read_text() == "kind"
    assert (ground.home / "SOUL.md").read_text() == "kind"
    assert (work / "USER.md").read_text() == "from a file\n"
    assert not (ground.home / "USER.md").exists()
    assert (work / "notes/2024/first.md").read_text() == "EOF\n$HOME `id`\n"
    assert (work / "-odd name'\".md").read_text() == ""
    assert stat.S_IMODE((work / "notes").stat().st_mode) == 0o2770


def test_a_document_that_is_no_longer_declared_goes_unless_the_agent_changed_it(
    ground: Ground,
) -> None:
    documents = {name: {"text": name} for name in ("SOUL.md", "kept.md", "a/changed.md", "b/x.md")}
    ground.prepare(documents=documents)
    work = ground.state / "workspace"
    (work / "a/changed.md").write_text("the agent's words")
    ground.prepare(documents={"kept.md": {"text": "kept.md"}})
    left = sorted(str(p.relative_to(work)) for p in work.rglob("*") if p.is_file())
    assert left == ["a/changed.md", "kept.md"]
    assert not (ground.home / "SOUL.md").exists()


def test_within_one_generation_documents_belong_to_the_agent(ground: Ground) -> None:
    spec = ground.spec(documents={"USER.md": {"text": "declared"}})
    ground.prepare(spec)
    document = ground.state / "workspace" / "USER.md"
    document.write_text("learned")
    ground.prepare(spec)
    assert document.read_text() == "learned"
    ground.prepare(documents={"USER.md": {"text": "declared anew"}})
    assert document.read_text() == "declared anew"


def test_a_missing_document_is_named_and_nothing_is_written(ground: Ground) -> None:
    with pytest.raises(SetupFailed, match="Cannot read the document /nonexistent/x"):
        ground.prepare(documents={"x": {"path": "/nonexistent/x"}})
    assert not ground.state.exists()


# What stands in the way --------------------------------------------------------------------


def plant(path: Path, kind: str, victim: Path) -> None:
    """Put something where a file belongs."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "dangling":
        path.symlink_to(victim.parent / "not-there")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            os.chdir(path.parent)
            one.bind(path.name)
    elif kind == "directory":
        (path / "inner").mkdir(parents=True)
    elif kind == "device":
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    elif kind == "hard link":
        path.hardlink_to(victim)
    elif kind == "giant":
        with path.open("wb") as file:
            file.truncate(2**40)


KINDS = ["link", "dangling", "pipe", "socket", "directory", "device", "hard link", "giant"]
FILES = [".hermes/config.yaml", ".hermes/.managed", ".hermes/auth.json", ".hermes/SOUL.md",
         "workspace/SOUL.md", "workspace/sub/USER.md"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FILES)
def test_whatever_stands_in_a_file_s_place_gives_way(
    ground: Ground, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ground.folder)
    victim = Path(ground.file("victim", '{"secret": 1}\n'))
    keys: dict[str, Any] = {
        "authFile": ground.file("auth.json", "{}"),
        "authFileForceOverwrite": True,
        "documents": {"SOUL.md": {"text": "s"}, "sub/USER.md": {"text": "u"}},
    }
    ground.prepare(**keys)
    good = (ground.state / name).read_text()
    before = seen(victim)
    plant(ground.state / name, kind, victim)
    changed_by_link = seen(victim)
    ground.prepare(**keys, settings={"timezone": "UTC"})
    path = ground.state / name
    assert path.is_file()
    assert not path.is_symlink()
    assert path.stat().st_uid == ground.uid
    assert good in path.read_text() or "UTC" in path.read_text()
    if kind == "hard link":
        # Its number of names changed, and with it the time of that.
        assert victim.read_text() == '{"secret": 1}\n'
        assert victim.stat().st_uid == 0
        assert changed_by_link["."][3] == before["."][3]
    else:
        assert seen(victim) == before


@pytest.mark.parametrize("kind", ["link", "pipe", "device", "giant"])
def test_what_stands_in_a_folder_s_place_is_said(
    ground: Ground, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ground.folder)
    victim = ground.folder / "victim"
    victim.mkdir()
    ground.prepare()
    plant(ground.home / "logs", kind, victim)
    done = ground.prepare()
    assert any("logs is" in text for text in done.warnings)
    if kind != "link":
        assert (ground.home / "logs").is_dir()
        assert (ground.home / "logs.displaced-1").lstat()
    plant(ground.state / "workspace", kind, victim)
    with pytest.raises(SetupFailed, match=r"workspace is .*, but a directory belongs there"):
        ground.prepare()
    (ground.state / "workspace").unlink()
    ground.home.rename(ground.state / "moved")
    plant(ground.home, kind, victim)
    with pytest.raises(SetupFailed, match=r"\.hermes is .*, but a directory belongs there"):
        ground.prepare()
    assert list(victim.iterdir()) == []


def test_immutable_files_are_an_error_that_names_the_way_out(ground: Ground) -> None:
    ground.prepare()
    if subprocess.run(["chattr", "+i", ground.config], check=False).returncode:
        pytest.skip("NOTHING IS SAID OF IMMUTABLE FILES: chattr does not work here")
    try:
        with pytest.raises(SetupFailed, match=r"Cannot write .*config\.yaml") as caught:
            ground.prepare(settings={"timezone": "UTC"})
        assert "lsattr" in str(caught.value.hint)
    finally:
        subprocess.run(["chattr", "-i", ground.config], check=True)
    assert ground.prepare(settings={"timezone": "UTC"}).changed


def test_a_disk_that_fills_up_in_the_middle_leaves_old_files_whole_and_the_next_start_finishes(
    ground: Ground,
) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=120k,mode=750", "none"]
    ground.prepare()
    subprocess.run(["rm", "-rf", ground.state], check=True)
    ground.state.mkdir()
    subprocess.run([*mount, ground.state], check=True)
    try:
        ground.own(ground.state)
        first = {"timezone": "UTC"}
        ground.prepare(settings=first, documents={"A.md": {"text": "old"}})
        document = ground.state / "workspace" / "A.md"
        more: dict[str, Any] = {
            "settings": {"timezone": "Mars"},
            "documents": {"A.md": {"text": "x" * 90_000}},
        }
        (ground.state / "filler").write_bytes(b"x" * 30_000)
        with pytest.raises(SetupFailed, match="No space left") as caught:
            ground.prepare(**more)
        assert "room" in str(caught.value.hint)
        assert document.read_text() == "old"
        assert not list(ground.state.rglob("*.tmp"))
        (ground.state / "filler").unlink()
        assert ground.prepare(**more).changed
        assert len(document.read_text()) == 90_000
        assert config(ground)["timezone"] == "Mars"
        assert not ground.prepare(**more).changed
    finally:
        subprocess.run(["umount", ground.state], check=True)


def test_a_read_only_registry_is_said(ground: Ground) -> None:
    etc = ground.roots.registry
    etc.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,mode=755", "none", etc], check=True)
    try:
        with pytest.raises(SetupFailed, match=r"Cannot make the directory .*Read-only") as caught:
            ground.prepare()
        assert "immutable /etc" in str(caught.value.hint)
    finally:
        subprocess.run(["umount", etc], check=True)
    assert not ground.state.exists()
