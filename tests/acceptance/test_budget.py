"""What it costs, and caps on that, in every entrance."""

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from typing import Any

import httpx2
import pytest

from tests.acceptance.hermes import Hermes, Ran
from tests.acceptance.mcp_house import SERVERS, connect, free_port, use
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.acceptance.test_compaction import (
    answer,
    facts_in,
    narrow,
    said_to,
    sessions,
    summarising,
    summary,
    turn,
)
from tests.acceptance.test_delegation import by_child, delegate
from tests.acceptance.test_gateway import LIMIT, gateway
from tests.acceptance.test_interruption import assert_whole
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply, Usage
from tests.servers.telegram import BotApi

CALL = Usage(input=2000, output=500)
PRICES = "{scripted-model: {input: 10, output: 20}}"  # CALL costs 3 cents
KEY = "k" * 20


@pytest.fixture
def api() -> Generator[BotApi]:
    with BotApi() as api:
        yield api


def capped(hermes: Hermes, **caps: float) -> None:
    """Prices for the scripted model, and caps; it is noon, so that no day ends in between."""
    hour = time.gmtime().tm_hour - 12
    lines = "".join(f"  {key}: {value}\n" for key, value in caps.items())
    hermes.configure(f"timezone: Etc/GMT{hour:+d}\nbudget:\n  prices: {PRICES}\n{lines}")


def spent(hermes: Hermes) -> list[tuple[str, str, float | None, str]]:
    """Source, purpose, dollars and status of every call, in order."""
    with closing(sqlite3.connect(hermes.home / "state.db")) as db:
        rows = db.execute("SELECT source, purpose, usd, status FROM spending ORDER BY id")
        return rows.fetchall()


def insights(hermes: Hermes) -> dict[str, Any]:
    return json.loads(hermes.run("insights", "--json").out)["costs"]


def cents(value: float) -> int:
    return round(value * 100)


def refused(ran: Ran, key: str) -> None:
    assert ran.status == 75, ran.out
    assert f"({key})" in ran.err and "is spent" in ran.err
    assert f"hermes config set {key}" in ran.err


def test_a_days_cap_ends_the_turn_in_a_sentence_and_raising_it_goes_on(
    hermes: Hermes, server: ModelServer
) -> None:
    capped(hermes, day_usd=0.05)
    server.always(Reply("Yes.", usage=CALL))
    assert hermes.run("-q", "one").status == 0
    assert hermes.run("-c", "-q", "two").status == 0
    ran = hermes.run("-c", "-q", "three")
    refused(ran, "budget.day_usd")
    assert "$0.06 of $0.05" in ran.err and "at 00:00" in ran.err
    assert len(server.model_requests) == 2
    caps = insights(hermes)["caps"]
    assert [(each["key"], each["cap"], each["left"]) for each in caps] == [
        ("budget.day_usd", 0.05, 0)
    ]
    assert hermes.run("config", "set", "budget.day_usd", "1").status == 0
    assert hermes.run("-c", "-q", "go on").status == 0
    said = [each["content"] for each in server.model_requests[-1].json["messages"]]
    assert said[1:] == ["one", "Yes.", "two", "Yes.", "three", "go on"]


@pytest.mark.parametrize(
    ("call", "children"),
    [
        (Call("terminal", {"command": "true"}), 0),
        (Call("execute_code", {"code": "print(terminal(command='true'))"}), 0),
        (Call("delegate_task", {"goal": "Look"}), 1),
    ],
)
def test_a_model_that_loops_ends_at_the_turns_cap_with_a_whole_history(
    hermes: Hermes, server: ModelServer, call: Call, children: int
) -> None:
    capped(hermes, turn_usd=0.20)
    server.when(by_child, Reply("Nothing there.", usage=CALL))
    server.always(Reply(calls=[call], usage=CALL))
    ran = hermes.run("-q", "go")
    refused(ran, "budget.turn_usd")
    assert "Go on in a new turn" in ran.err
    assert len(server.model_requests) == 7
    assert cents(sum(usd or 0 for _, _, usd, _ in spent(hermes))) == 21
    purposes = Counter(purpose for _, purpose, _, _ in spent(hermes))
    assert purposes["delegation"] == 3 * children and sum(purposes.values()) == 7
    server.when(lambda request: True, Reply("Done.", usage=CALL))
    assert hermes.run("-c", "-q", "go on").out == "Done.\n"
    assert_whole(server.model_requests[-1].json["messages"])


def test_sub_agents_that_loop_are_stopped_by_the_cap_of_the_turn(
    hermes: Hermes, server: ModelServer
) -> None:
    capped(hermes, turn_tokens=50_000)
    server.when(by_child, Reply(calls=[Call("terminal", {"command": "true"})], usage=CALL))
    server.say(Reply(calls=delegate("One", "Two", "Three").calls, usage=CALL))
    ran = hermes.run("-q", "go")
    refused(ran, "budget.turn_tokens")
    # 20 calls reach the cap; three work side by side.
    assert 20 <= len(server.model_requests) <= 22
    assert len(spent(hermes)) == len(server.model_requests)


def test_a_session_meets_its_cap_over_several_turns_and_a_new_one_is_free_of_it(
    hermes: Hermes, server: ModelServer
) -> None:
    capped(hermes, session_usd=0.05)
    server.always(Reply("Yes.", usage=CALL))
    assert hermes.run("-q", "one").status == 0
    first = sessions(hermes)[0]["id"]
    assert hermes.run("-r", first, "-q", "two").status == 0
    refused(hermes.run("-r", first, "-q", "three"), "budget.session_usd")
    assert hermes.run("-q", "another").status == 0


def test_costs_are_shown_by_model_entrance_purpose_and_day_each_call_once(
    hermes: Hermes, server: ModelServer
) -> None:
    capped(hermes, month_usd=3)
    server.when(by_child, Reply("Nothing there.", usage=CALL))
    server.say(
        Reply(calls=delegate("One", "Two").calls, usage=CALL),
        Reply("Well.", usage=Usage(2000, 500, cost=0.5)),
    )
    assert hermes.run("-q", "go").status == 0
    costs = insights(hermes)
    assert (costs["total"]["calls"], cents(costs["total"]["usd"])) == (4, 59)
    assert (costs["total"]["estimated"], costs["total"]["unknown"]) == (3, 0)
    assert [each["name"] for each in costs["by_model"]] == ["scripted-model"]
    assert [each["name"] for each in costs["by_source"]] == ["cli"]
    purposes = {each["name"]: cents(each["usd"]) for each in costs["by_purpose"]}
    assert purposes == {"turn": 53, "delegation": 6}
    assert len(costs["by_day"]) == 1
    listed = hermes.run("insights").out
    assert "$0.59, estimated" in listed
    assert "budget.month_usd" in listed and "$2.41 left" in listed


def test_a_price_that_nobody_knows_is_said_and_is_not_nothing(
    hermes: Hermes, server: ModelServer
) -> None:
    text = (hermes.home / "config.yaml").read_text()
    elsewhere = text.replace("provider: custom", "provider: deepseek").replace("base_url", "x_url")
    (hermes.home / "config.yaml").write_text(elsewhere)
    hermes.environ |= {"DEEPSEEK_BASE_URL": server.base_url, "DEEPSEEK_API_KEY": "key"}
    hermes.configure("budget: {day_usd: 1, day_tokens: 4000}\n")
    server.always(Reply("Yes.", usage=CALL))
    ran = hermes.run("-q", "go")
    assert ran.status == 0 and "Nobody knows what scripted-model costs" in ran.err
    assert spent(hermes) == [("cli", "turn", None, "unknown")]
    assert "unknown: nobody knows the price" in hermes.run("insights").out
    assert hermes.run("-q", "go").status == 0
    refused(hermes.run("-q", "go"), "budget.day_tokens")


def test_a_cap_that_forbids_a_summary_takes_nothing_and_the_next_try_need_not_wait(
    hermes: Hermes, server: ModelServer
) -> None:
    narrow(hermes)
    assert hermes.run("config", "set", "compression.enabled", "false").status == 0
    server.when(summarising, summary)
    server.always(answer)
    turn(hermes, 0)
    for number in range(1, 8):
        turn(hermes, number, "-c")
    assert hermes.run("config", "set", "compression.enabled", "true").status == 0
    assert hermes.run("config", "set", "budget.day_tokens", "1").status == 0
    before = len(server.model_requests)
    refused(hermes.run("-c", "-q", "Remember fact-008."), "budget.day_tokens")
    assert len(server.model_requests) == before and len(sessions(hermes)) == 1
    assert hermes.run("config", "unset", "budget.day_tokens").status == 0
    assert "Shortened from" in turn(hermes, 9, "-c")
    assert facts_in(said_to(server.model_requests[-1])) == [f"fact-{n:03d}" for n in range(10)]
    assert ("cli", "compaction") in [(source, purpose) for source, purpose, *_ in spent(hermes)]


def test_an_mcp_server_that_asks_the_model_meets_the_cap_too(
    hermes: Hermes, server: ModelServer
) -> None:
    connect(hermes, "rich", args=[str(SERVERS / "mcp_rich.py"), "stdio"])
    capped(hermes, day_usd=0.05)
    server.say(
        Reply(calls=use("mcp_rich_ask_model").calls, usage=CALL),
        Reply("Canberra.", usage=CALL),
    )
    refused(hermes.run("-q", "go"), "budget.day_usd")
    assert [each[:2] for each in spent(hermes)] == [("cli", "turn"), ("mcp", "sampling")]


def test_chats_clients_and_jobs_are_told_of_the_cap_by_the_daemon(
    hermes: Hermes, server: ModelServer, api: BotApi
) -> None:
    capped(hermes, day_usd=0.05)
    hermes.environ |= {"API_SERVER_ENABLED": "1", "API_SERVER_KEY": KEY}
    hermes.environ["API_SERVER_PORT"] = str(free_port())
    url = f"http://127.0.0.1:{hermes.environ['API_SERVER_PORT']}/v1/chat/completions"
    body = {"model": "hermes-agent", "messages": [{"role": "user", "content": "hi"}]}
    server.always(Reply("Yes.", usage=CALL))

    def ask() -> httpx2.Response:
        head = {"Authorization": f"Bearer {KEY}"}
        return httpx2.post(url, json=body, headers=head, timeout=LIMIT)

    with gateway(hermes, api) as running:
        running.say("one")
        running.sees("Yes.")
        assert ask().status_code == 200
        running.say("two")
        running.sees("budget.day_usd")
        running.say("/insights")
        running.sees("$0.06 of $0.05, $0.00 left")
        answers = hammered(ask, 20)
        assert {each.status_code for each in answers} == {402}
        error = answers[0].json()["error"]
        assert (error["code"], error["type"]) == ("budget_reached", "billing_error")
        assert "It opens again" in error["message"]
        made = hermes.run("cron", "create", "every 5h", "Look", "--name", "Look", "--json")
        job = json.loads(made.out)["id"]
        assert hermes.run("cron", "run", job).status == 0
        reason = failed(hermes, job)
        assert "budget.day_usd" in reason
        assert len(server.model_requests) == 2
        assert hermes.run("config", "set", "budget.day_usd", "1").status == 0
        running.say("go on")
        running.sees("Yes.", 2)
        assert ask().status_code == 200
        assert running.stop() == 0


@needs_tmux
def test_the_terminal_shows_the_cost_of_the_session_and_of_the_last_days(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    capped(hermes, day_usd=1)
    hermes.configure("display: {show_cost: true}\n")
    server.always(Reply("Yes.", usage=CALL))
    screen = chat()
    screen.say("hello")
    screen.see("~$0.03")
    screen.say("/usage")
    screen.see("the whole session cost $0.03, estimated")
    screen.say("/insights")
    screen.see("$0.97 left")


def hammered(ask: Any, times: int) -> list[httpx2.Response]:
    """Many requests at the same instant."""
    answers: list[httpx2.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert len(answers) == times
    return answers


def failed(hermes: Hermes, job: str) -> str:
    """Why the job's run failed, once it has."""
    pause = threading.Event()
    for _ in range(200):
        listed = json.loads(hermes.run("cron", "list", "--all", "--json").out)
        found = next(each for each in listed if each["id"] == job)
        if found["last_status"] == "error":
            return str(found["last_error"])
        pause.wait(0.1)
    raise AssertionError("the run never failed")
