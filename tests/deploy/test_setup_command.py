"""`hermes deploy check`, `prepare` and `schema`, as they are typed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.config.files import write_atomically
from hermes_agent.config.home import prepare as prepare_home
from hermes_agent.config.managed import find
from hermes_agent.config.paths import Paths
from tests.deploy.ground import Ground, seen

PREPARE = """
import sys
from pathlib import Path
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.deploy.reading import read
from hermes_agent.deploy.setup.prepare import prepare
spec = read(Path(sys.argv[1]))
prepare(spec, Places.of(spec, Roots(*map(Path, sys.argv[2:]))))
"""


def hermes(*argv: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hermes_agent", "deploy", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **variables},
        check=False,
    )


def specification(folder: Path, **keys: Any) -> str:
    path = folder / "spec.json"
    path.write_text(json.dumps({"package": "/usr", **keys}))
    return str(path)


def test_check_says_what_is_wrong_and_prepare_does_nothing_then(tmp_path: Path) -> None:
    good = hermes("check", specification(tmp_path))
    assert good.returncode == 0
    assert "hermes-agent.service" in good.stdout
    path = specification(tmp_path, stateDri="/x")
    for word in ("check", "prepare"):
        bad = hermes(word, path)
        assert bad.returncode == 78
        assert "stateDri is not known; did you mean stateDir?" in bad.stderr


def test_what_only_the_service_calls_stands_apart() -> None:
    people, _, service = hermes("--help").stdout.partition("Used by the service itself:\n")
    named = [line.split()[0] for line in people.partition("Commands:\n")[2].splitlines() if line]
    assert named == ["apply", "check", "remove", "schema", "status", "unit"]
    assert [line.split()[0] for line in service.splitlines()] == ["prepare", "run"]


def test_the_schema_knows_the_documented_options() -> None:
    schema = json.loads(hermes("schema").stdout)
    known = schema["$defs"]["Specification"]["properties"]
    assert {"stateDir", "environmentFiles", "container", "documents", "mcpServers"} <= set(known)


def test_a_person_prepares_their_own_service(tmp_path: Path) -> None:
    state = tmp_path / "agent"
    path = specification(tmp_path, scope="user", stateDir=str(state), settings={"timezone": "UTC"})
    variables = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
    }
    ran = hermes("prepare", path, **variables)
    assert ran.returncode == 0, ran.stderr
    assert "timezone: UTC" in (state / ".hermes/config.yaml").read_text()
    assert "unchanged" in hermes("prepare", path, **variables).stdout
    environment = tmp_path / "run/hermes-agent/hermes-agent/environment"
    assert environment.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="NOBODY IS REFUSED: needs root to become nobody")
def test_only_root_sets_up_a_deployment_of_the_system(ground: Ground) -> None:
    from hermes_agent.deploy.setup import account
    from hermes_agent.deploy.setup.errors import SetupFailed

    spec = ground.spec()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setuid(ground.uid)
            account.resolve(spec)
        except SetupFailed as error:
            status = 0 if "only root" in error.message else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_killed_at_any_moment_the_next_start_finishes(ground: Ground, tmp_path: Path) -> None:
    """Seen from what the agent gets: old or new, never half."""
    roots = [str(ground.roots.registry), str(ground.roots.records), str(ground.roots.runtime)]
    old = ground.spec(settings={"timezone": "Old"}, documents={"A.md": {"text": "old"}})
    ground.prepare(old)
    new = ground.spec(
        settings={"timezone": "New"},
        documents={"A.md": {"text": "new"}, "B/C.md": {"text": "new"}},
    )
    from hermes_agent.deploy import reading

    (tmp_path / "spec.json").write_bytes(reading.encode(new))
    command = [sys.executable, "-c", PREPARE, str(tmp_path / "spec.json"), *roots]
    started = time.monotonic()
    subprocess.run(command, check=True)
    whole = time.monotonic() - started
    for step in range(12):
        ground.prepare(old)
        process = subprocess.Popen(command, start_new_session=True)
        try:
            process.wait(timeout=whole * step / 12)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        text = ground.config.read_text()
        assert ("timezone: Old" in text) != ("timezone: New" in text)
        assert (ground.state / "workspace/A.md").read_text() in ("old", "new")
        ground.prepare(new)
        assert "timezone: New" in ground.config.read_text()
        assert (ground.state / "workspace/B/C.md").read_text() == "new"
        assert not ground.prepare(new).changed


def test_the_application_s_own_writers_leave_modes_and_group_alone(ground: Ground) -> None:
    spec = ground.spec(documents={"SOUL.md": {"text": "s"}}, settings={"timezone": "UTC"})
    ground.prepare(spec)
    paths = Paths(ground.home)
    before = {name: each[:3] for name, each in seen(ground.state).items()}
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(ground.gid)
            os.setuid(ground.uid)
            os.umask(0o077)
            prepare_home(paths, find(paths, {}, registry=ground.roots.registry))
            for path in (paths.config_file, paths.soul_file, ground.state / "workspace/SOUL.md"):
                write_atomically(path, b"timezone: Mine\n")
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert paths.config_file.read_text() == "timezone: Mine\n"
    assert {name: each[:3] for name, each in seen(ground.state).items()} == before
