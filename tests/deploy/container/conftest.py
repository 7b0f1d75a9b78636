"""Real engines, started once; every test has a deployment of its own."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.container.deployment import Deployment
from tests.deploy.container.engines import ROOT, RealEngine, why_not


@pytest.fixture(scope="session", params=["podman", "docker"])
def engine(request: pytest.FixtureRequest) -> Iterator[RealEngine]:
    backend: str = request.param
    missing = why_not(backend)
    if missing:
        pytest.skip(f"NO REAL {backend.upper()} IS TESTED: {missing}")
    made = subprocess.run(
        [ROOT / "scripts" / "prepare-container-image"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    engine = RealEngine(backend, Path(made.stdout.strip()))
    yield engine
    engine.close()


@pytest.fixture
def deploy(engine: RealEngine) -> Iterator[Callable[[], Deployment]]:
    """Makes deployments; the first is called hermes-agent."""
    made: list[Deployment] = []

    def make() -> Deployment:
        name = "hermes-agent" if not made else f"hermes-agent-{len(made)}"
        made.append(Deployment(engine, name))
        return made[-1]

    yield make
    for deployment in made:
        deployment.close()


@pytest.fixture
def deployed(deploy: Callable[[], Deployment]) -> Deployment:
    return deploy()
