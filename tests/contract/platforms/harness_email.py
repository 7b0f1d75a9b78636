"""E-mail, against a real Exim and a real Dovecot."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

import pytest

from hermes_agent.domain.chats import Origin
from hermes_agent.platforms.base import PlatformSettings
from tests.contract.platforms.door import until
from tests.contract.platforms.harness import Feature, File, Harness, Seen
from tests.servers.mail import AUTHSERV, MISSING, PASSWORD, MailServers, mail_servers

FEATURES: frozenset[Feature] = frozenset(
    ("credentials", "files in", "files out", "keeps", "outages", "private", "repeats", "sees")
)
ALICE, HERMES = "alice@example.test", "hermes@example.test"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class EmailHarness:
    """Alice writes to Hermes, always in one thread."""

    features = FEATURES
    secrets = (PASSWORD,)

    def __init__(self, servers: MailServers) -> None:
        self._servers = servers
        self._root = "<the-beginning@example.test>"
        self._last = EmailMessage()

    @property
    def origin(self) -> Origin:
        return Origin(platform="email", chat_id=ALICE, user_id=ALICE, thread_id=self._root)

    def settings(self, media: Path, *, wrong: bool = False) -> PlatformSettings:
        return PlatformSettings(
            name="email",
            values={
                "address": HERMES,
                "password": "wrong-horse" if wrong else PASSWORD,
                "imap_host": "127.0.0.1",
                "imap_port": str(self._servers.imaps_port),
                "imap_security": "tls",
                "smtp_host": "127.0.0.1",
                "smtp_port": str(self._servers.smtp_port),
                "smtp_security": "starttls",
                "poll_interval": "1",
                "ca_file": self._servers.authority,
                "authserv_id": AUTHSERV,
            },
            media_dir=media,
        )

    async def say(self, text: str, *, file: File | None = None) -> None:
        mail = EmailMessage()
        mail["From"] = f"Alice <{ALICE}>"
        mail["To"] = HERMES
        mail["Subject"] = "Re: our thread"
        mail["Message-ID"] = make_msgid(domain="example.test")
        mail["References"] = self._root
        mail.set_content(_CONTROLS.sub("", text), cte="base64")
        if file is not None:
            main, _, sub = file.media_type.partition("/")
            name = _CONTROLS.sub("", file.name)
            mail.add_attachment(file.data, maintype=main, subtype=sub, filename=name)
        self._last = mail
        await self._deliver()

    async def say_in_group(self, text: str, *, mention: bool) -> None:
        raise NotImplementedError

    async def repeat(self) -> None:
        await self._deliver()

    async def press(self, label: str) -> None:
        raise NotImplementedError

    def seen(self) -> list[Seen]:
        return [_seen(mail) for mail in self._servers.mailbox("alice")]

    def reactions(self) -> list[str]:
        raise NotImplementedError

    async def vanish(self) -> None:
        await self._servers.stop()

    async def come_back(self) -> None:
        await self._servers.start()

    async def _deliver(self) -> None:
        """Hand it in, and wait until it lies in the mailbox: Exim delivers side by side."""
        before = self._servers.count("hermes")
        await asyncio.to_thread(self._servers.deliver, self._last, to=HERMES, sender=ALICE)
        await until(lambda: self._servers.count("hermes") > before, "it is delivered")


def _seen(mail: EmailMessage) -> Seen:
    body = mail.get_body(("plain",))
    return Seen(
        id=str(mail["Message-ID"]),
        text=body.get_content() if body is not None else "",
        files=tuple(
            File(each.get_filename() or "", each.get_payload(decode=True), each.get_content_type())  # pyright: ignore[reportArgumentType]  bytes, when decoded
            for each in mail.iter_attachments()
        ),
    )


@asynccontextmanager
async def harness(folder: Path) -> AsyncGenerator[Harness]:
    if MISSING:
        pytest.skip(f"NOT TESTED: this needs root and {', '.join(MISSING)}")
    async with mail_servers() as servers:
        yield EmailHarness(servers)
