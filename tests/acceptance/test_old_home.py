"""The home of an older installation, used as if nothing had happened."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hermes_agent.gateway.process import start_ticks
from tests.acceptance.hermes import Hermes
from tests.acceptance.test_bad_disks import inside, mountable
from tests.old_home.builder import LED, ONLY_LOG, build
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply


@pytest.fixture
def old(hermes: Hermes, server: ModelServer) -> Hermes:
    build(hermes.home, base_url=server.base_url)
    return hermes


def contents(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and not path.name.startswith("state.db")
    }


def everything(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes() if path.is_file() else b""
        for path in home.rglob("*")
    }


def test_one_command_takes_it_over_and_says_what_became_of_it(old: Hermes) -> None:
    before = contents(old.home)
    parts = {each["name"]: each for each in json.loads(old.run("migrate", "--json").out)}
    assert parts["state.db"]["text"].startswith("5 conversations, 11 messages; as it was: ")
    assert parts["sessions/sessions.json"]["state"] == "used"
    assert parts["cron/jobs.json"]["text"] == "1 job"
    assert parts["pairing/"]["text"] == "1 person"
    assert parts["hooks"]["state"] == "not used"
    assert "could not be read" in parts["  e5f6a7b8.jsonl"]["text"]
    after = contents(old.home)
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {"cron/jobs.json"}
    (copy,) = (name for name in after if name.startswith("cron/jobs.json.before-"))
    assert after[copy] == before["cron/jobs.json"]
    assert old.run("migrate").status == 0
    assert len(list(old.home.glob("state.db.before-*"))) == 1


def test_a_trial_says_the_same_and_changes_nothing(old: Hermes) -> None:
    before = everything(old.home)
    tried = old.run("migrate", "--dry-run", "--json")
    assert everything(old.home) == before
    assert "Nothing was changed." in old.run("migrate", "--dry-run").out
    really = old.run("migrate", "--json").out
    (copy,) = old.home.glob("state.db.before-*")
    assert tried.out == really.replace(f"; as it was: {copy.name}", "")


def test_a_part_that_cannot_be_read_keeps_no_other_from_being_taken_over(old: Hermes) -> None:
    (old.home / "pairing/discord-approved.json").write_bytes(b"\xff\xfe")
    (old.home / "skills/.hub/lock.json").write_text("[[[")
    (old.home / "auth.json").write_text("[" * 100_000)
    (old.home / "memories/MEMORY.md").write_bytes(b"y" * 5_000_000)
    (old.home / "cron/jobs.json").write_text('{"jobs": [{')
    ran = old.run("migrate", "--json")
    assert ran.status == 0, ran.err
    parts = {each["name"]: each for each in json.loads(ran.out)}
    assert "discord-approved.json cannot be read" in parts["pairing/"]["text"]
    assert "longer than" in parts["memories/MEMORY.md"]["text"]
    assert "kept as jobs.json.unreadable-" in parts["cron/jobs.json"]["text"]
    assert parts["memories/USER.md"]["state"] == "used"
    assert parts["state.db"]["state"] == "used"


def test_a_disk_without_room_is_named_before_anything_is_begun(old: Hermes) -> None:
    if not mountable():
        pytest.skip("no mounts may be made here")
    ran = inside(
        old,
        "cp -a $HERMES_HOME kept; mount -t tmpfs -o size=1m,mode=700 none $HERMES_HOME",
        "cp -a kept/. $HERMES_HOME; md5sum < $HERMES_HOME/state.db",
        "free=$(df -k --output=avail $HERMES_HOME | tail -1)",
        "head -c $((free - 90))K /dev/zero > $HERMES_HOME/fill",
        "$H migrate >/dev/null; echo status $? >&2",
        "md5sum < $HERMES_HOME/state.db; rm $HERMES_HOME/fill",
        "$H migrate >&2",
    )
    assert ran.status == 0, ran.err
    assert "status 1" in ran.err
    assert "MB are free. It is left untouched." in ran.err
    before, after = ran.out.split("-")[:2]
    assert before.strip() == after.strip()


def test_an_old_gateway_that_still_runs_is_named(old: Hermes) -> None:
    with subprocess.Popen(["sleep", "100"], executable=shutil.which("sleep")) as stranger:
        (old.home / "gateway.pid").write_text(str(stranger.pid))
        assert "old gateway" not in old.run("migrate").out, "a pid that is used again"
        stranger.kill()
    program = [sys.executable, "-c", "import sys; sys.stdin.read()", "gateway", "run"]
    with subprocess.Popen(program, stdin=subprocess.PIPE) as elder:
        for told in ({"pid": elder.pid, "start_time": start_ticks(elder.pid)}, elder.pid):
            (old.home / "gateway.pid").write_text(json.dumps(told))
            assert f"(pid {elder.pid}): stop it" in old.run("migrate").out
        ran = old.run("gateway", "run")
        assert ran.status == 1
        assert f"kill {elder.pid}" in ran.err
        (old.home / "gateway.pid").write_text(json.dumps({"pid": elder.pid, "start_time": 1}))
        assert "old gateway" not in old.run("migrate").out
        elder.kill()


def test_an_old_conversation_goes_on(old: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="Taller, then."))
    ran = old.run("-r", "Old plans #2", "-q", "how tall?")
    assert ran.status == 0, ran.err
    assert "as it was:" in ran.err
    said = [message["content"] for message in server.model_requests[-1].json["messages"]]
    assert "Make it taller." in said
    assert "as it was:" not in old.run("-r", ONLY_LOG, "-q", "and now?").err


def test_notes_persona_and_search_are_there(old: Hermes, server: ModelServer) -> None:
    search = Call("session_search", {"query": "kestrel"})
    server.say(Reply(calls=[search]), Reply(text="Yes."))
    assert old.run("-q", "hello").status == 0
    asked = server.model_requests[0].json["messages"][0]["content"]
    assert "Old Faithful" in asked
    assert "Tests need a network" in asked
    assert "Prefers tabs" in asked
    assert "prune: How to prune." in asked
    assert "weighs" in server.model_requests[1].json["messages"][-1]["content"]


def test_jobs_go_on(old: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="Hello, week."))
    assert "2099-09-07" in old.run("cron", "list").out
    assert old.run("cron", "run", "weekly").status == 0
    job = json.loads(old.run("cron", "list", "--all", "--json").out)[0]
    assert job["repeat"]["completed"] >= 4


def test_old_settings_are_used_and_written_anew_on_demand(old: Hermes) -> None:
    assert old.run("config", "get", "agent.max_turns").out.strip() == "77"
    assert old.run("config", "get", "approvals.mode").out.strip() == "off"
    before = (old.home / "config.yaml").read_bytes()
    ran = old.run("config", "migrate")
    assert "max_turns is now agent.max_turns" in ran.out
    (copy,) = old.home.glob("config.yaml.before-*")
    assert copy.read_bytes() == before
    assert "honcho: {enabled: true}" in (old.home / "config.yaml").read_text()


def test_a_managed_home_keeps_its_settings(old: Hermes) -> None:
    (old.home / ".managed").write_text("nixos\n")
    before = (old.home / "config.yaml").read_bytes()
    assert old.run("migrate").status == 0
    assert old.run("config", "migrate").status == 1
    assert (old.home / "config.yaml").read_bytes() == before


def test_a_database_that_somebody_holds_is_left_alone(old: Hermes) -> None:
    other = sqlite3.connect(old.home / "state.db")
    other.execute("BEGIN IMMEDIATE")
    ran = old.run("migrate")
    assert ran.status == 1
    assert "Another process held" in ran.err
    other.rollback()
    other.close()
    assert old.run("migrate").status == 0


def test_no_room_for_the_copy_leaves_it_as_it_was(old: Hermes) -> None:
    before = (old.home / "state.db").read_bytes()
    old.prefix = ["prlimit", f"--fsize={len(before) // 2}"]
    ran = old.run("migrate")
    assert ran.status != 0
    assert "Traceback" not in ran.err
    assert (old.home / "state.db").read_bytes() == before
    old.prefix = []
    assert old.run("migrate").status == 0


def test_nothing_old_is_said_to_be_nothing(hermes: Hermes) -> None:
    (hermes.home / "config.yaml").unlink()
    assert "Nothing of an older installation" in hermes.run("migrate").out


def test_the_conversations_of_a_home_without_a_database_are_found(old: Hermes) -> None:
    (old.home / "state.db").unlink()
    for side in old.home.glob("state.db-*"):
        side.unlink()
    assert "Bob keeps newts." in old.run("sessions", "list").out
    assert LED in old.run("sessions", "search", "stands in the database").out
