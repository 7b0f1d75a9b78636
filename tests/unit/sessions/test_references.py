"""References in what a person types, read through a real environment and a real guard."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hermes_agent.domain.ports import Environment
from hermes_agent.environments import create
from hermes_agent.environments.enclosure import Place
from hermes_agent.policy.paths import PathGuard
from hermes_agent.sessions.references import MAX_CHARS, expand_references


@pytest.fixture
def folder(tmp_path: Path, home: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "with space.txt").write_text("spacious")
    (folder / "notes:12").write_text("a name like a range")
    (folder / "binary").write_bytes(b"\x7fELF\0\0")
    (folder / "empty").touch()
    home.mkdir()
    return folder


@pytest.fixture
async def environment(folder: Path, home: Path) -> AsyncIterator[Environment]:
    variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder.parent)}
    environment = create("local", Place(cwd=str(folder), variables=variables, home=home))
    yield environment
    await environment.close()


@pytest.fixture
def guard(folder: Path, home: Path) -> PathGuard:
    return PathGuard(home=str(folder.parent / "user"), hermes_home=str(home), cwd=str(folder))


async def added(text: str, environment: Environment, guard: PathGuard) -> str:
    """What is put below the text, which stays as it is."""
    expanded = await expand_references(text, environment, guard)
    assert expanded.startswith(text)
    return expanded.removeprefix(text).strip()


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("nothing here, not@file:a.txt", ""),
        ("see @file:a.txt.", "[@file:a.txt]\none\ntwo\nthree"),
        ("@file:a.txt:2", "[@file:a.txt:2]\ntwo"),
        ("lines @file:a.txt:2-3, please", "[@file:a.txt:2-3]\ntwo\nthree"),
        ("@file:a.txt:9", "[@file:a.txt:9]\n(there is no line 9)"),
        ('@file:"with space.txt"', '[@file:"with space.txt"]\nspacious'),
        ('@file:"a.txt":1', '[@file:"a.txt":1]\none'),
        ("@file:notes:12", "[@file:notes:12]\na name like a range"),
        ("@file:binary", "[@file:binary]\n(a binary file)"),
        ("@file:empty", "[@file:empty]\n(empty)"),
        ("@file:none", "[@file:none]\n(not readable: No such file or directory)"),
        ("@file:a.txt @file:a.txt", "[@file:a.txt]\none\ntwo\nthree"),
    ],
)
async def test_files(text: str, below: str, environment: Environment, guard: PathGuard) -> None:
    assert await added(text, environment, guard) == below


async def test_a_folder_is_listed(environment: Environment, guard: PathGuard) -> None:
    listed = await added("@folder:.", environment, guard)
    assert listed.startswith("[@folder:.]\n")
    assert "with space.txt" in listed


async def test_what_the_agent_may_not_read_no_reference_reads(
    environment: Environment, guard: PathGuard, home: Path, folder: Path
) -> None:
    (home / ".env").write_text("KEY=hunter2")
    (folder / "link").symlink_to(home / ".env")
    for text in (f"@file:{home}/.env", "@file:link"):
        below = await added(text, environment, guard)
        assert "hunter2" not in below
        assert "not readable" in below


async def test_long_files_are_cut_with_a_note(
    environment: Environment, guard: PathGuard, folder: Path
) -> None:
    (folder / "long").write_text("x" * (MAX_CHARS + 10))
    below = await added("@file:long", environment, guard)
    assert below.endswith("[… 10 characters left out …]")


async def test_what_git_says(environment: Environment, guard: PathGuard, folder: Path) -> None:
    def git(*argv: str) -> None:
        who = ["-c", "user.name=n", "-c", "user.email=e@x"]
        subprocess.run(["git", *who, *argv], cwd=folder, check=True, capture_output=True)

    assert "not a git repository" in (await added("@diff", environment, guard)).lower()
    git("init", "-q")
    git("add", "a.txt")
    git("commit", "-q", "-m", "The first")
    (folder / "a.txt").write_text("one\nzwei\nthree\n")
    assert "+zwei" in await added("look at @diff.", environment, guard)
    assert "(nothing)" in await added("@staged", environment, guard)
    git("add", "a.txt")
    assert "+zwei" in await added("@staged", environment, guard)
    assert "The first" in await added("@git:1", environment, guard)
