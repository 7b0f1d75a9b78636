"""Pairing by code, and the files that it lives in."""

import json
import threading
from pathlib import Path

import pytest

from hermes_agent.domain.errors import NotFoundError, UsageError
from hermes_agent.policy.admission.files import PairingFiles, TornFile
from hermes_agent.policy.admission.pairing import ALPHABET, PairingBook, PairingLocked


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pairing"


@pytest.fixture
def book(folder: Path, clock: Clock) -> PairingBook:
    return PairingBook(PairingFiles(folder), clock)


def asked(book: PairingBook, user: str) -> str:
    code = book.request("telegram", user, "Ann")
    assert code is not None
    return code


def test_a_code_has_eight_characters_that_nobody_mistakes(book: PairingBook) -> None:
    code = asked(book, "1")
    assert len(code) == 8
    assert set(code) <= set(ALPHABET)
    assert not set("0O1I") & set(ALPHABET)


def test_the_files_have_the_documented_form_and_are_for_the_owner_alone(
    book: PairingBook, folder: Path, clock: Clock
) -> None:
    code = asked(book, "1")
    pending = folder / "telegram-pending.json"
    assert json.loads(pending.read_text()) == {
        code: {"user_id": "1", "user_name": "Ann", "created_at": clock.now}
    }
    book.approve("telegram", code, "owner")
    approved = folder / "telegram-approved.json"
    assert json.loads(approved.read_text()) == {
        "1": {"user_name": "Ann", "approved_at": clock.now, "role": "owner"}
    }
    assert json.loads(pending.read_text()) == {}
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_files_of_older_installations_are_read(book: PairingBook, folder: Path) -> None:
    folder.mkdir()
    (folder / "telegram-approved.json").write_text(
        '{"42": {"user_name": "Old", "approved_at": "2026-01-01T10:00:00", "more": 1}}'
    )
    assert book.roles("telegram") == {"42": "user"}
    assert book.paired()[0].approved_at > 1_700_000_000


def test_a_person_may_ask_every_ten_minutes_and_gets_the_same_code_while_it_is_fresh(
    book: PairingBook, clock: Clock
) -> None:
    code = asked(book, "1")
    assert book.request("telegram", "1", "Ann") is None
    clock.now += 601
    assert asked(book, "1") == code
    clock.now += 1801
    other = asked(book, "1")
    assert other != code
    assert [each.code for each in book.waiting()] == [other]


def test_three_may_wait_on_a_platform(book: PairingBook, clock: Clock) -> None:
    for user in "123":
        asked(book, user)
    assert book.request("telegram", "4", "Dan") is None
    assert book.request("discord", "4", "Dan") is not None
    clock.now += 3601
    assert book.request("telegram", "4", "Dan") is not None


def test_a_code_ends_after_an_hour(book: PairingBook, clock: Clock) -> None:
    code = asked(book, "1")
    clock.now += 3601
    with pytest.raises(NotFoundError):
        book.approve("telegram", code)


def test_a_code_is_good_once_on_its_platform_in_any_case(book: PairingBook) -> None:
    code = asked(book, "1")
    with pytest.raises(NotFoundError):
        book.approve("discord", code)
    assert book.approve("telegram", f" {code.lower()}\n").user_id == "1"
    with pytest.raises(NotFoundError):
        book.approve("telegram", code)


def test_five_wrong_codes_lock_the_platform_for_an_hour(book: PairingBook, clock: Clock) -> None:
    code = asked(book, "1")
    for _ in range(5):
        with pytest.raises(NotFoundError):
            book.approve("telegram", "AAAAAAAA")
    with pytest.raises(PairingLocked):
        book.approve("telegram", code)
    assert book.request("telegram", "2", "Bob") is None
    clock.now += 3601
    assert book.approve("telegram", asked(book, "2")).user_id == "2"


def test_wrong_codes_with_a_right_one_between_lock_nothing(book: PairingBook) -> None:
    for user in "12":
        code = asked(book, user)
        for _ in range(4):
            with pytest.raises(NotFoundError):
                book.approve("telegram", "AAAAAAAA")
        book.approve("telegram", code)
    assert set(book.roles("telegram")) == {"1", "2"}


def test_codes_that_are_no_ascii_are_simply_wrong(book: PairingBook) -> None:
    asked(book, "1")
    with pytest.raises(NotFoundError):
        book.approve("telegram", "ÄÖÜ…")


def test_a_torn_file_of_limits_keeps_codes_out_for_an_hour(
    book: PairingBook, folder: Path, clock: Clock
) -> None:
    code = asked(book, "1")
    limits = folder / "_rate_limits.json"
    limits.write_text('{"locked": {"telegr')
    clock.now = limits.stat().st_mtime + 1
    pending = json.loads((folder / "telegram-pending.json").read_text())
    pending[code]["created_at"] = clock.now
    (folder / "telegram-pending.json").write_text(json.dumps(pending))
    with pytest.raises(PairingLocked, match="_rate_limits"):
        book.approve("telegram", code)
    assert book.request("telegram", "2", "Bob") is None
    clock.now += 3590
    assert book.request("telegram", "2", "Bob") is None
    clock.now += 20
    assert book.request("telegram", "2", "Bob") is not None


def test_a_torn_file_of_approvals_is_never_written_over(book: PairingBook, folder: Path) -> None:
    code = asked(book, "1")
    torn = folder / "telegram-approved.json"
    torn.write_text('{"7": {"user_na')
    for attempt in (
        lambda: book.approve("telegram", code),
        lambda: book.revoke("telegram", "7"),
        lambda: book.roles("telegram"),
    ):
        with pytest.raises(TornFile, match="telegram-approved"):
            attempt()
    assert torn.read_text() == '{"7": {"user_na'


def test_revoked_is_out_at_once_in_every_process(
    book: PairingBook, folder: Path, clock: Clock
) -> None:
    book.approve("telegram", asked(book, "1"))
    gateway = PairingBook(PairingFiles(folder), clock)
    assert gateway.roles("telegram") == {"1": "user"}
    book.revoke("telegram", "1")
    assert gateway.roles("telegram") == {}
    with pytest.raises(NotFoundError, match="Nobody with the id 1"):
        book.revoke("telegram", "1")


def test_many_who_ask_at_once_get_three_codes(folder: Path, clock: Clock) -> None:
    books = [PairingBook(PairingFiles(folder), clock) for _ in range(8)]
    codes: list[str | None] = []

    def ask(number: int) -> None:
        codes.append(books[number].request("telegram", str(number), ""))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 8
    given = {code for code in codes if code}
    assert len(given) == 3
    assert {each.code for each in books[0].waiting()} == given


def test_strangers_leave_a_bounded_trace_the_oldest_out(book: PairingBook, clock: Clock) -> None:
    for number in range(120):
        clock.now += 2
        book.note_stranger("telegram", str(number))
    seen = book.strangers()
    assert len(seen) == 50
    assert seen[0].user_id == "119"


def test_a_flood_of_strangers_writes_once_a_second(
    book: PairingBook, folder: Path, clock: Clock
) -> None:
    book.note_stranger("telegram", "first")
    before = (folder / "_strangers.json").stat().st_ino
    for number in range(100):
        book.note_stranger("telegram", str(number))
    assert (folder / "_strangers.json").stat().st_ino == before
    clock.now += 2
    book.note_stranger("telegram", "last")
    assert len(book.strangers()) == 50


def test_a_strangers_name_cannot_move_the_cursor(book: PairingBook) -> None:
    code = book.request("telegram", "1", "Ann\x1b[2J\u202e\n" + "x" * 500)
    (waiting,) = book.waiting()
    assert waiting.code == code
    assert waiting.user_name.isprintable()
    assert len(waiting.user_name) <= 64


def test_a_platform_is_never_a_path(book: PairingBook) -> None:
    for name in ("../telegram", "a/b", "", "Telegram", "x" * 50):
        with pytest.raises(UsageError):
            book.request(name, "1", "")
