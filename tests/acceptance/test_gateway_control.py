"""`hermes gateway status` and `stop` for a gateway that runs in the foreground."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from hermes_agent.gateway.lock import holder
from tests.acceptance.hermes import Hermes


@pytest.fixture
def hermes(home: Path, tmp_path: Path) -> Hermes:
    return Hermes(home, tmp_path, "http://127.0.0.1:9")


def wait_until_up(hermes: Hermes, gateway: "subprocess.Popen[bytes]") -> None:
    assert gateway.stderr
    for line in gateway.stderr:
        if b"the gateway is up" in line:
            return
    raise AssertionError("the gateway ended")


def test_a_home_without_a_gateway_is_stopped_with_status_3(hermes: Hermes) -> None:
    ran = hermes.run("gateway", "status")
    assert ran.status == 3
    assert ran.out.startswith("Gateway    stopped\n")
    found = json.loads(hermes.run("gateway", "status", "--json").out)
    assert found["running"] is False
    assert found["holder"] is None


def test_a_running_gateway_is_shown_and_stopped(hermes: Hermes) -> None:
    with hermes.started("gateway", "run") as gateway:
        wait_until_up(hermes, gateway)
        ran = hermes.run("gateway", "status")
        assert ran.status == 0
        assert f"running (pid {gateway.pid}, since 20" in ran.out
        assert "Queue      0 waiting" in ran.out
        stopped = hermes.run("gateway", "stop")
        assert stopped.status == 0
        assert f"pid {gateway.pid}" in stopped.err
        assert gateway.wait() == 0
    assert hermes.run("gateway", "status").status == 3


def test_a_killed_gateway_is_not_taken_for_a_running_one(hermes: Hermes) -> None:
    with hermes.started("gateway", "run") as gateway:
        wait_until_up(hermes, gateway)
        gateway.send_signal(signal.SIGKILL)
        gateway.wait()
    assert (hermes.home / "gateway.pid").exists()
    ran = hermes.run("gateway", "status")
    assert ran.status == 3
    assert ran.out.startswith("Gateway    stopped\n")
    assert hermes.run("gateway", "stop").status == 0


def test_a_second_gateway_says_who_is_first(hermes: Hermes) -> None:
    with hermes.started("gateway", "run") as gateway:
        wait_until_up(hermes, gateway)
        ran = hermes.run("gateway", "run")
        assert ran.status == 1
        assert f"pid {gateway.pid}" in ran.err
        assert holder(hermes.home) is not None


def test_restarting_what_is_no_service_is_refused_before_anything_ends(hermes: Hermes) -> None:
    assert "hermes gateway install" in hermes.run("gateway", "restart").err
    with hermes.started("gateway", "run") as gateway:
        wait_until_up(hermes, gateway)
        ran = hermes.run("gateway", "restart")
        assert ran.status == 1
        assert "--replace" in ran.err
        assert gateway.poll() is None


def test_starting_without_a_service_says_how_to_get_one(hermes: Hermes) -> None:
    ran = hermes.run("gateway", "start")
    assert ran.status == 1
    assert "hermes gateway install" in ran.err
