"""A container's life as systemd sees it: ready, alive, stopping, and what it ends as."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.deploy.container import agent
from tests.deploy.container.deployment import SETTINGS, Deployment

pytestmark = pytest.mark.timeout(400)  # the first test may have to fetch a Debian


def test_the_agent_runs_as_its_user_with_an_init_above_it(deployed: Deployment) -> None:
    deployed.start()
    assert deployed.engine.status("hermes-agent") == "running"
    uid, gid = deployed.account.pw_uid, deployed.account.pw_gid
    assert agent.status(deployed, "Uid").split() == [str(uid)] * 4
    assert agent.status(deployed, "Gid").split() == [str(gid)] * 4
    assert agent.status(deployed, "Umask") == "0007"
    assert agent.command(deployed)[-3:] == ["gateway", "run", "--replace"]
    found = dict(each.split("=", 1) for each in agent.variables(deployed))
    assert found["HERMES_HOME"] == "/data/.hermes"
    assert found["MESSAGING_CWD"] == "/data/workspace"
    assert found["HERMES_MANAGED"] == "true"
    assert found["HOME"] == "/home/hermes"
    assert found["PATH"].startswith("/home/hermes/.venv/bin:/home/hermes/.local/bin:")
    assert found["PATH"].endswith(":/data/current-package/bin")
    assert os.readlink(f"/proc/{agent.agent_pid(deployed)}/cwd").endswith("/workspace")
    assert deployed.sh("stat -c '%u:%g' /home/hermes; ls -A /home/hermes").startswith(f"{uid}:")
    assert deployed.sh("id -u; cat /proc/1/comm").split()[-1] in (
        "docker-init",
        "podman-init",
    )


def test_systemd_hears_ready_status_and_the_watchdog_from_the_agent(deployed: Deployment) -> None:
    deployed.start(WATCHDOG_USEC="1000000", WATCHDOG_PID="1")
    assert any("platforms connected" in line for line in deployed.heard())
    deployed.wait(lambda: deployed.heard().count("WATCHDOG=1") > 2, "three signs of life")
    ended = deployed.stop()
    assert ended.status == 0
    assert "STOPPING=1" in deployed.said
    names = {line.partition("=")[0] for line in deployed.said}
    known = {"READY", "STATUS", "WATCHDOG", "STOPPING", "EXTEND_TIMEOUT_USEC"}
    assert names <= known


def test_the_agent_can_tell_systemd_how_it_is_and_nothing_else(deployed: Deployment) -> None:
    deployed.start()
    told = (
        "import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
        "s.connect('/run/hermes/notify');"
        "s.send(b'MAINPID=1\\nFDSTORE=1\\nERRNO=2\\nEXIT_STATUS=0\\nNOTIFYACCESS=all\\n"
        "STATUS=planted\\x1b[31m\\nREADY=0\\nWATCHDOG=trigger\\nWATCHDOG_USEC=1')"
    )
    deployed.exec("python3", "-c", told, user=deployed.agent)
    deployed.wait(lambda: "STATUS=planted [31m" in deployed.heard(), "the status")
    said = "\n".join(deployed.heard())
    for word in ("MAINPID", "FDSTORE", "ERRNO", "EXIT_STATUS", "NOTIFYACCESS", "READY=0", "\x1b"):
        assert word not in said
    assert "WATCHDOG=trigger" not in said
    assert "WATCHDOG_USEC" not in said
    # Others in the container may not speak for it.
    refused = deployed.engine.run(
        "exec", "-u", "12345:12345", "hermes-agent", "python3", "-c", told
    )
    assert "PermissionError" in refused.stderr


def test_what_the_agent_logs_reaches_the_journal_and_the_engine_s_log(
    deployed: Deployment,
) -> None:
    deployed.start()
    # What it tells systemd and what it prints come by two ways.
    deployed.wait(lambda: "the gateway is up" in deployed.log(), "what it printed")
    done = deployed.engine.run("logs", "hermes-agent")
    assert "the gateway is up" in done.stdout + done.stderr


def test_a_turn_that_runs_when_the_service_stops_is_finished_first(deployed: Deployment) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {**SETTINGS["model"], "base_url": f"http://127.0.0.1:{port}/v1"}
    deployed.keys["settings"] = {"model": settings}
    deployed.keys["environment"] = {"GATEWAY_ALLOW_ALL_USERS": "true"}
    asked, go = deployed.folder / "asked", deployed.folder / "go"
    with agent.model(port, asked, go) as model:
        try:
            deployed.start()
            agent.ledger(deployed)
            deployed.wait(asked.exists, "the question")
            deployed.send(signal.SIGTERM)
            deployed.wait(
                lambda: any("waiting for turns" in line for line in deployed.heard()), "the drain"
            )
            go.touch()
            ended = deployed.ended()
            assert (ended.status, "cut off" in ended.said) == (0, False)
            assert "stop: waiting for 1 turn(s) to end" in ended.said
        finally:
            go.touch()
            model.terminate()
    deployed.start()
    assert agent.inbox(deployed) == ["done"]
    assert "It took a while." in agent.ledger(deployed, "--outbox")


def test_a_reload_is_handed_on(deployed: Deployment) -> None:
    deployed.start()
    pid = agent.agent_pid(deployed)
    deployed.said.clear()
    deployed.send(signal.SIGHUP)
    deployed.wait(lambda: deployed.heard().count("READY=1") == 1, "READY=1 after the reload")
    assert "RELOADING=1" in deployed.said
    assert any(line.startswith("MONOTONIC_USEC=") for line in deployed.said)
    assert "the configuration was read again" in deployed.log()
    assert agent.agent_pid(deployed) == pid


@pytest.mark.parametrize("meant", [75, 78])
def test_the_agent_s_exit_status_is_the_service_s(deployed: Deployment, meant: int) -> None:
    deployed.start()
    if meant == 75:
        deployed.send(signal.SIGUSR1)  # a planned restart
        assert deployed.ended().status == 75
        return
    deployed.stop()
    config = deployed.state / ".hermes" / "config.yaml"
    config.write_text("agent:\n  max_iterations_of_nothing: 1\n  max_turns: many\n")
    assert deployed.fails().status == 78


def test_a_service_s_process_that_was_killed_leaves_one_agent_after_the_next_start(
    deployed: Deployment,
) -> None:
    deployed.start()
    pid, container = agent.agent_pid(deployed), deployed.id
    deployed.send(signal.SIGKILL)
    assert deployed.ended().status == -signal.SIGKILL
    assert deployed.engine.status("hermes-agent") == "running"
    deployed.start()
    assert deployed.id == container
    assert not Path(f"/proc/{pid}").exists()
    assert "which still runs; running turns end first" in deployed.log()
    assert "drained" in deployed.engine.run("logs", "hermes-agent").stdout + (
        deployed.engine.run("logs", "hermes-agent").stderr
    )


def test_a_rotated_secret_needs_a_restart_and_nothing_shows_it(deployed: Deployment) -> None:
    file = deployed.file("secrets.env", "TEST_API_KEY=sk-the-first\n")
    key = deployed.file("model-key", "sk-the-model\n")
    deployed.keys["environmentFiles"] = [file]
    deployed.keys["secrets"] = {"model.api_key": key}
    deployed.start()
    assert "TEST_API_KEY=sk-the-first" in agent.variables(deployed)
    container = deployed.id
    Path(file).write_text("TEST_API_KEY=sk-the-second\n")
    deployed.restart()
    assert deployed.id == container
    assert "TEST_API_KEY=sk-the-second" in agent.variables(deployed)
    assert "CREDENTIALS_DIRECTORY=/run/hermes/credentials" in agent.variables(deployed)
    credential = "/run/hermes/credentials/settings.model.api_key"
    assert deployed.exec("cat", credential, user=deployed.agent) == "sk-the-model"
    about = deployed.sh(f"stat -c '%a %u' {credential} /run/hermes/environment")
    assert about.split() == ["400", str(deployed.account.pw_uid), "600", "0"]
    logs = deployed.engine.run("logs", "hermes-agent")
    shown = [deployed.engine.do("inspect", "hermes-agent"), deployed.log(), logs.stdout]
    shown += [logs.stderr, *(_words(pid) for pid in Path("/proc").iterdir() if pid.name.isdigit())]
    shown += deployed.heard()
    assert not [text for text in shown if "sk-the-" in text]


def _words(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
    # Not those of this test.
    return "" if int(process.name) == os.getpid() else words
