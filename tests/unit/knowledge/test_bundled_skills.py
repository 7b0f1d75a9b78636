"""The skills that come with the program."""

from pathlib import Path

import pytest

from hermes_agent.knowledge.skills.bundled import MANIFEST, seed, source
from hermes_agent.knowledge.skills.shelf import Shelf
from hermes_agent.policy.injection import suspicion

TEXT = "---\nname: {0}\ndescription: Version {1}.\n---\nDo it.\n"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / "origin/work" / name).mkdir(parents=True)
    release(tmp_path / "origin", 1)
    return tmp_path / "origin"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "skills"


def release(origin: Path, version: int) -> None:
    for place in (origin / "work").iterdir():
        (place / "SKILL.md").write_text(TEXT.format(place.name, "1" * version))


def test_our_own_are_all_sound() -> None:
    shelf = Shelf((source({}),))
    skills = shelf.all()
    assert shelf.problems == []
    assert len(skills) >= 12
    for name, skill in skills.items():
        assert skill.folder.name == name
        assert suspicion(shelf.view(name).text) is None
        assert shelf.view(name).text.count("\n") < 60


def test_a_new_home_gets_them_and_the_manifest_names_them(origin: Path, home: Path) -> None:
    assert seed(origin, home) == ["one", "two"]
    assert sorted(Shelf((home,)).all()) == ["one", "two"]
    assert [line.split(":")[0] for line in (home / MANIFEST).read_text().split()] == ["one", "two"]
    assert seed(origin, home) == []


def test_what_nobody_touched_follows_a_new_version(origin: Path, home: Path) -> None:
    seed(origin, home)
    release(origin, 2)
    assert seed(origin, home) == ["one", "two"]
    assert "Version 11" in (home / "work/one/SKILL.md").read_text()


def test_edits_and_deletions_are_respected(origin: Path, home: Path) -> None:
    seed(origin, home)
    mine = home / "work/one/SKILL.md"
    mine.write_text(mine.read_text() + "My own step.\n")
    (home / "work/two/SKILL.md").unlink()
    (home / "work/two").rmdir()
    release(origin, 2)
    assert seed(origin, home) == []
    assert "My own step" in mine.read_text()
    assert not (home / "work/two").exists()


def test_a_skill_of_the_same_name_that_was_there_before_stays(origin: Path, home: Path) -> None:
    (home / "work/one").mkdir(parents=True)
    (home / "work/one/SKILL.md").write_text(TEXT.format("one", "mine"))
    assert seed(origin, home) == ["two"]
    assert "mine" in (home / "work/one/SKILL.md").read_text()


def test_a_new_one_does_not_stand_beside_a_skill_of_its_name(origin: Path, home: Path) -> None:
    (home / "own/one").mkdir(parents=True)
    (home / "own/one/SKILL.md").write_text(TEXT.format("one", "mine"))
    assert seed(origin, home) == ["two"]
    assert Shelf((home,)).get("one").description == "Version mine."


def test_a_new_version_of_the_same_length_is_noticed(origin: Path, home: Path) -> None:
    seed(origin, home)
    path = origin / "work/one/SKILL.md"
    path.write_text(path.read_text().replace("Do it.", "Do so."))
    assert seed(origin, home) == ["one"]
    assert "Do so." in (home / "work/one/SKILL.md").read_text()


def test_a_skill_that_could_not_be_renewed_stays_and_is_renewed_later(
    origin: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(origin, home)
    release(origin, 2)
    with monkeypatch.context() as patched:
        patched.setattr("shutil.copytree", full)
        assert seed(origin, home) == []
    assert "Version 1." in (home / "work/one/SKILL.md").read_text()
    assert not list(home.rglob(".seeding-*"))
    assert seed(origin, home) == ["one", "two"]


def full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_the_manifest_of_an_earlier_system_is_kept(origin: Path, home: Path) -> None:
    home.mkdir()
    (home / MANIFEST).write_text("theirs:0123456789abcdef0123456789abcdef\n")
    seed(origin, home)
    assert "theirs:0123456789abcdef0123456789abcdef\n" in (home / MANIFEST).read_text()


def test_files_from_a_read_only_store_can_be_edited(origin: Path, home: Path) -> None:
    for path in origin.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    seed(origin, home)
    assert (home / "work/one/SKILL.md").stat().st_mode & 0o200
    for path in origin.rglob("*"):
        path.chmod(0o755)
