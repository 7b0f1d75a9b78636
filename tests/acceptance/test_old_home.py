"""The home of an older installation, used as if nothing had happened."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.acceptance.hermes import Hermes
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
