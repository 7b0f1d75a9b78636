"""What people do to the container by hand."""

import signal
import subprocess

import pytest

from tests.deploy.container.deployment import Deployment

pytestmark = pytest.mark.timeout(400)


def test_a_container_that_is_removed_while_it_runs_ends_the_service_and_is_made_anew(
    deployed: Deployment,
) -> None:
    deployed.start()
    first = deployed.id
    deployed.engine.do("rm", "-f", "hermes-agent")
    ended = deployed.ended()
    assert ended.status == 1
    assert "was removed while it ran" in ended.said
    deployed.start()
    assert deployed.id != first


def test_a_container_that_is_stopped_by_hand_drains_and_starts_again_with_its_layer(
    deployed: Deployment,
) -> None:
    deployed.start()
    first = deployed.id
    deployed.sh("touch /usr/local/by-apt")
    deployed.engine.do("stop", "hermes-agent")
    ended = deployed.ended()
    assert ended.status == 0
    assert "drained" in ended.said
    deployed.start()
    assert deployed.id == first
    deployed.sh("test -e /usr/local/by-apt")


def test_a_renamed_container_is_found_stopped_and_reported(deployed: Deployment) -> None:
    deployed.start()
    first = deployed.id
    deployed.engine.do("rename", "hermes-agent", "mine")
    deployed.stop()
    assert deployed.engine.status("mine") == "exited"
    deployed.start()
    command = deployed.engine.backend
    assert f"{command} rename mine hermes-agent" in deployed.log()
    assert deployed.id != first
    # What the sentence says brings it back.
    deployed.stop()
    deployed.engine.do("rm", "-f", "hermes-agent")
    deployed.engine.do("rename", "mine", "hermes-agent")
    deployed.start()
    assert deployed.id == first
    assert "rename" not in deployed.log()


def test_a_renamed_container_that_runs_is_stopped_before_another_agent_starts(
    deployed: Deployment,
) -> None:
    deployed.start()
    deployed.engine.do("rename", "hermes-agent", "mine")
    deployed.engine.do("start", "mine")
    deployed.send(signal.SIGKILL)
    deployed.ended()
    assert deployed.engine.status("mine") == "running"
    deployed.start()
    assert deployed.engine.status("mine") == "exited"
    assert deployed.engine.status("hermes-agent") == "running"


def test_a_paused_container_is_reported_and_not_taken_for_one_that_hangs(
    deployed: Deployment,
) -> None:
    deployed.start(WATCHDOG_USEC="1000000")
    deployed.engine.do("pause", "hermes-agent")
    deployed.wait(
        lambda: any("is paused; it goes on with" in line for line in deployed.heard()), "the status"
    )
    before = deployed.heard().count("WATCHDOG=1")
    deployed.wait(lambda: deployed.heard().count("WATCHDOG=1") > before, "a sign of life")
    deployed.engine.do("unpause", "hermes-agent")
    deployed.wait(
        lambda: "paused" not in [x for x in deployed.heard() if x.startswith("STATUS")][-1],
        "the status of the agent",
    )
    assert deployed.stop().status == 0


def test_a_paused_container_goes_on_at_the_next_start_and_stops_with_the_service(
    deployed: Deployment,
) -> None:
    deployed.start()
    first = deployed.id
    deployed.send(signal.SIGKILL)
    deployed.ended()
    deployed.engine.do("pause", "hermes-agent")
    deployed.start()
    assert deployed.id == first
    assert "was paused; it goes on now" in deployed.log()
    deployed.engine.do("pause", "hermes-agent")
    deployed.wait(lambda: any("is paused" in line for line in deployed.heard()), "the status")
    assert deployed.stop().status == 0


def test_a_container_of_somebody_else_with_our_name_is_left_alone(deployed: Deployment) -> None:
    engine = deployed.engine
    engine.do("create", "--name=hermes-agent", "busybox:test", "true")
    try:
        ended = deployed.fails()
        assert ended.status == 78
        assert "is not the agent's; it was left alone" in ended.said
        assert f"{engine.backend} rename hermes-agent hermes-agent-old" in ended.said
        assert engine.status("hermes-agent") == "created"
        engine.do("rename", "hermes-agent", "hermes-agent-old")
        deployed.start()
    finally:
        subprocess.run([str(engine.program), "rm", "-f", "hermes-agent-old"], check=False)
