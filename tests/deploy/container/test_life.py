"""A container's life: started, stopped, and what it ends as."""

import pytest

from tests.deploy.container.deployment import Deployment

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian


def test_the_agent_runs_in_a_container_as_its_user(deployed: Deployment) -> None:
    deployed.start()
    assert deployed.engine.status("hermes-agent") == "running"
    assert deployed.exec("readlink", "/data/current-package") == str(deployed.package)
    ended = deployed.stop()
    assert ended.status == 0
    assert "drained" in ended.said
    assert deployed.engine.status("hermes-agent") == "exited"
