"""The mail that goes out."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.chats import Attachment, Post
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.email.composing import compose
from hermes_agent.platforms.email.configuration import configuration
from hermes_agent.platforms.email.threads import Thread

EVIL = "x\r\nBcc: b@evil.test\r\n\r\n--b\0\x85\u2028\ud800"
OURS = {"from", "to", "subject", "date", "message-id", "in-reply-to", "references"}
MARKS = {"auto-submitted", "x-auto-response-suppress", "x-hermes-agent"}
SHAPE = {"mime-version", "content-type", "content-transfer-encoding"}


def _mail(post: Post, thread: Thread | None = None, **values: Any) -> EmailMessage:
    settings = PlatformSettings(
        name="email",
        values={
            "address": "hermes@example.test",
            "password": "word",
            "imap_host": "imap.example.test",
            "smtp_host": "smtp.example.test",
            **values,
        },
        media_dir=Path("/media"),
    )
    raw = compose(configuration(settings), "anna@example.org", post, "<m@example.test>", thread)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    made = message_from_bytes(raw, policy=default)
    assert isinstance(made, EmailMessage)
    return made


@pytest.mark.parametrize(
    "name", [EVIL, '"<boss@evil.test>', "=?utf-8?q?;?=_漢.", "=?utf-8?q?b[<?= 🙂", "[(:;", ""]
)
def test_whatever_our_name_is_the_sender_stays_our_address(name: str) -> None:
    mail = _mail(Post(plain="hello"), name=name)
    assert [each.addr_spec for each in mail["From"].addresses] == ["hermes@example.test"]
    assert mail["Bcc"] is None


def test_a_name_in_any_script_is_shown() -> None:
    mail = _mail(Post(plain="hello"), name="Zoë's Ἑρμῆς 信使")
    assert mail["From"].addresses[0].display_name == "Zoë's Ἑρμῆς 信使"


def test_nothing_that_is_told_to_us_becomes_a_header(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"data\r\n--b\r\n")
    file = Attachment(kind="document", path=str(path), name=EVIL, media_type=EVIL, size=11)
    thread = Thread(chat="anna@example.org", root=EVIL, subject=EVIL, references=(EVIL, "<a@b>"))
    mail = _mail(
        Post(text=EVIL, plain=EVIL, subject=EVIL, quotes=EVIL, attachments=(file,)), thread
    )
    names = [each.lower() for each in mail]
    assert len(names) == len(set(names))
    assert set(names) <= OURS | MARKS | SHAPE
    assert mail["References"] == "<a@b>"
    (sent,) = mail.iter_attachments()
    assert sent.get_payload(decode=True) == path.read_bytes()


def test_a_thread_of_long_ids_keeps_its_first_and_its_last() -> None:
    ids = tuple(f"<{number:0200d}@example.org>" for number in range(20))
    thread = Thread(chat="anna@example.org", root="<root@example.org>", references=ids)
    mail = _mail(Post(plain="hello"), thread)
    assert mail["References"].split() == ["<root@example.org>", *ids]
    assert mail["In-Reply-To"] == ids[-1]


def test_a_file_that_is_gone_is_named_instead(tmp_path: Path) -> None:
    file = Attachment(kind="document", path=str(tmp_path / "gone.pdf"), name="gone.pdf")
    mail = _mail(Post(plain="Here it is", attachments=(file,)))
    assert mail.get_content().splitlines() == [
        "Here it is",
        "(not sent: gone.pdf: No such file or directory)",
    ]
