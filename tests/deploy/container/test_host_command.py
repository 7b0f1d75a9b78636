"""Plain `hermes` of a deployment that runs in a container: root's side, with real engines."""

import json
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.container.deployment import Deployment

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian

ENTER = """
import signal
import sys
# Who runs the tests in the background has SIGINT ignored, and children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from hermes_agent.deploy.host import entering, registry
from hermes_agent.domain.errors import HermesError
entering.RUNTIME = sys.argv[2]
try:
    found = registry.deployment(sys.argv[3], sys.argv[1])
    entering.enter(found, {"TERM": "xterm-256color"}, sys.argv[4:], shared=False)
except HermesError as error:
    sys.exit(f"{error.message} {error.hint}")
"""
PROBE = Path(__file__).parents[2] / "systemd" / "host_probe.py"


def command(deployed: Deployment, *argv: str) -> list[str]:
    roots = (str(deployed.roots.registry), str(deployed.roots.runtime))
    return [sys.executable, "-I", "-c", ENTER, *roots, deployed.name, *argv]


def run(deployed: Deployment, *argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(deployed, *argv),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def probe(deployed: Deployment) -> None:
    """From now on the program says as whom and with what it runs."""
    program = deployed.package / "bin" / "hermes"
    lines = PROBE.read_text().splitlines(keepends=True)[1:]
    program.write_text("".join([f"#!{deployed.package}/bin/python -I\n", *lines]))


def test_it_runs_inside_as_the_agents_user(deployed: Deployment) -> None:
    deployed.keys["environmentFiles"] = [
        deployed.file("env", "API_KEY='se \"cr\"et'\nLINES_='a\nb'\n")
    ]
    deployed.start()
    assert run(deployed, "config", "path").stdout.strip() == "/data/.hermes/config.yaml"
    probe(deployed)
    done = run(deployed, "-q", "a\nb", "--", "*")
    found: dict[str, Any] = json.loads(done.stdout)
    uid, gid = map(int, deployed.agent.split(":"))
    assert found["uids"] == [uid] * 3
    assert found["gids"] == [gid] * 3
    assert found["umask"] == 0o007
    assert found["cwd"] == "/data/workspace"
    assert [bytes.fromhex(word) for word in found["argv"]] == [b"-q", b"a\nb", b"--", b"*"]
    assert found["environ"]["API_KEY"] == 'se "cr"et'
    assert found["environ"]["LINES_"] == "a\nb"
    assert found["environ"]["HERMES_HOME"] == "/data/.hermes"
    assert found["environ"]["HOME"] == "/home/hermes"
    assert found["environ"]["TERM"] == "xterm-256color"
    assert found["open"] == []
    assert run(deployed, "exit", "42").returncode == 42
    assert run(deployed, "cat", text="hi\0").stdout == "hi\0"


@contextmanager
def waiting(deployed: Deployment) -> Generator["subprocess.Popen[str]"]:
    """A command that has begun; it is ended whatever becomes of the test."""
    deployed.start()
    probe(deployed)
    argv = command(deployed, "wait")
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "waiting\n"
            yield running
        finally:
            running.kill()


def test_a_signal_reaches_what_runs_inside(deployed: Deployment) -> None:
    with waiting(deployed) as running:
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 42


def test_secrets_are_in_no_command_line(deployed: Deployment) -> None:
    deployed.keys["environmentFiles"] = [deployed.file("env", "API_KEY=a-very-secret-key\n")]
    with waiting(deployed):
        lines = list(command_lines())
    assert any(deployed.name.encode() in line and b"exec" in line for line in lines)
    assert not [line for line in lines if b"a-very-secret-key" in line]


def command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield path.read_bytes()


def test_a_container_that_does_not_run_is_said(deployed: Deployment) -> None:
    deployed.start()
    deployed.stop()
    done = run(deployed, "x")
    assert done.returncode == 1
    assert "is not running" in done.stderr
    assert f"systemctl start {deployed.name}" in done.stderr
    deployed.engine.do("rm", deployed.name)
    assert "is not there" in run(deployed, "x").stderr


def test_root_of_the_container_becomes_the_agents_user(deployed: Deployment) -> None:
    deployed.start()
    program = f"{deployed.package}/bin/hermes"
    following = subprocess.Popen(
        [deployed.engine.program, "exec", deployed.name, program, "logs", "-f"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deployed.wait(lambda: owners(b"\0logs\0-f\0") == {deployed.account.pw_uid}, "logs")
    finally:
        following.kill()
        following.wait()


def owners(words: bytes) -> set[int]:
    """The users of the Python processes with these words, but for those still on their way."""
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
            if b"python" in line.split(b"\0")[0] and line.endswith(words):
                status = (folder / "status").read_text()
                found.add(int(status.partition("Uid:")[2].split()[1]))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
