"""One machine for all tests here; each test brings its own users or units."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd import host
from tests.systemd.machine import ROOT, Machine, why_not


@pytest.fixture(scope="session")
def systemd_root() -> Path:
    """The Debian that machines are made of."""
    missing = why_not()
    if missing:
        pytest.skip(f"NO REAL SYSTEMD IS TESTED: {missing}")
    made = subprocess.run(
        [ROOT / "scripts" / "prepare-systemd-root"], stdout=subprocess.PIPE, text=True, check=True
    )
    return Path(made.stdout.strip())


@pytest.fixture(scope="session")
def machine(systemd_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(systemd_root, tmp_path_factory.mktemp("machine"))
    yield machine
    machine.close()


@pytest.fixture(scope="module")
def deployed(machine: Machine) -> Iterator[Machine]:
    """The machine with the deployment of `tests.systemd.host`."""
    with host.deployment(machine):
        yield machine
