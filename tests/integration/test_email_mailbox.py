"""Which mails of a mailbox are taken, whatever the IMAP server does to their numbers."""

import os
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.platforms.base import PlatformDown
from tests.contract.platforms.door import until
from tests.integration.ledger_door import LedgerDoor, ledger_door
from tests.integration.mail_house import ALICE, BOB, HERMES, MailHouse, mail_house
from tests.servers.imap_relay import imap_relay
from tests.servers.mail import AUTHSERV

PLACE = f"place.{HERMES}@127.0.0.1/INBOX"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[MailHouse]:
    async with mail_house(tmp_path / "home") as entered:
        yield entered


async def test_the_first_time_ever_what_lies_in_the_mailbox_is_left_alone(
    house: MailHouse,
) -> None:
    await house.write("before us")
    await until(lambda: house.servers.count("hermes") == 1, "it is delivered")
    async with house.life() as (_, door):
        await house.write("hello")
        (only,) = await door.wait(1)
        assert only.text == "hello"
        await until(lambda: sorted(house.servers.flags("hermes")) == ["", "S"], "one is read")


async def test_so_it_is_where_the_server_does_not_tell_the_next_number(house: MailHouse) -> None:
    await house.write("before us")
    await until(lambda: house.servers.count("hermes") == 1, "it is delivered")
    heard: list[bytes] = []

    def without(line: bytes) -> bytes:
        heard.append(line)
        return b"" if b"[UIDNEXT" in line else line

    relay = imap_relay(house.servers.imaps_port, house.servers.authority, without)
    async with (
        relay as port,
        house.life(imap_port=port, imap_security="none") as (_, door),
    ):
        await house.write("hello")
        (only,) = await door.wait(1)
        assert only.text == "hello"
    assert any(b"[UIDNEXT" in line for line in heard)


async def test_when_the_server_numbers_anew_what_was_read_before_stays_read(
    house: MailHouse,
) -> None:
    async with house.life() as (_, door):
        door.strangers.add(BOB)
        await house.write("let me in", sender=BOB)
        await door.wait_asked(1)
        await house.write("one")
        await door.wait(1)
        await until(lambda: _read(door, 2), "both are done")
    await _number_anew(house, at=time.time())
    async with house.life() as (_, door):
        door.strangers.add(BOB)
        await house.write("two")
        assert [each.text for each in await door.wait(2)] == ["one", "two"]
        assert [origin.user_id for origin, _, _ in door.asked] == [BOB, ALICE]


async def test_when_the_server_numbers_anew_old_mail_that_nobody_read_is_left_alone(
    house: MailHouse,
) -> None:
    for day in (30, 0):
        house.servers.put("hermes", _mail(f"of {day} days ago"))
        newest = max((house.servers.root / "mail/hermes/new").iterdir())
        then = time.time() - day * 86_400
        os.utime(newest, (then, then))
    await _number_anew(house, at=time.time())
    async with house.life() as (_, door):
        (only,) = await door.wait(1)
        assert only.text == "Subject: x\n\nof 0 days ago"
        await house.write("after")
        assert len(await door.wait(2)) == 2


async def test_a_mail_of_ours_that_comes_back_without_its_marks_is_left_alone(
    house: MailHouse,
) -> None:
    ours = f"<{'0123456789abcdef' * 2}.{'0123456789abcdef'}@example.test>"
    async with house.life() as (_, door):
        await house.write("returned", Message_ID=ours)
        await house.write("hello")
        (only,) = await door.wait(1)
        assert only.text == "hello"


async def test_a_mail_that_the_server_cannot_give_keeps_no_other_out(house: MailHouse) -> None:
    damaged = False

    def refusing(line: bytes) -> bytes:
        nonlocal damaged
        damaged = damaged or b"FETCH (UID 1 BODY[] {" in line
        if damaged and b" OK Fetch" in line:
            damaged = False
            return line.split()[0] + b" NO [SERVERBUG] Internal error\r\n"
        return line

    relay = imap_relay(house.servers.imaps_port, house.servers.authority, refusing)
    async with relay as port:
        plain: dict[str, Any] = {"imap_port": port, "imap_security": "none"}
        async with house.life(**plain):
            pass
        await house.write("damaged", Subject="x")
        await until(lambda: house.servers.count("hermes") == 1, "it is delivered")
        async with ledger_door(house.home) as door:
            for _ in range(5):
                with pytest.raises(PlatformDown, match="SERVERBUG"):
                    await house.platform(**plain).run(door, lambda: None)
            assert door.taken == []
        async with house.life(**plain) as (_, door):
            await house.write("hello")
            damaged_one, hello = await door.wait(2)
            assert "could not give the text of this mail" in damaged_one.text
            assert hello.text == "hello"


async def _number_anew(house: MailHouse, *, at: float) -> None:
    """What is remembered is of other numbers than those of the server."""
    async with ledger_door(house.home) as door:
        await door.remember(PLACE, f'{{"validity":1,"uid":4000,"at":{at}}}')


def _mail(text: str) -> bytes:
    results = f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=example.test"
    name = text.replace(" ", ".")
    return (
        f"{results}\r\nFrom: {ALICE}\r\nSubject: x\r\nMessage-ID: <{name}@x>\r\n\r\n{text}\r\n"
    ).encode()


def _read(door: LedgerDoor, uid: int) -> bool:
    """Whether the mailbox was read up to there."""
    return f'"uid":{uid},' in (door.ledger.recall(PLACE) or "")
