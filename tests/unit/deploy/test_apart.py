"""What root's part shares with the agent, and what it does not."""

import fcntl
import json
import os
import socket
from pathlib import Path

import pytest

from hermes_agent.deploy import reading
from hermes_agent.deploy.applying.alone import alone
from hermes_agent.deploy.applying.gate import gate
from hermes_agent.deploy.applying.starting import plain
from hermes_agent.deploy.container.notices import MOST_AT_ONCE, Ear


def test_only_who_deploys_can_hold_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "hermes-agent.lock"
    said: list[str] = []
    with alone(lock, said.append):
        assert lock.stat().st_mode & 0o777 == 0o600
        with lock.open("rb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with alone(lock, said.append):
        assert said == []


def test_a_flood_of_notices_leaves_the_listener_time_for_signals(tmp_path: Path) -> None:
    ear = Ear(tmp_path / "notify", os.getuid(), os.getgid())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as agent:
        agent.connect(str(tmp_path / "notify"))
        agent.setblocking(False)
        agent.send(b"STATUS=busy")
        count = 0
        for _ in ear.heard():
            count += 1
            agent.send(b"STATUS=busy")
            assert count <= MOST_AT_ONCE
    assert count == MOST_AT_ONCE
    ear.close()


def test_what_tries_the_gate_cannot_reach_the_terminal_of_who_asks(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "bwrap"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncut -d ' ' -f 6 /proc/$$/stat > {tmp_path}/session\n")
    program.chmod(0o755)
    declared = {"package": "/usr", "scope": "user", "extraPackages": [str(tmp_path)]}
    assert (gate(reading.parse(json.dumps(declared)), {}) or "").startswith("bubblewrap")
    assert int((tmp_path / "session").read_text()) != os.getsid(0)


def test_what_the_agent_says_commands_no_terminal() -> None:
    assert plain("ok \x1b]0;title\x07\x9b2J\r\n") == "ok  ]0;title  2J  "
