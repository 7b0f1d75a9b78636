from pathlib import Path

import pytest

from hermes_agent.environments.view import View


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("seen", "home/shown", "home/private", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def view(root: Path) -> View:
    return View(
        [
            (f"{root}/moved", f"{root}/elsewhere"),
            (f"{root}/home", None),
            (f"{root}/home/shown", f"{root}/home/shown"),
        ]
    )


def test_a_moved_directory_is_found_elsewhere(view: View, root: Path) -> None:
    assert view.resolve(f"{root}/moved/a") == (f"{root}/moved/a", f"{root}/elsewhere/a")


@pytest.mark.parametrize(
    "path", ["home", "home/private", "home/shown/../private", "seen/../home/./x", "seen/link"]
)
def test_what_is_hidden_cannot_be_named(view: View, root: Path, path: str) -> None:
    (root / "seen/link").symlink_to("../home/private")
    with pytest.raises(PermissionError):
        view.resolve(f"{root}/{path}")


def test_a_shown_part_of_a_hidden_directory_is_seen(view: View, root: Path) -> None:
    assert view.resolve(f"{root}/home/shown/a")[1] == f"{root}/home/shown/a"


def test_links_lead_where_they_lead_inside(view: View, root: Path) -> None:
    (root / "elsewhere/link").symlink_to(f"{root}/moved/target")
    assert view.resolve(f"{root}/moved/link")[1] == f"{root}/elsewhere/target"
    (root / "elsewhere/up").symlink_to("../seen")
    assert view.resolve(f"{root}/moved/up/x")[1] == f"{root}/seen/x"


def test_a_circle_is_an_error(view: View, root: Path) -> None:
    (root / "seen/a").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        view.resolve(f"{root}/seen/a")


def test_the_root_is_the_root(view: View) -> None:
    assert view.resolve("/../..") == ("/", "/")
