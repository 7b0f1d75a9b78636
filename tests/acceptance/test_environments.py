"""Where the agent works: in a container, behind bubblewrap, on another machine."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.environments.bubblewrap import unusable
from tests.acceptance.hermes import Hermes
from tests.acceptance.test_gateway import gateway
from tests.acceptance.test_interruption import wait_for
from tests.contract.environments.engines import IMAGE, Engine, Sshd, missing
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply
from tests.servers.telegram import BotApi

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


@pytest.mark.parametrize("name", ENGINES)
def test_a_container_ends_when_hermes_is_killed(
    hermes: Hermes, server: ModelServer, placed: Placed, name: str
) -> None:
    engine = placed(name)
    assert isinstance(engine, Engine)
    server.say(step("terminal", command="sleep 600"))
    with hermes.started("-q", "work", "--yolo") as process:
        wait_for(lambda: len(containers(engine)) == 1)
        process.kill()
        process.wait()
    wait_for(lambda: containers(engine) == [], 60)
    server.say(step("terminal", command="echo again"), Reply(text="Done."))
    ran = hermes.run("-c", "-q", "go on", "--yolo")
    assert ran.status == 0, ran.err
    assert "again" in told(server)[-1]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("docker", {"docker_image": "localhost:1/no-such:1"}, "The container cannot be reached"),
        ("podman", {"docker_image": "localhost:1/no-such:1"}, "The container cannot be reached"),
        ("ssh", {"ssh_port": 1}, "refused"),
    ],
)
def test_a_place_that_is_not_there_is_said_and_the_session_goes_on(
    hermes: Hermes,
    server: ModelServer,
    placed: Placed,
    name: str,
    settings: dict[str, object],
    said: str,
) -> None:
    placed(name, **settings)
    server.say(
        step("terminal", command="echo one"),
        step("read_file", path="/etc/hostname"),
        Reply(text="It is not there."),
    )
    ran = hermes.run("-q", "work", "--yolo")
    assert (ran.status, ran.out) == (0, "It is not there.\n"), ran.err
    for result in told(server):
        assert said in result, result
        assert "Traceback" not in result
        assert len(result) < 500
    server.say(Reply(text="Still here."))
    assert hermes.run("-c", "-q", "and now?").out == "Still here.\n"
    assert ("refused" in hermes.run("doctor").out) == (name == "ssh")


def test_a_container_that_vanishes_is_told_to_the_model_and_replaced(
    hermes: Hermes, server: ModelServer, placed: Placed
) -> None:
    engine = placed("podman")
    assert isinstance(engine, Engine)
    server.say(
        step("terminal", command="echo begun; sleep 600"),
        step("terminal", command="echo back"),
        Reply(text="Done."),
    )
    with hermes.started("-q", "work", "--yolo") as process:
        wait_for(lambda: len(containers(engine)) == 1)
        wait_for(lambda: "sleep" in engine.run("top", *containers(engine)).stdout)
        engine.do("kill", *containers(engine))
        assert process.wait(60) == 0
    lost, back = told(server)
    assert "was lost while the command ran" in lost
    assert "begun" in lost
    assert "back" in back


def test_the_model_is_told_where_it_works_and_nothing_of_this_machines_folder(
    hermes: Hermes, server: ModelServer, placed: Placed
) -> None:
    placed("ssh", ssh_port=1)
    (hermes.folder / "AGENTS.md").write_text("the notes of this machine")
    server.say(Reply(text="One."), Reply(text="Two."))
    hermes.run("-q", "hello")
    hermes.run("-c", "-q", "hello again")
    first, second = (str(each.json["messages"][0]["content"]) for each in server.model_requests)
    assert first == second
    assert "the notes of this machine" not in first
    assert "AGENTS.md" in first, "it is said that they are not shown"
    assert "there, by ssh" in first


def test_notes_of_a_mounted_folder_are_read_and_links_out_of_it_are_not(
    hermes: Hermes, server: ModelServer, placed: Placed
) -> None:
    placed("podman", docker_mount_cwd_to_workspace=True)
    server.say(Reply(text="One."), Reply(text="Two."))
    (hermes.folder / "AGENTS.md").write_text("the notes of the project")
    hermes.run("-q", "hello")
    (hermes.folder.parent / "private").write_text("what nobody shares")
    (hermes.folder / "AGENTS.md").unlink()
    (hermes.folder / "AGENTS.md").symlink_to(hermes.folder.parent / "private")
    hermes.run("-q", "hello")
    first, second = (str(each.json["messages"][0]["content"]) for each in server.model_requests)
    assert "the notes of the project" in first
    assert "what nobody shares" not in second


PLUGIN = """
import msgspec
from hermes_agent.environments.local import LocalEnvironment

class Modal(LocalEnvironment):
    def __init__(self, place):
        super().__init__(msgspec.structs.replace(place, cwd="/usr"))
"""


def test_a_package_brings_a_backend_by_its_entry_point(
    hermes: Hermes, server: ModelServer, tmp_path: Path
) -> None:
    hermes.configure("terminal: {backend: modal}\n")
    ran = hermes.run("-q", "hello")
    assert ran.status != 0
    assert "entry point modal in the group hermes_agent.environments" in ran.err
    package = tmp_path / "site"
    (package / "example-1.0.dist-info").mkdir(parents=True)
    (package / "example.py").write_text(PLUGIN)
    (package / "example-1.0.dist-info/METADATA").write_text("Name: example\nVersion: 1.0\n")
    (package / "example-1.0.dist-info/entry_points.txt").write_text(
        "[hermes_agent.environments]\nmodal = example:Modal\n"
    )
    server.say(step("terminal", command="pwd; echo by a plugin"), Reply(text="Done."))
    ran = hermes.run("-q", "work", "--yolo", PYTHONPATH=str(package))
    assert (ran.status, ran.out) == (0, "Done.\n"), ran.err
    assert "/usr\\nby a plugin" in told(server)[-1]


def test_a_chat_works_in_a_container_that_ends_with_the_gateway(
    hermes: Hermes, server: ModelServer, placed: Placed
) -> None:
    engine = placed("podman")
    assert isinstance(engine, Engine)
    server.say(
        step("write_file", path="note", content="by the chat\n"),
        step("terminal", command="cat note; pwd"),
        Reply(text="It is noted."),
    )
    with BotApi() as api, gateway(hermes, api) as running:
        running.say("note it")
        running.sees("It is noted.")
        assert len(containers(engine)) == 1
        assert "by the chat\\n/workspace" in told(server)[-1]
        assert running.stop() == 0
    assert containers(engine) == []


def test_an_engine_that_is_down_is_said_by_the_agent_and_by_doctor(
    hermes: Hermes, server: ModelServer, placed: Placed
) -> None:
    engine = placed("docker")
    assert isinstance(engine, Engine)
    server.say(step("terminal", command="echo one"), Reply(text="It is down."))
    engine.kill()
    try:
        ran = hermes.run("-q", "work", "--yolo")
        doctor = hermes.run("doctor")
    finally:
        engine.up()
    assert (ran.status, ran.out) == (0, "It is down.\n"), ran.err
    (said,) = told(server)
    assert "The container cannot be reached" in said
    assert "aemon" in said, said
    assert doctor.status == 1
    assert "docker does not answer" in doctor.out
