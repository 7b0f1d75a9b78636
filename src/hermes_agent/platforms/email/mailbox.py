"""One IMAP connection (RFC 3501), used from a thread of its own: every call blocks."""

import imaplib
import re
import socket
import ssl
import time
from typing import Any, cast

import imap_tools

from hermes_agent.platforms.base import PlatformDown, PlatformRefused
from hermes_agent.platforms.email.configuration import Configuration
from hermes_agent.platforms.email.headers import MAX_HEADERS

TIMEOUT = 60.0
DAY = 86_400.0

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,12})")
_PASSING = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]", re.I)
_BROKEN = (imaplib.IMAP4.error, imap_tools.ImapToolsError, OSError, EOFError)


class Mailbox:
    """The folder that is watched. `validity` and `next_uid` are as the server gave them when it was
    opened; message numbers of one `validity` never change."""

    def __init__(self, configuration: Configuration) -> None:
        self.validity = 0
        self.next_uid = 1
        self._configuration = configuration
        self._box: imap_tools.BaseMailBox | None = None
        self._cut = False

    @property
    def _client(self) -> Any:
        """imaplib's own, whose answers are untyped."""
        if self._box is None:
            raise PlatformDown("email: there is no connection.")
        return self._box.client

    def open(self) -> None:
        """Connect, log in, choose the folder. Raises `PlatformDown`, `PlatformRefused`."""
        configuration = self._configuration
        server = configuration.imap
        try:
            box = self._box = _connected(configuration)
            if self._cut:
                raise PlatformDown("email: the connection was given up.")
            box.login(configuration.user, configuration.password.reveal(), initial_folder=None)
        except ssl.SSLCertVerificationError as error:
            raise PlatformRefused(
                f"email: the certificate of {server.where} is not trusted: {error.verify_message}.",
                hint="Name its authority with platforms.email.extra.ca_file.",
            ) from None
        except imap_tools.MailboxLoginError as error:
            said = _words(cast("tuple[Any, ...]", error.command_result)[1])  # pyright: ignore[reportUnknownMemberType]  untyped library
            if _PASSING.search(said):
                raise PlatformDown(f"email: {server.where} lets nobody in now: {said}") from None
            raise PlatformRefused(
                f"email: {server.where} refused the login of {configuration.user}: {said}",
                hint="Check EMAIL_ADDRESS and EMAIL_PASSWORD; many providers want an app password.",
            ) from None
        except _BROKEN as error:
            raise PlatformDown(f"email: {server.where} cannot be reached: {error}") from None
        self._select(box)

    def _select(self, box: imap_tools.BaseMailBox) -> None:
        folder = self._configuration.folder
        try:
            box.folder.set(folder)  # pyright: ignore[reportUnknownMemberType]  untyped library
        except imap_tools.ImapToolsError as error:
            raise PlatformRefused(
                f"email: there is no folder '{folder}' on {self._configuration.imap.where}.",
                hint="Correct platforms.email.extra.folder.",
            ) from error
        except _BROKEN as error:
            raise self._down(error) from None
        self.validity = _number(self._client.response("UIDVALIDITY"))
        self.next_uid = _number(self._client.response("UIDNEXT"))
        if not self.next_uid:
            # Not every server tells it; to begin with the first mail of all would answer them all.
            self.next_uid = max(self.newer(0), default=0) + 1

    def newer(self, uid: int) -> list[int]:
        """The numbers of the mails after this one, in their order."""
        return self._found(uid, [])

    def unread(self, since: float) -> list[int]:
        """The numbers of the unread mails that came after that time (Unix, in seconds)."""
        # The server counts in days of its own time zone.
        day = time.gmtime(max(0.0, since - 2 * DAY))
        date = f"{day.tm_mday}-{_MONTHS[day.tm_mon - 1]}-{day.tm_year}"
        return self._found(0, ["UNSEEN", "SINCE", date])

    def _found(self, uid: int, which: list[str]) -> list[int]:
        data = self._do("SEARCH", "UID", f"{uid + 1}:*", *which)
        found = {int(each) for each in b" ".join(d for d in data if d).split() if each.isdigit()}
        # "n:*" names the last mail even when its number is below n.
        return sorted(each for each in found if each > uid)

    def size(self, uid: int) -> int | None:
        """In bytes; None when it is not there any more."""
        for each in self._do("FETCH", str(uid), "(RFC822.SIZE)"):
            found = _SIZE.search(each) if isinstance(each, bytes) else None
            if found:
                return int(found[1])
        return None

    def header(self, uid: int) -> bytes | None:
        """All headers; the mail stays unread."""
        return self._literal(uid, f"BODY.PEEK[HEADER]<0.{MAX_HEADERS}>")

    def whole(self, uid: int) -> bytes | None:
        """All of it; the mail stays unread."""
        return self._literal(uid, "BODY.PEEK[]")

    def mark_read(self, uid: int) -> None:
        """Set \\Seen."""
        self._do("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")

    def wait(self, seconds: float) -> None:
        """Until the server tells of something, or for so long. Only with `can_wait`."""
        box = self._box
        if box is None:
            raise PlatformDown("email: there is no connection.")
        try:
            box.idle.wait(timeout=seconds)
        except _BROKEN as error:
            raise self._down(error) from None

    def poll(self) -> None:
        """Let the server look for new mail: some do so for this command and not for a search."""
        try:
            self._client.noop()
        except _BROKEN as error:
            raise self._down(error) from None

    @property
    def can_wait(self) -> bool:
        """Whether the server has IDLE."""
        return self._configuration.idle and "IDLE" in self._client.capabilities

    def cut(self) -> None:
        """Break the connection from another thread: whatever waits on it ends."""
        self._cut = True
        box = self._box
        if box is None:
            return
        try:
            # Not the TLS layer's own, which another thread may be in the middle of.
            socket.socket.shutdown(box.client.sock, socket.SHUT_RDWR)
        except (OSError, AttributeError):
            return

    def close(self) -> None:
        """Give the connection back."""
        box, self._box = self._box, None
        if box is not None:
            try:
                box.client.shutdown()
            except _BROKEN:
                return

    def _literal(self, uid: int, what: str) -> bytes | None:
        for each in self._do("FETCH", str(uid), f"({what})"):
            if isinstance(each, tuple) and b"BODY[" in each[0]:
                return cast("bytes", each[1])
        return None

    def _do(self, command: str, *words: str) -> list[Any]:
        try:
            status, data = self._client.uid(command, *words)
        except _BROKEN as error:
            raise self._down(error) from None
        if status != "OK":
            raise PlatformDown(f"email: {self._configuration.imap.where} said: {_words(data)}")
        return [each for each in data if each is not None]

    def _down(self, error: BaseException) -> PlatformDown:
        where = self._configuration.imap.where
        return PlatformDown(f"email: the connection to {where} broke: {str(error)[:200]}")


def _connected(configuration: Configuration) -> imap_tools.BaseMailBox:
    server = configuration.imap
    context = ssl.create_default_context(cafile=configuration.ca_file or None)
    if server.security == "tls":
        return imap_tools.MailBox(server.host, server.port, TIMEOUT, ssl_context=context)
    if server.security == "starttls":
        return imap_tools.MailBoxStartTls(server.host, server.port, TIMEOUT, ssl_context=context)
    return imap_tools.MailBoxUnencrypted(server.host, server.port, TIMEOUT)


def _number(response: tuple[str, list[bytes | None]]) -> int:
    values = [each for each in response[1] if each]
    return int(values[-1]) if values and values[-1].isdigit() else 0


def _words(data: Any) -> str:
    """What the server said, for people."""
    pieces: list[Any] = [*data] if isinstance(data, list | tuple) else [data]
    words = (str(each, "utf-8", "replace") if isinstance(each, bytes) else "" for each in pieces)
    return " ".join(words)[:200]
