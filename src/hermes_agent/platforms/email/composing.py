"""A post as a mail (RFC 5322, RFC 3834)."""

import mimetypes
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path

from hermes_agent.domain.chats import Attachment, Post
from hermes_agent.platforms.email.configuration import Configuration
from hermes_agent.platforms.email.files import shown_name
from hermes_agent.platforms.email.machines import OUR_MARK
from hermes_agent.platforms.email.threads import MISSING, Thread

MAX_SUBJECT = 150
MAX_FILES_BYTES = 18 * 1024 * 1024
"""Of all files of a mail: most servers take 25 MB, and base64 makes a third more of it."""


def compose(
    configuration: Configuration, to: str, post: Post, message_id: str, thread: Thread | None
) -> bytes:
    """The mail, ready for SMTP. Reads the attachments; those that cannot go are named in it."""
    mail = EmailMessage(policy=SMTP.clone(max_line_length=200))
    mail["From"] = Address(_name(configuration.name), addr_spec=configuration.address)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = _subject(post, thread)
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = message_id
    if thread is not None:
        _place(mail, thread, post.quotes)
    mail["Auto-Submitted"] = "auto-replied" if thread is not None else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[OUR_MARK] = "1"
    files, notes = _files(post.attachments)
    plain = "\n".join(filter(None, (_text(post.plain or post.text), *notes)))
    mail.set_content(plain or " ", cte="quoted-printable")
    if post.text.strip() and post.text != post.plain and not notes:
        mail.add_alternative(_text(post.text), subtype="html", cte="quoted-printable")
    for attachment, data in files:
        main, _, sub = _media_type(attachment).partition("/")
        name = shown_name(attachment.name) or shown_name(attachment.path) or "file"
        mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def _place(mail: EmailMessage, thread: Thread, quotes: str | None) -> None:
    answered = quotes or next(reversed(thread.references), thread.root)
    before = [thread.root, *(each for each in thread.references if each != answered), answered]
    known = [each for each in dict.fromkeys(before) if _is_id(each)]
    if _is_id(answered):
        mail["In-Reply-To"] = answered
    if known:
        mail["References"] = " ".join(known)


def _is_id(text: str) -> bool:
    return re.fullmatch(r"<[!-;=?-~]{1,250}>", text) is not None and MISSING not in text


def _subject(post: Post, thread: Thread | None) -> str:
    if post.subject:
        return _line(post.subject, MAX_SUBJECT)
    if thread is not None:
        return _line(thread.reply_subject, MAX_SUBJECT)
    first = next((line for line in post.plain.splitlines() if line.strip()), "")
    return _line(first, 80) or "A message from your agent"


def _files(attachments: tuple[Attachment, ...]) -> tuple[list[tuple[Attachment, bytes]], list[str]]:
    files: list[tuple[Attachment, bytes]] = []
    notes: list[str] = []
    room = MAX_FILES_BYTES
    for each in attachments:
        name = shown_name(each.name) or shown_name(each.path)
        try:
            size = Path(each.path).stat().st_size
            data = Path(each.path).read_bytes() if size <= room else None
        except OSError as error:
            notes.append(f"(not sent: {name}: {error.strerror})")
            continue
        if data is None:
            notes.append(f"(not sent: {name}: too large for mail)")
            continue
        room -= len(data)
        files.append((each, data))
    return files, notes


def _media_type(attachment: Attachment) -> str:
    found = attachment.media_type or mimetypes.guess_type(attachment.path)[0] or ""
    if re.fullmatch(r"(?:image|audio|video|application|text)/[a-z0-9.+-]{1,80}", found):
        return found
    return "application/octet-stream"


def _text(text: str) -> str:
    """Without controls other than line ends and tabs."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(each for each in lines if each in "\n\t" or (each >= " " and each != "\x7f"))
    return kept.encode("utf-8", "replace").decode()


def _name(text: str) -> str:
    """For people, before our address. The library folds names with other signs in a way that it
    cannot read again itself."""
    return _line(re.sub(r"[^\w .&'-]", " ", text), 60) or "Hermes"


def _line(text: str, most: int) -> str:
    """On one line, for a header."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.encode("utf-8", "replace").decode().split())[:most]
