"""The terminal of somebody who runs the host command: theirs alone."""

import json
from typing import Any

import pytest

from tests.systemd import host
from tests.systemd.host import HERE
from tests.systemd.machine import Machine

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian
EVERYBODY = pytest.mark.parametrize("user", ["alice", "root"])


@pytest.fixture(scope="module")
def terminal(deployed: Machine) -> Machine:
    deployed.write("/opt/terminal.py", (HERE / "host_terminal.py").read_text())
    return deployed


def run(machine: Machine, user: str, *argv: str, steps: tuple[str, ...] = ()) -> dict[str, Any]:
    """In a terminal of 33 lines of 101 signs; what came of it."""
    command = ("/opt/agent/bin/python3", "/opt/terminal.py", *steps, "--", *argv)
    ran = machine.run(*command, user=user, variables={"TERM": "xterm"})
    return json.loads(ran.ok())


@EVERYBODY
def test_the_agent_cannot_type_into_the_callers_terminal(terminal: Machine, user: str) -> None:
    direct = run(terminal, user, "/opt/probe/bin/hermes", "type")
    if "rm -rf" not in direct["left"]:
        pytest.skip("TERMINALS ARE NOT TESTED: this kernel lets nobody type (legacy_tiocsti=0)")
    found = run(terminal, user, "hermes", "type")
    assert found["status"] == 0
    assert found["left"] == ""
    assert found["restored"]


@EVERYBODY
def test_it_is_a_terminal_of_the_same_size_and_grows_with_it(terminal: Machine, user: str) -> None:
    found = run(terminal, user, "hermes", "size")
    assert found["said"].split() == ["101", "33"]
    found = run(terminal, user, "hermes", "sizes", steps=("101 33", "size 40 120"))
    assert "120 40" in found["said"]
    assert found["status"] == 0


@EVERYBODY
def test_control_c_reaches_it_and_its_status_comes_back(terminal: Machine, user: str) -> None:
    found = run(terminal, user, "hermes", "wait", steps=("waiting", "\x03"))
    assert found["status"] == 42
    assert found["restored"]


@EVERYBODY
def test_a_signal_that_ends_it_ends_the_caller_too(terminal: Machine, user: str) -> None:
    found = run(terminal, user, "hermes", "signal", "15")
    assert found["status"] in (-15, 143)
    found = run(terminal, user, "hermes", "wait", steps=("waiting", "signal 15"))
    assert found["status"] in (-15, 143)
    assert found["restored"]


@EVERYBODY
def test_in_a_pipe_only_what_is_a_terminal_is_replaced(terminal: Machine, user: str) -> None:
    found = run(terminal, user, "sh", "-c", "echo hi | hermes cat")
    assert found["said"].split() == ["hi"]
    found = run(terminal, user, "sh", "-c", "hermes x </dev/null | cat")
    assert json.loads(found["said"])["terminal"] == [False, False, True]
    found = run(terminal, user, "sh", "-c", "hermes x | cat")
    assert json.loads(found["said"])["terminal"][1:] == [False, True]


@EVERYBODY
def test_output_arrives_whole_in_the_end(terminal: Machine, user: str) -> None:
    found = run(terminal, user, "sh", "-c", "seq 20000 | hermes cat")
    assert found["said"].split() == [str(number) for number in range(1, 20001)]


@EVERYBODY
def test_a_chat_is_held_as_ever(terminal: Machine, user: str) -> None:
    host.register(terminal, package="/opt/agent")
    try:
        found = run(terminal, user, "hermes", "chat", steps=("❯", "/quit\r"))
    finally:
        host.register(terminal)
    assert found["status"] == 0, found["said"]
    assert found["restored"]
