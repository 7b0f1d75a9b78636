"""The container mode's parts that need no engine."""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.deploy import reading
from hermes_agent.deploy.container import creating, state_mount, unit
from hermes_agent.deploy.container.engine import Engine
from hermes_agent.deploy.container.notices import MOST_AT_ONCE, PER_SECOND, Ear, passing
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import ConfigError, EnvironmentFault


def spec(**keys: Any) -> Specification:
    usual = {
        "package": "/nix/store/one-hermes-agent",
        "packageRoots": ["/nix/store"],
        "container": {"enable": True},
    }
    return reading.parse(json.dumps({**usual, **keys}))


def arguments(spec: Specification) -> list[str]:
    return creating.arguments(spec, Places.of(spec), "0" * 64, spec.name)


def mounts(spec: Specification) -> list[str]:
    return [word.removeprefix("--mount=") for word in arguments(spec) if "--mount=" in word]


def test_the_host_s_places_are_mounted_as_the_guide_s_table_says() -> None:
    assert mounts(spec()) == [
        "type=bind,source=/nix/store,target=/nix/store,readonly",
        "type=bind,source=/var/lib/hermes,target=/data",
        "type=bind,source=/run/hermes-agent/hermes-agent,target=/run/hermes,readonly",
        "type=bind,source=/run/hermes-agent/hermes-agent/registry,target=/etc/hermes-agent,readonly",
    ]


def test_no_file_of_secrets_and_no_value_of_theirs_is_among_the_arguments() -> None:
    said = arguments(
        spec(environmentFiles=["/run/secrets/env"], secrets={"model.api_key": "/run/secrets/key"})
    )
    assert not [word for word in said if "secrets" in word or "env-file" in word]


def test_extra_options_come_last_and_literally_before_the_image() -> None:
    container = {"enable": True, "extraOptions": ["--gpus", "all", "--name", "x y"]}
    assert arguments(spec(container=container))[-5:] == [
        "--gpus",
        "all",
        "--name",
        "x y",
        "ubuntu:24.04",
    ]


def test_a_log_driver_of_one_s_own_gets_no_options_of_ours() -> None:
    container = {"enable": True, "extraOptions": ["--log-driver=journald"]}
    assert not [word for word in arguments(spec(container=container)) if "log-opt" in word]
    assert [word for word in arguments(spec()) if "log-opt" in word]


def test_a_path_that_cannot_be_mounted_is_refused() -> None:
    with pytest.raises(ConfigError, match="commas"):
        arguments(spec(stateDir="/var/lib/a,b"))


def test_the_working_directory_is_where_the_container_has_it() -> None:
    inside = creating.variables(spec())
    assert inside["MESSAGING_CWD"] == "/data/workspace"
    assert inside["HERMES_HOME"] == "/data/.hermes"
    elsewhere = spec(
        workingDirectory="/projects/one",
        container={"enable": True, "extraVolumes": ["/srv:/projects"]},
    )
    assert creating.variables(elsewhere)["MESSAGING_CWD"] == "/projects/one"
    root = spec(workingDirectory="/var/lib/hermes")
    assert creating.variables(root)["MESSAGING_CWD"] == "/data"


@pytest.mark.parametrize(
    ("told", "passed"),
    [
        (["READY=1"], ["READY=1"]),
        (["READY=1", "MAINPID=7"], ["READY=1"]),
        (["STATUS=a\tb\x1b[0m"], ["STATUS=a b [0m"]),
        (["STATUS=" + "ä" * 5000], ["STATUS=" + "ä" * 250]),
        (["RELOADING=1", "MONOTONIC_USEC=12"], ["RELOADING=1", "MONOTONIC_USEC=12"]),
        (["MONOTONIC_USEC=1x"], []),
        (["WATCHDOG=1", "WATCHDOG=trigger", "WATCHDOG_USEC=0"], ["WATCHDOG=1"]),
        (["STOPPING=1", "EXTEND_TIMEOUT_USEC=999999999999"], ["STOPPING=1"]),
        (["EXTEND_TIMEOUT_USEC=1", "MAINPID=1", "NOTIFYACCESS=all", "WATCHDOG_PID=1"], []),
        (["READY=1", "STATUS=a"] * 3000 + ["STATUS=b"], ["READY=1", "STATUS=b"]),
        (["FDSTORE=1", "FDNAME=x", "BUSERROR=x", "ERRNO=1", "X_ANY=1", "", "="], []),
    ],
)
def test_only_how_the_agent_is_gets_through(told: list[str], passed: list[str]) -> None:
    assert passing(told) == passed


class Flood:
    """An agent that tells without a pause, and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        path = folder / "notify"
        self.ear = Ear(path, os.getuid(), os.getgid(), clock=lambda: self.now)
        self._out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._out.connect(str(path))
        self._out.setblocking(False)

    def passed(self) -> int:
        """How much comes through until no more is heard."""
        found = 0
        while True:
            with contextlib.suppress(BlockingIOError):
                self._out.send(b"STATUS=busy")
            heard = len(list(self.ear.heard()))
            if not heard:
                return found
            found += heard

    def close(self) -> None:
        self._out.close()
        self.ear.close()


@pytest.fixture
def flood(tmp_path: Path) -> Iterator[Flood]:
    flood = Flood(tmp_path)
    yield flood
    flood.close()


def test_an_agent_that_tells_without_a_pause_is_heard_at_a_measured_pace(flood: Flood) -> None:
    assert flood.ear.rest == 0
    assert flood.passed() == MOST_AT_ONCE
    assert flood.ear.rest == 1 / PER_SECOND
    flood.now += 2
    assert flood.ear.rest == 0
    assert flood.passed() == 2 * PER_SECOND
    flood.now += 3600
    assert flood.passed() == MOST_AT_ONCE


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_systemd_has_nothing_to_say_against_the_unit(backend: str, tmp_path: Path) -> None:
    # Programs that are there, so that their absence is not what it finds.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "hermes").symlink_to("/bin/true")
    declared = spec(package=str(tmp_path), container={"enable": True, "backend": backend})
    text = unit.render(declared, Places.of(declared))
    after = next(line for line in text.splitlines() if line.startswith("After="))
    assert ("docker.service" in after) == (backend == "docker")
    assert ("Requires=docker.service\n" in text) == (backend == "docker")
    assert "@" not in text
    assert f"deploy run {json.dumps(str(Places.of(declared).specification))}" in text
    file = tmp_path / "hermes-agent.service"
    file.write_text(text.replace("docker.service", "basic.target"))
    try:
        done = subprocess.run(
            ["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("NO UNIT IS VERIFIED: systemd-analyze is missing (apt-get install systemd)")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", ["/var/lib/hermes", "/srv/.a/b-c d", "/srv/50%/ä:_.b", "/x/a\\b"])
def test_the_state_s_mount_has_the_name_that_systemd_gives_it(path: str) -> None:
    try:
        done = subprocess.run(
            ["systemd-escape", "--path", "--suffix=mount", path],
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("NO UNIT'S NAME IS COMPARED: systemd-escape is missing")
    assert state_mount.unit(spec(stateDir=path)) == done.stdout.strip()


def test_systemd_has_nothing_to_say_against_the_state_s_mount(tmp_path: Path) -> None:
    declared = spec(stateDir="/srv/50% of it/state")
    file = tmp_path / state_mount.unit(declared)
    file.write_text(state_mount.render(declared))
    try:
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("NO UNIT IS VERIFIED: systemd-analyze is missing (apt-get install systemd)")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_manager_s_variables_never_reach_an_engine(tmp_path: Path) -> None:
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nenv >&2; exit 1\n")
    program.chmod(0o755)
    variables = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "DOCKER_HOST": "unix:///y"}
    engine = Engine("docker", str(program), variables)
    with pytest.raises(EnvironmentFault) as caught:
        engine.require_usable()
    assert "DOCKER_HOST" in caught.value.message
    assert "NOTIFY_SOCKET" not in caught.value.message
    assert "WATCHDOG" not in caught.value.message
