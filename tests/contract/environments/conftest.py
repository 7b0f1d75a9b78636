"""Every environment that can run here, each with a HERMES_HOME full of secrets."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hermes_agent.environments import TABLE, create
from hermes_agent.environments.bubblewrap import unusable
from hermes_agent.environments.enclosure import Place
from hermes_agent.environments.shell import ShellEnvironment
from hermes_agent.environments.variables import child_variables

SECRET = "sk-a-secret-that-nobody-may-see"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def furnished(home: Path) -> Path:
    """HERMES_HOME with something in it."""
    for folder in ("skills", "pairing", "hooks/mine", "plugins/mine"):
        (home / folder).mkdir(parents=True)
    for name in (".env", "auth.json", "config.yaml", "state.db", "state.db-wal"):
        (home / name).write_text(SECRET)
    (home / "pairing/telegram-approved.json").write_text(SECRET)
    (home / "skills/greet.md").write_text("say hello")
    return home


@pytest.fixture
def place(work: Path, furnished: Path) -> Place:
    environ = {**os.environ, "OPENAI_API_KEY": SECRET}
    return Place(
        cwd=str(work), variables=child_variables(environ), home=furnished, output_chars=50_000
    )


def skip_without(name: str) -> None:
    if name == "bubblewrap" and (reason := unusable()):
        pytest.skip(f"NOT TESTED: bubblewrap does not work here: {reason}")


@pytest.fixture(params=sorted(TABLE))
async def environment(
    request: pytest.FixtureRequest, place: Place
) -> AsyncIterator[ShellEnvironment]:
    name: str = request.param
    skip_without(name)
    made = create(name, place)
    yield made
    await made.close()


async def until(true: Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait for it, and fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def running(mark: str) -> list[int]:
    """The living processes of this machine with `mark` in their command line, or, for a pid
    given as `mark`, that one."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark.encode() in line and state not in "ZX":
            found.append(int(entry.name))
    return found
