"""A mail system with the adapter on it, whose way in is a ledger."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.platforms.base import Platform, PlatformSettings
from hermes_agent.platforms.table import create
from tests.contract.platforms.door import until
from tests.integration.ledger_door import LedgerDoor, ledger_door, running
from tests.servers.mail import AUTHSERV, MISSING, PASSWORD, MailServers, mail_servers

ALICE, BOB, HERMES = (f"{each}@example.test" for each in ("alice", "bob", "hermes"))


@dataclass
class MailHouse:
    """Alice, Bob and Hermes have mailboxes."""

    servers: MailServers
    home: Path

    def platform(self, **values: Any) -> Platform:
        return create(
            PlatformSettings(
                name="email",
                values={
                    "address": HERMES,
                    "password": PASSWORD,
                    "imap_host": "127.0.0.1",
                    "imap_port": self.servers.imaps_port,
                    "imap_security": "tls",
                    "smtp_host": "127.0.0.1",
                    "smtp_port": self.servers.smtps_port,
                    "smtp_security": "tls",
                    "poll_interval": 1,
                    "ca_file": self.servers.authority,
                    "authserv_id": AUTHSERV,
                    **values,
                },
                media_dir=self.home / "media",
            )
        )

    @asynccontextmanager
    async def life(self, **values: Any) -> AsyncGenerator[tuple[Platform, LedgerDoor]]:
        """One life of the adapter on the home's ledger."""
        platform = self.platform(**values)
        async with ledger_door(self.home) as door, running(platform, door):
            yield platform, door

    async def write(
        self, text: str, *, sender: str = ALICE, login: bool = True, **headers: str
    ) -> str:
        """Hand in a mail to Hermes; gives its message id. `Message_ID=""` leaves that out."""
        mail = EmailMessage()
        fields = {
            "From": sender,
            "To": HERMES,
            "Message-ID": f"<{abs(hash((text, sender)))}@example.test>",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        for name, value in fields.items():
            if value:
                mail[name] = value
        mail.set_content(text)
        await asyncio.to_thread(self.servers.deliver, mail, to=HERMES, sender=sender, login=login)
        return fields["Message-ID"]

    async def mails(self, person: str, count: int) -> list[EmailMessage]:
        """What lies in a mailbox, once there is so much."""
        await until(lambda: self.servers.count(person) >= count, f"{count} mails for {person}")
        return self.servers.mailbox(person)


@asynccontextmanager
async def mail_house(home: Path, *, idle: bool = True) -> AsyncGenerator[MailHouse]:
    """Until the block ends; skips the test loudly where the servers are not installed."""
    if MISSING:
        pytest.skip(f"NOT TESTED: this needs root and {', '.join(MISSING)}")
    async with mail_servers(idle=idle) as servers:
        yield MailHouse(servers, home)
