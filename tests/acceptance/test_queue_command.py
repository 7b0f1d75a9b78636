"""`hermes gateway queue`, driven as a process beside the ledger that a gateway left."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.ledger.opening import open_ledger
from hermes_agent.ledger.port import Ledger
from tests.acceptance.hermes import Hermes, Ran
from tests.contract.ledger.making import LEASE, inbound, outgoing


@pytest.fixture
def hermes(tmp_path: Path) -> Hermes:
    return Hermes(tmp_path / "home", tmp_path, "http://127.0.0.1:1")


@pytest.fixture
def ledger(hermes: Hermes) -> Iterator[Ledger]:
    """in:1 was given up, in:2 waits, out:1 was given up, out:2 waits."""
    ledger = open_ledger(hermes.home)
    ledger.accept(inbound("1", "what is \x1b[31mthe time"), "s")
    ledger.accept(inbound("2", "still there?"), "s")
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.release(claim, "w", error="No key for the model.", attempts=1)
    ledger.post([outgoing("a", text="never heard"), outgoing("b", text="soon heard")])
    dispatch = ledger.next(["telegram"], 2e9)
    assert dispatch is not None
    ledger.unsent(dispatch, error="The chat is gone.", retry_at=None)
    yield ledger
    ledger.close()


def queue(hermes: Hermes, *arguments: str) -> Ran:
    return hermes.run("gateway", "queue", *arguments)


def test_what_waits_and_what_was_given_up_is_listed_with_the_reason(
    hermes: Hermes, ledger: Ledger
) -> None:
    listed = queue(hermes, "list")
    assert listed.status == 0
    lines = listed.out.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [
        ["in:2", "waiting"],
        ["in:1", "dead"],
        ["out:2", "waiting"],
        ["out:1", "dead"],
    ]
    assert "No key for the model." in lines[1] and "The chat is gone." in lines[3]
    assert "\x1b" not in listed.out
    assert "hermes gateway queue retry" in lines[4]


def test_the_dead_and_the_done_can_be_listed_alone_and_together(
    hermes: Hermes, ledger: Ledger
) -> None:
    dead = json.loads(queue(hermes, "list", "--dead", "--json").out)
    assert [row["id"] for row in (*dead["inbox"], *dead["outbox"])] == [1, 1]
    assert dead["inbox"][0]["inbound"]["text"] == "what is \x1b[31mthe time"
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.settle(claim, "w")
    assert "in:2" not in queue(hermes, "list").out
    assert "in:2      done" in queue(hermes, "list", "--all").out


def test_one_message_is_shown_whole(hermes: Hermes, ledger: Ledger) -> None:
    shown = queue(hermes, "show", "out:1").out
    assert "dead, 1 attempt" in shown and "The chat is gone." in shown and "never heard" in shown
    assert json.loads(queue(hermes, "show", "in:2", "--json").out)["state"] == "waiting"
    for name in ("in:99", "out:99"):
        missing = queue(hermes, "show", name)
        assert missing.status == 1 and name in missing.err


def test_the_dead_are_tried_again_by_name_or_all(hermes: Hermes, ledger: Ledger) -> None:
    assert queue(hermes, "retry", "in:1").out == "in:1 waits again.\n"
    assert [row.id for row in ledger.inbox("waiting")] == [2, 1]
    assert queue(hermes, "retry", "--all-dead").out == "out:1 waits again.\n"
    assert ledger.counts().outbox == {"waiting": 2}
    refused = queue(hermes, "retry", "in:2")
    assert refused.status == 1 and "in:2" in refused.err


def test_messages_are_dropped_by_name_or_all_dead(hermes: Hermes, ledger: Ledger) -> None:
    assert queue(hermes, "drop", "--all-dead").status == 0
    assert queue(hermes, "drop", "in:2", "out:2").status == 0
    assert (ledger.inbox(), ledger.outbox()) == ((), ())
    assert queue(hermes, "drop", "--all-dead").status == 0
    assert queue(hermes, "drop", "in:2").status == 1


@pytest.mark.parametrize(
    "name", ["1", "in:", "in:x", "in:-1", "inbox:1", "in:１", "in:" + "9" * 30]
)
def test_a_name_that_is_none_is_refused(hermes: Hermes, name: str) -> None:
    refused = queue(hermes, "drop", name)
    assert refused.status == 2 and "in:12" in refused.err


def test_names_and_all_dead_exclude_each_other(hermes: Hermes, ledger: Ledger) -> None:
    assert queue(hermes, "drop", "in:1", "--all-dead").status == 2
    assert queue(hermes, "drop").status == 2
    assert ledger.counts().inbox == {"dead": 1, "waiting": 1}


def test_what_is_done_is_forgotten_on_demand(hermes: Hermes, ledger: Ledger) -> None:
    claim = ledger.claim("w", LEASE)
    assert claim is not None
    ledger.settle(claim, "w")
    assert queue(hermes, "prune").out == "0 row(s) forgotten.\n"
    assert queue(hermes, "prune", "--older-than", "0").out == "1 row(s) forgotten.\n"
    assert ledger.counts().inbox == {"dead": 1}


def test_a_home_without_messages_is_left_as_it_is(hermes: Hermes) -> None:
    assert queue(hermes, "list").out == "Nothing waits.\n"
    assert queue(hermes, "prune").out == "0 row(s) forgotten.\n"
    assert queue(hermes, "show", "in:1").status == 2
    assert not (hermes.home / "state.db").exists()
