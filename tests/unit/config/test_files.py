"""Files are replaced whole or not at all; the home is made with tight modes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.config.home import FOLDERS, prepare, tighten
from hermes_agent.config.managed import Managed, manager_named
from hermes_agent.config.paths import Paths

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_a_new_file_gets_exactly_its_mode(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        write_atomically(tmp_path / "a", b"x", 0o664)
    finally:
        os.umask(mask)
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o664


@AS_ROOT
def test_an_existing_file_keeps_owner_group_and_mode(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    os.chown(file, 1234, 4321)
    file.chmod(0o660)
    write_atomically(file, b"new")
    about = file.stat()
    assert file.read_bytes() == b"new"
    assert (about.st_uid, about.st_gid, about.st_mode & 0o7777) == (1234, 4321, 0o660)


@AS_ROOT
def test_a_new_file_in_a_setgid_folder_gets_its_group(tmp_path: Path) -> None:
    os.chown(tmp_path, -1, 4321)
    tmp_path.chmod(0o2770)
    write_atomically(tmp_path / "a", b"x", 0o660)
    assert (tmp_path / "a").stat().st_gid == 4321


def test_a_link_of_one_s_own_is_followed_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    (tmp_path / "link").symlink_to(target)
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert target.read_bytes() == b"new"


@AS_ROOT
def test_a_link_that_someone_else_planted_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    (tmp_path / "link").symlink_to(target)
    os.lchown(tmp_path / "link", 1234, 1234)
    with pytest.raises(NotWritten):
        write_atomically(tmp_path / "link", b"new")
    assert target.read_bytes() == b"old"


LIMITED = """
import resource, sys
from pathlib import Path
from hermes_agent.config.files import NotWritten, write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), b"x" * 5000)
except NotWritten as error:
    sys.exit(f"{error.message} / {error.hint}")
"""


def test_a_file_that_grows_too_large_leaves_the_old_one_whole(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, str(file)], capture_output=True, text=True, check=False
    )
    assert result.stderr.strip() == (
        f"Cannot write {file}: File too large / The old file is unchanged."
    )
    assert file.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir() if not p.is_dir()] == ["a"]


def test_a_home_is_made_with_tight_modes_and_a_soul(home: Path) -> None:
    mask = os.umask(0)
    try:
        prepare(Paths(home))
    finally:
        os.umask(mask)
    assert home.stat().st_mode & 0o7777 == 0o700
    for name in FOLDERS:
        assert (home / name).stat().st_mode & 0o7777 == 0o700
    assert (home / "SOUL.md").stat().st_mode & 0o7777 == 0o600
    assert "Hermes" in (home / "SOUL.md").read_text()


def test_what_is_in_a_home_already_stays(home: Path) -> None:
    home.mkdir()
    (home / "SOUL.md").write_text("mine")
    prepare(Paths(home))
    prepare(Paths(home))
    assert (home / "SOUL.md").read_text() == "mine"


def test_in_managed_mode_modes_are_the_declaration_s(home: Path) -> None:
    home.mkdir()
    home.chmod(0o2770)
    (home / "logs").mkdir(mode=0o750)
    (home / "logs").chmod(0o750)
    prepare(Paths(home), Managed(manager_named("nixos"), ".managed"))
    assert (home / "logs").stat().st_mode & 0o7777 == 0o750
    assert (home / "cron").stat().st_mode & 0o7777 == 0o2770
    assert not (home / "SOUL.md").exists()


def test_what_others_could_read_is_closed_to_them(home: Path) -> None:
    prepare(Paths(home))
    (home / ".env").write_text("A=1\n")
    (home / ".env").chmod(0o644)
    home.chmod(0o755)
    assert tighten(Paths(home), {"HERMES_SKIP_CHMOD": "1"}) == []
    assert set(tighten(Paths(home), {})) == {home, home / ".env"}
    assert (home / ".env").stat().st_mode & 0o777 == 0o600
