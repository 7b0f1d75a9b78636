"""Every environment that can run here, each with a HERMES_HOME full of secrets."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from hermes_agent.environments import TABLE, Workroom, create
from hermes_agent.environments.bubblewrap import unusable
from hermes_agent.environments.enclosure import Place
from hermes_agent.environments.options import ContainerOptions, SshOptions
from hermes_agent.environments.variables import child_variables
from tests.contract.environments.engines import IMAGE, Engine, Sshd, missing

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


HERE = ("local", "bubblewrap")
DISTANT = ("docker", "podman", "ssh")


def skip_without(name: str) -> None:
    """Loudly, where this machine has not got it."""
    reason = unusable() if name == "bubblewrap" else missing(name) if name in DISTANT else ""
    if reason:
        pytest.skip(f"NOT TESTED: {name} does not work here: {reason}")


@pytest.fixture(scope="session")
def others() -> Iterator[dict[str, Engine | Sshd]]:
    """The engines and the sshd that were needed so far."""
    started: dict[str, Engine | Sshd] = {}
    yield started
    for each in started.values():
        each.close()


@pytest.fixture
def other(others: dict[str, Engine | Sshd]) -> Callable[[str], Engine | Sshd]:
    """The engine or sshd behind an environment; started with the first test that needs it."""

    def give(name: str) -> Engine | Sshd:
        skip_without(name)
        if name not in others:
            others[name] = Sshd() if name == "ssh" else Engine(name)
        return others[name]

    return give


Furnish = Callable[..., Place]


@pytest.fixture
def furnish(place: Place, work: Path, other: Callable[[str], Engine | Sshd]) -> Furnish:
    """The place for an environment: `work` is there under the same path, whatever it is."""

    def give(name: str, **changed: object) -> Place:
        if name not in DISTANT:
            skip_without(name)
            return msgspec.structs.replace(place, **changed)
        there = other(name)
        programs = there.bin if isinstance(there, Sshd) else there.home
        variables = {**place.variables, "PATH": f"{programs}:{place.variables['PATH']}"}
        options: dict[str, object] = {"variables": variables}
        if isinstance(there, Sshd):
            options["ssh"] = SshOptions(host="there", port=there.port)
        else:
            options["container"] = ContainerOptions(image=IMAGE, volumes=(f"{work}:{work}",))
        return msgspec.structs.replace(place, **{**options, **changed})

    return give


@pytest.fixture(params=sorted(TABLE))
async def environment(request: pytest.FixtureRequest, furnish: Furnish) -> AsyncIterator[Workroom]:
    name: str = request.param
    made = create(name, furnish(name))
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
