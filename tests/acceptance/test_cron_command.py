"""`hermes cron`, driven as a process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.ledger.jobs.opening import open_jobs
from hermes_agent.ledger.opening import open_ledger
from tests.acceptance.hermes import Hermes, Ran


@pytest.fixture
def hermes(tmp_path: Path) -> Hermes:
    return Hermes(tmp_path / "home", tmp_path, "http://127.0.0.1:1")


def done(ran: Ran) -> str:
    assert ran.status == 0, ran.err
    return ran.out


def made(hermes: Hermes, *arguments: str) -> dict[str, Any]:
    return json.loads(done(hermes.run("cron", "create", *arguments, "--json")))


def jobs(hermes: Hermes, *flags: str) -> list[dict[str, Any]]:
    return json.loads(done(hermes.run("cron", "list", "--json", *flags)))


def test_a_job_is_made_listed_and_removed(hermes: Hermes) -> None:
    said = done(
        hermes.run(
            "cron", "create", "every weekday at 9", "Read the news", "--name", "News",
            "--deliver", "telegram:42", "--repeat", "5", "--skill", "reader",
        )
    )  # fmt: skip
    assert "every weekday at 09:00" in said and "next run:" in said
    assert "gateway does not run" in said
    (job,) = jobs(hermes)
    assert job["id"] in said
    assert job["schedule"] == {
        "kind": "cron",
        "expr": "0 9 * * 1-5",
        "display": "every weekday at 09:00",
    }
    assert (job["deliver"], job["repeat"]["times"], job["skills"]) == ("telegram:42", 5, ["reader"])
    listed = done(hermes.run("cron", "list"))
    assert job["id"] in listed and "News" in listed
    mirrored = json.loads((hermes.home / "cron" / "jobs.json").read_text())
    assert mirrored["jobs"][0]["id"] == job["id"]
    assert "deleted" in done(hermes.run("cron", "rm", "news"))
    assert jobs(hermes, "--all") == []


def test_a_job_is_paused_resumed_and_changed(hermes: Hermes) -> None:
    job = made(hermes, "2h", "Look", "--skill", "a", "--skill", "b")
    done(hermes.run("cron", "pause", job["id"][:6], "--reason", "holidays"))
    assert jobs(hermes) == []
    (paused,) = jobs(hermes, "--all")
    assert (paused["state"], paused["enabled"], paused["paused_reason"]) == (
        "paused",
        False,
        "holidays",
    )
    assert "list --all" in done(hermes.run("cron", "list"))
    done(hermes.run("cron", "resume", job["id"]))
    done(
        hermes.run(
            "cron", "edit", job["id"], "--schedule", "daily at 7", "--prompt", "Look up",
            "--add-skill", "c", "--remove-skill", "a",
        )
    )  # fmt: skip
    (changed,) = jobs(hermes)
    assert (changed["prompt"], changed["skills"]) == ("Look up", ["b", "c"])
    assert changed["schedule"]["expr"] == "0 7 * * *"
    done(hermes.run("cron", "edit", job["id"], "--clear-skills"))
    assert jobs(hermes)[0]["skills"] == []


def test_a_schedule_that_nobody_understands_shows_examples(hermes: Hermes) -> None:
    ran = hermes.run("cron", "add", "now and then", "Look")
    assert ran.status == 2
    assert "every weekday at 9" in ran.err
    assert jobs(hermes, "--all") == []


def test_commands_on_a_job_that_is_not_there_say_where_to_look(hermes: Hermes) -> None:
    for verb in ("pause", "resume", "run", "remove", "edit"):
        arguments = ("--name", "x") if verb == "edit" else ()
        ran = hermes.run("cron", verb, "nobody", *arguments)
        assert (ran.status, ran.out) == (1, "")
        assert "hermes cron list --all" in ran.err


def test_an_edit_that_names_nothing_is_refused(hermes: Hermes) -> None:
    job = made(hermes, "2h", "Look")
    assert hermes.run("cron", "edit", job["id"]).status == 2


def test_run_and_tick_hand_the_job_on_once(hermes: Hermes) -> None:
    job = made(hermes, "2h", "Look")
    assert "gateway does not run" in done(hermes.run("cron", "run", job["id"]))
    assert "1 handed on" in done(hermes.run("cron", "tick"))
    assert "0 handed on" in done(hermes.run("cron", "tick"))
    ledger = open_ledger(hermes.home)
    (row,) = ledger.inbox("waiting")
    ledger.close()
    assert row.inbound.extra["job"] == job["id"]
    assert row.inbound.text == "Look"


def test_status_tells_what_runs_next_and_what_failed(hermes: Hermes) -> None:
    job = made(hermes, "2h", "Look", "--name", "Rounds")
    book = open_jobs(hermes.home)
    for run in range(3):
        book.record(job["id"], f"r{run}", "error", "no \x1b[31mmodel", at=0, max_failures=3)
    book.close()
    shown = done(hermes.run("cron", "status"))
    assert "does not run" in shown
    assert "Rounds" in shown and "paused" in shown
    assert "\x1b" not in shown
    found = json.loads(done(hermes.run("cron", "status", "--json")))
    assert found["gateway_running"] is False
    assert (found["jobs"]["paused"], found["failing"]) == (1, [job["id"]])


def test_a_script_alone_needs_no_prompt_and_stays_in_its_folder(hermes: Hermes) -> None:
    job = made(hermes, "hourly", "--script", "count.py", "--no-agent")
    assert (job["script"], job["no_agent"]) == ("count.py", True)
    assert hermes.run("cron", "create", "hourly", "--script", "../x", "--no-agent").status == 2
    assert hermes.run("cron", "create", "hourly").status == 2


def test_the_time_zone_of_the_configuration_holds(hermes: Hermes) -> None:
    hermes.configure("timezone: Asia/Tokyo\n")
    assert made(hermes, "daily at 9", "Look")["next_run_at"].endswith("T09:00:00+09:00")
    elsewhere = made(hermes, "daily at 9", "Look", "--timezone", "America/Lima")
    assert elsewhere["next_run_at"].endswith("T09:00:00-05:00")
    ran = hermes.run("cron", "create", "daily at 9", "Look", "--timezone", "Mars/Olympus")
    assert ran.status == 78
    assert "Mars/Olympus" in ran.err


def test_jobs_of_an_earlier_installation_are_there_at_once(hermes: Hermes) -> None:
    (hermes.home / "cron").mkdir()
    old = {
        "id": "0123456789ab",
        "name": "News",
        "prompt": "Tell",
        "schedule": {"kind": "interval", "minutes": 60, "display": "every 60m"},
        "enabled": True,
        "state": "scheduled",
    }
    (hermes.home / "cron" / "jobs.json").write_text(json.dumps({"jobs": [old]}))
    (job,) = jobs(hermes)
    assert (job["id"], job["schedule_display"]) == ("0123456789ab", "every 60m")


def test_jobs_are_kept_in_a_managed_home_too(hermes: Hermes) -> None:
    ran = hermes.run("cron", "create", "2h", "Look", HERMES_MANAGED="1")
    assert ran.status == 0, ran.err


def test_list_is_light(hermes: Hermes) -> None:
    made(hermes, "2h", "Look")
    code = (
        "import sys; from hermes_agent.cli.entry import run; run(['cron', 'list']);"
        "print(*sorted({'asyncio', 'rich', 'httpx2', 'importlib.metadata'} & set(sys.modules)),"
        " file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=hermes.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "every 2h" in ended.stdout
    assert ended.stderr == "\n"


def test_a_platform_that_does_not_exist_is_refused_before_the_job_is_made(hermes: Hermes) -> None:
    ran = hermes.run("cron", "create", "30m", "x", "--deliver", "local,telegramm:42")
    assert ran.status == 2
    assert "'telegramm'" in ran.err
    assert jobs(hermes, "--all") == []


def test_whoever_makes_a_job_hears_that_its_answers_reach_nobody_yet(hermes: Hermes) -> None:
    assert "/sethome" in done(hermes.run("cron", "create", "30m", "x", "--deliver", "telegram"))
    assert "origin" in done(hermes.run("cron", "create", "30m", "y", "--deliver", "origin"))
    known = {"TELEGRAM_HOME_CHANNEL": "42"}
    said = done(hermes.run("cron", "create", "30m", "z", "--deliver", "telegram", **known))
    assert "/sethome" not in said


def test_the_home_chat_that_was_chosen_on_the_platform_counts(hermes: Hermes) -> None:
    ledger = open_ledger(hermes.home)
    ledger.remember("home.telegram", '{"platform": "telegram", "chat_id": "42"}')
    ledger.close()
    said = done(hermes.run("cron", "create", "30m", "z", "--deliver", "telegram"))
    assert "/sethome" not in said


def test_the_shell_completes_a_jobs_id(hermes: Hermes) -> None:
    job = made(hermes, "30m", "x")["id"]
    typed = {"COMP_WORDS": f"hermes cron pause {job[:4]}", "COMP_CWORD": "3"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("hermes"))],
        env=hermes.environ | typed | {"_HERMES_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"plain,{job}\n"
