"""The specification that the NixOS module makes, brought to life in a container of each engine.

Only where things lie is different: the package, the state directory, the account."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.container.deployment import Deployment
from tests.deploy.container.engines import ROOT, RealEngine, why_not
from tests.nix.machines import Machine

pytestmark = pytest.mark.timeout(500)  # the first test may have to fetch a Debian

MODULE = """
  settings.model = { provider = "custom"; base_url = "http://127.0.0.1:9/v1"; default = "none"; };
  environmentFiles = [ "@SECRETS@" ];
  documents."SOUL.md" = "You are brief.";
  container = {
    enable = true;
    backend = "@BACKEND@";
    provision = [ ];
    sudo = false;
  };
"""


@pytest.fixture(scope="module", params=["podman", "docker"])
def engine(request: pytest.FixtureRequest) -> Iterator[RealEngine]:
    backend: str = request.param
    missing = why_not(backend)
    if missing:
        pytest.skip(f"THE MODULE'S SPECIFICATION IS NOT RUN IN {backend.upper()}: {missing}")
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
def deployed(engine: RealEngine) -> Iterator[Deployment]:
    deployed = Deployment(engine, "hermes-agent")
    yield deployed
    deployed.close()


def declare(deployed: Deployment, machine: Machine, more: str = "") -> None:
    """What NixOS generates for the module, with this machine's places."""
    secrets = deployed.file("secrets", "OPENROUTER_API_KEY='sk-#not to be seen'\n")
    module = MODULE.replace("@SECRETS@", secrets).replace("@BACKEND@", deployed.engine.backend)
    found: dict[str, Any] = machine.evaluate(module + more, "specification")
    here = deployed.keys
    deployed.keys = {
        **found,
        **{key: here[key] for key in ("package", "packageRoots", "user", "group", "stateDir")},
        "workingDirectory": f"{here['stateDir']}/workspace",
        "gcRoots": None,
        "container": {**found["container"], "program": here["container"]["program"]},
    }


def test_the_container_comes_up_and_stays_through_changed_settings(
    deployed: Deployment, machine: Machine
) -> None:
    declare(deployed, machine)
    deployed.start()
    assert deployed.engine.status("hermes-agent") == "running"
    assert deployed.sh("cat /data/workspace/SOUL.md") == "You are brief."
    assert deployed.sh("cat /data/.hermes/.managed").strip() == "nixos"
    assert deployed.exec("readlink", "/data/current-package").strip() == str(deployed.package)
    assert "not to be seen" not in deployed.engine.do("inspect", deployed.name)
    assert "not to be seen" not in json.dumps(deployed.keys)
    before = deployed.id
    deployed.sh("touch /usr/bin/installed")

    declare(deployed, machine, 'settings.timezone = "UTC"; documents.more = "x";')
    deployed.restart()
    assert deployed.id == before
    deployed.sh("test -e /usr/bin/installed; grep -q 'timezone: UTC' /data/.hermes/config.yaml")

    declare(deployed, machine, 'environment.TZ = "UTC";')
    deployed.restart()
    assert deployed.id != before
    deployed.sh("test ! -e /usr/bin/installed; ! grep -q timezone /data/.hermes/config.yaml")
