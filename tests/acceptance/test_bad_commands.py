"""Commands with monstrous, binary or endless output."""

import os
import signal

from tests.acceptance.hermes import Hermes
from tests.acceptance.test_interruption import running, wait_for
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply


def result(hermes: Hermes, server: ModelServer, command: str) -> str:
    """What the model sees of a command."""
    server.say(Reply(calls=[Call("terminal", {"command": command})]), Reply(text="fine"))
    ran = hermes.run("-q", "go")
    assert (ran.status, ran.out) == (0, "fine\n")
    return str(server.model_requests[-1].json["messages"][-1]["content"])


def test_a_hundred_megabytes_reach_the_model_shortened(hermes: Hermes, server: ModelServer) -> None:
    seen = result(hermes, server, "echo first; head -c 100000000 /dev/zero | tr '\\0' a; echo last")
    assert len(seen) < 200_000
    assert "first" in seen
    assert "last" in seen


def test_binary_output_is_text_for_the_model(hermes: Hermes, server: ModelServer) -> None:
    seen = result(hermes, server, "printf 'a\\000b \\377\\376 \\033[31mred\\n'; printf ok")
    assert "ok" in seen
    assert "\\u001b" not in seen
    assert "\\u0000" not in seen
    assert hermes.run("sessions", "export", "-").status == 0


def test_a_command_that_leaves_a_child_behind_does_not_hold_the_turn(
    hermes: Hermes, server: ModelServer
) -> None:
    seen = result(hermes, server, "sleep 1000 & echo $! > child; echo begun")
    assert "begun" in seen
    child = int((hermes.folder / "child").read_text())
    if running(child):
        os.kill(child, signal.SIGKILL)  # ours
    wait_for(lambda: not running(child))
