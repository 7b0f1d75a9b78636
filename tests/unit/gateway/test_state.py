"""The files that other people's tools read."""

import json
import os
import re
from pathlib import Path

import pytest

from hermes_agent.gateway.process import start_ticks
from hermes_agent.gateway.state import StateFiles, read_status


@pytest.fixture
def home(home: Path) -> Path:
    home.mkdir(mode=0o700)
    return home


def state(home: Path) -> dict[str, object]:
    return json.loads((home / "gateway_state.json").read_bytes())


def test_a_start_is_written_into_both_files(home: Path) -> None:
    StateFiles(home, ["hermes", "gateway", "run"]).begin()
    about = {
        "pid": os.getpid(),
        "kind": "hermes-gateway",
        "argv": ["hermes", "gateway", "run"],
        "start_time": start_ticks(os.getpid()),
    }
    assert json.loads((home / "gateway.pid").read_bytes()) == about
    written = state(home)
    assert about.items() <= written.items()
    assert written["gateway_state"] == "starting"
    assert written["exit_reason"] is None
    assert written["platforms"] == {}
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(written["updated_at"]))


def test_platforms_are_told_apart_and_keep_their_last_error(home: Path) -> None:
    files = StateFiles(home, [])
    files.begin()
    files.turn("running")
    files.platform("telegram", "connected")
    files.platform("discord", "failed", code="token", message="The token is wrong")
    found = read_status(home)
    assert found == files.now
    assert found
    assert found.gateway_state == "running"
    assert found.platforms["telegram"].state == "connected"
    assert found.platforms["discord"].error_code == "token"
    assert found.platforms["discord"].error_message == "The token is wrong"
    files.platform("discord", "connected")
    now = read_status(home)
    assert now
    assert now.platforms["discord"].error_code is None
    assert now.platforms["telegram"].state == "connected"


def test_an_end_leaves_the_reason_and_no_pid(home: Path) -> None:
    files = StateFiles(home, [])
    files.begin()
    files.end("SIGTERM")
    assert (state(home)["gateway_state"], state(home)["exit_reason"]) == ("stopped", "SIGTERM")
    assert not (home / "gateway.pid").exists()


def test_a_start_that_failed_says_so(home: Path) -> None:
    files = StateFiles(home, [])
    files.begin()
    files.end("no model", failed=True)
    assert state(home)["gateway_state"] == "startup_failed"


def test_secrets_in_errors_reasons_and_arguments_are_blanked(home: Path) -> None:
    files = StateFiles(home, ["run", "hunter2"], lambda text: text.replace("hunter2", "***"))
    files.begin()
    files.platform("irc", "retrying", message="PASS hunter2 refused")
    files.end("hunter2")
    for path in home.iterdir():
        assert b"hunter2" not in path.read_bytes()


def test_the_group_of_a_shared_home_may_read_and_a_stranger_not(home: Path) -> None:
    home.chmod(0o750)
    StateFiles(home, []).begin()
    for name in ("gateway.pid", "gateway_state.json"):
        assert (home / name).stat().st_mode & 0o777 == 0o640


def test_a_home_that_takes_no_files_costs_the_files_only(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = StateFiles(home / "gone", [])
    files.begin()
    files.turn("running")
    files.end()
    assert files.now.gateway_state == "stopped"
    assert "Cannot write" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "one"}', '{"platforms": {"x": 1}}'])
def test_nonsense_in_the_file_reads_as_nothing(home: Path, text: str) -> None:
    (home / "gateway_state.json").write_text(text)
    assert read_status(home) is None


def test_what_another_version_wrote_beside_it_is_no_obstacle(home: Path) -> None:
    (home / "gateway_state.json").write_text(
        '{"pid": 7, "gateway_state": "running", "restart_requested": true,'
        ' "platforms": {"slack": {"state": "connected", "since": 1}}}'
    )
    found = read_status(home)
    assert found
    assert (found.pid, found.platforms["slack"].state) == (7, "connected")
