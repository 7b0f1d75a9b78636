"""Where the agent works: in a container, behind bubblewrap, on another machine."""

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hermes_agent.environments.bubblewrap import unusable
from tests.acceptance.hermes import Hermes
from tests.contract.environments.engines import IMAGE, Engine, Sshd, missing
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply

ENGINES = ("docker", "podman")
Other = Callable[[str], Engine | Sshd]
Placed = Callable[..., Engine | Sshd | None]


@pytest.fixture(scope="session")
def others() -> Iterator[dict[str, Engine | Sshd]]:
    """The engines and the sshd that were needed so far."""
    started: dict[str, Engine | Sshd] = {}
    yield started
    for each in started.values():
        each.close()


@pytest.fixture
def placed(hermes: Hermes, others: dict[str, Engine | Sshd]) -> Placed:
    """Has hermes work in a place; gives what is behind it."""

    def place(name: str, **settings: object) -> Engine | Sshd | None:
        if reason := (unusable() if name == "bubblewrap" else missing(name)):
            pytest.skip(f"NOT TESTED: {name} does not work here: {reason}")
        terminal: dict[str, object] = {"backend": name}
        there = None
        if name != "bubblewrap":
            if name not in others:
                others[name] = Sshd() if name == "ssh" else Engine(name)
            there = others[name]
            programs = there.bin if isinstance(there, Sshd) else there.home
            hermes.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
        if isinstance(there, Engine):
            terminal |= {"docker_image": IMAGE, "container_persistent": False}
        if isinstance(there, Sshd):
            terminal |= {"ssh_host": "there", "ssh_port": there.port, "cwd": str(there.home)}
        hermes.configure(f"terminal: {json.dumps(terminal | settings)}\n")
        return there

    return place


def containers(engine: Engine) -> list[str]:
    return engine.do("ps", "--all", "--quiet", "--no-trunc").split()


def read(request: Any) -> str:
    """What the model was told last."""
    return str(request.json["messages"][-1]["content"])


def told(server: ModelServer) -> list[str]:
    """The results of all tools of the last turn."""
    messages = server.model_requests[-1].json["messages"]
    return [str(each["content"]) for each in messages if each["role"] == "tool"]


def step(name: str, **arguments: object) -> Reply:
    return Reply(calls=[Call(name, arguments)])


@pytest.mark.parametrize("name", ["bubblewrap", *ENGINES, "ssh"])
def test_commands_files_and_processes_are_in_one_place(
    hermes: Hermes, server: ModelServer, placed: Placed, name: str
) -> None:
    there = placed(name)
    process = ""

    def begun(request: Any) -> Reply:
        nonlocal process
        found = re.search(r"proc_[0-9a-f]{12}", read(request))
        assert found, read(request)
        process = found[0]
        return step("process", action="list")

    server.say(
        step("write_file", path="poem/one.txt", content="a rose\n"),
        step("terminal", command="cat poem/one.txt && echo by any name >>poem/one.txt; pwd"),
        step("read_file", path="poem/one.txt"),
        step(
            "patch", mode="replace", path="poem/one.txt", old_string="a rose", new_string="a daisy"
        ),
        step("search_files", pattern="dais"),
        step(
            "terminal",
            command="echo ready; read line; echo heard $line; sleep 600",
            background=True,
        ),
        begun,
        lambda _: step("process", action="write", session_id=process, data="a word\n"),
        lambda _: step("terminal", command="sleep 0.3"),
        lambda _: step("process", action="poll", session_id=process),
        lambda _: step("process", action="kill", session_id=process),
        lambda _: step("process", action="list"),
        Reply(text="Done."),
    )
    ran = hermes.run("-q", "work", "--yolo")
    assert (ran.status, ran.out) == (0, "Done.\n"), ran.err
    results = told(server)
    written, shown, lines, patched, found, *followed = map(json.loads, results)
    where = shown["output"].split("\n")[1]
    assert shown["output"].startswith("a rose\n")
    assert written["path"] == f"{where}/poem/one.txt"
    assert lines["content"] == "1|a rose\n2|by any name"
    assert "error" not in patched, patched
    assert found["matches"].endswith("poem/one.txt\n1:a daisy"), found
    _, listed, given, _, polled, killed, after = followed
    assert [each["status"] for each in listed["processes"]] == ["running"]
    assert given["written"] == 7
    assert polled["output"] == "ready\nheard a word\n"
    assert killed["status"] == "exited"
    assert [each["status"] for each in after["processes"]] == ["exited"]
    assert (hermes.folder / "poem").exists() == (name == "bubblewrap")
    if isinstance(there, Engine):
        assert containers(there) == [], "nothing of a session outlives it"
