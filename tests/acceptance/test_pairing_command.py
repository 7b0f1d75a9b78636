"""`hermes pairing`, driven as a process."""

import json
import os
from pathlib import Path

import pytest

from hermes_agent.policy.admission.files import PairingFiles
from hermes_agent.policy.admission.pairing import PairingBook
from tests.acceptance.hermes import Hermes


@pytest.fixture
def hermes(tmp_path: Path) -> Hermes:
    return Hermes(tmp_path / "home", tmp_path, "http://127.0.0.1:1")


@pytest.fixture
def book(hermes: Hermes) -> PairingBook:
    return PairingBook(PairingFiles(hermes.home / "pairing"))


def test_a_code_that_the_gateway_gave_is_listed_approved_and_revoked(
    hermes: Hermes, book: PairingBook
) -> None:
    code = book.request("telegram", "4711", "Ann \x1b[31mred")
    book.note_stranger("discord", "99")
    assert code is not None
    listed = hermes.run("pairing", "list")
    assert code in listed.out and "4711" in listed.out and "99" in listed.out
    assert "\x1b" not in listed.out
    approved = hermes.run("pairing", "approve", "telegram", code.lower(), "--owner")
    assert approved.status == 0
    assert "4711" in approved.out and "owner" in approved.out
    assert book.roles("telegram") == {"4711": "owner"}
    found = json.loads(hermes.run("pairing", "list", "--json").out)
    assert found["waiting"] == []
    assert (found["paired"][0]["user_id"], found["paired"][0]["role"]) == ("4711", "owner")
    assert hermes.run("pairing", "revoke", "telegram", "4711").status == 0
    assert book.roles("telegram") == {}


def test_a_wrong_code_fails_and_says_where_to_look(hermes: Hermes) -> None:
    ran = hermes.run("pairing", "approve", "telegram", "AAAAAAAA")
    assert ran.status == 1
    assert "hermes pairing list" in ran.err and "4 more tries" in ran.err


def test_waiting_codes_can_be_forgotten(hermes: Hermes, book: PairingBook) -> None:
    book.request("telegram", "1", "")
    book.request("discord", "2", "")
    assert "2 codes" in hermes.run("pairing", "clear-pending").out
    assert book.waiting() == ()


def test_a_home_where_nobody_knocked_says_so_and_is_left_as_it_is(hermes: Hermes) -> None:
    assert "nobody knocked" in hermes.run("pairing", "list").out
    assert not (hermes.home / "pairing").exists()


def test_a_torn_file_is_named(hermes: Hermes) -> None:
    (hermes.home / "pairing").mkdir()
    (hermes.home / "pairing" / "telegram-approved.json").write_text("{")
    ran = hermes.run("pairing", "list")
    assert ran.status == 1
    assert "telegram-approved.json" in ran.err


def test_people_are_approved_in_a_managed_home_too(hermes: Hermes, book: PairingBook) -> None:
    code = book.request("telegram", "1", "")
    assert code is not None
    assert hermes.run("pairing", "approve", "telegram", code, HERMES_MANAGED="1").status == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give the home away")
def test_only_the_homes_owner_lets_people_in(hermes: Hermes, book: PairingBook) -> None:
    code = book.request("telegram", "1", "")
    assert code is not None
    os.chown(hermes.home, 65534, 65534)
    ran = hermes.run("pairing", "approve", "telegram", code)
    assert ran.status == 1
    assert "sudo -u" in ran.err
    assert book.roles("telegram") == {}


def test_a_platform_that_does_not_exist_is_no_wrong_code(hermes: Hermes) -> None:
    ran = hermes.run("pairing", "approve", "telegramm", "ABCD2345")
    assert ran.status == 2
    assert "telegram, " in ran.err
    assert "tries" not in ran.err


def test_whoever_waits_or_is_paired_is_no_stranger(hermes: Hermes, book: PairingBook) -> None:
    def strangers() -> int:
        return len(json.loads(hermes.run("pairing", "list", "--json").out)["strangers"])

    book.note_stranger("telegram", "1")
    assert strangers() == 1
    code = book.request("telegram", "1", "Ann")
    assert code is not None
    assert strangers() == 0
    book.approve("telegram", code, "user")
    assert strangers() == 0
