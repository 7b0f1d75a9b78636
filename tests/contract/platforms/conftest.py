"""One suite for every platform.

A platform joins by one file here, `harness_<name>.py` (no line anywhere else), with

    def harness(folder: Path) -> AbstractAsyncContextManager[Harness]: ...
    FEATURES: frozenset[Feature]

`<name>` is that of `platforms/table.py`, `folder` is empty and the harness's own. Entering it
starts the platform's server on a free loopback port (a fake of `tests/servers/`, or the real
program), leaving it ends the server and everything it started. See `harness.py` for what a
harness does. A method of a feature that is not in `FEATURES` is never called and may raise
`NotImplementedError`.

A test that needs features says `@pytest.mark.needs("edits", "sees")` and runs on the platforms
that have them all; without the mark it runs on all. The module is imported when tests are
collected: keep its imports light, and call `pytest.skip("NOT TESTED: ...")` inside `harness` when
a program that it needs is not on this machine.

`platform` settings that make waiting shorter, such as a poll's time-out, belong in
`Harness.settings`.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path

import pytest

from hermes_agent.platforms.base import PlatformSettings
from tests.contract.platforms.door import RecordingDoor
from tests.contract.platforms.harness import Feature, Harness

_FILES = sorted(Path(__file__).parent.glob("harness_*.py"))
PLATFORMS = {
    path.stem.removeprefix("harness_"): import_module(f"{__package__}.{path.stem}")
    for path in _FILES
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*features): of the contract of platforms")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "harness" not in metafunc.fixturenames:
        return
    needed: set[Feature] = set()
    for mark in metafunc.definition.iter_markers("needs"):
        needed |= set(mark.args)
    able = [name for name, module in PLATFORMS.items() if needed <= module.FEATURES]
    metafunc.parametrize("harness", able, indirect=True)


@pytest.fixture
async def harness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Harness]:
    """The platform's server, with a person before it."""
    folder = tmp_path / "server"
    folder.mkdir()
    enter: Callable[[Path], AbstractAsyncContextManager[Harness]]
    enter = PLATFORMS[request.param].harness
    async with enter(folder) as entered:
        yield entered


@pytest.fixture
def settings(harness: Harness, tmp_path: Path) -> PlatformSettings:
    """What the adapter is made from."""
    return harness.settings(tmp_path / "media")


@pytest.fixture
def wrong_settings(harness: Harness, tmp_path: Path) -> PlatformSettings:
    """The same with credentials that the server refuses."""
    return harness.settings(tmp_path / "media", wrong=True)


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()
