"""From the mailbox through the door. A mail is done when its number has been remembered."""

import asyncio
import hashlib
import logging
import time

import msgspec

from hermes_agent.domain.chats import Inbound, Origin
from hermes_agent.domain.errors import HermesError, StoreError
from hermes_agent.platforms.base import Door, PlatformDown
from hermes_agent.platforms.email.addresses import sender
from hermes_agent.platforms.email.authenticity import topmost, vouched
from hermes_agent.platforms.email.body import Body, read_body
from hermes_agent.platforms.email.configuration import Configuration
from hermes_agent.platforms.email.files import keep
from hermes_agent.platforms.email.headers import Headers, decoded
from hermes_agent.platforms.email.machines import machine
from hermes_agent.platforms.email.quoting import split_quoted
from hermes_agent.platforms.email.threads import MISSING, Thread, Threads, bare_subject
from hermes_agent.platforms.email.watching import Watch

FIRST_PAUSE, MAX_PAUSE = 0.5, 30.0
MAX_TRIES = 5

_log = logging.getLogger(__name__)


class Place(msgspec.Struct, frozen=True):
    """How far the mailbox was read, and when (Unix time, in seconds); numbers count within one
    `validity` (RFC 3501, 2.3.1.1)."""

    validity: int
    uid: int
    at: float = 0.0


class Tries(msgspec.Struct, frozen=True):
    """How often the connection broke while the body of this mail was fetched."""

    validity: int
    uid: int
    count: int = 0


class Intake:
    """Takes the mails of one mailbox in, oldest first."""

    def __init__(self, configuration: Configuration, watch: Watch, door: Door) -> None:
        self._configuration = configuration
        self._watch = watch
        self._door = door
        self._threads = Threads(door)
        self._fact = f"place.{configuration.user}@{configuration.imap.host}/{configuration.folder}"
        self._uid = 0
        self._unread_since: float | None = None

    async def begin(self) -> None:
        """Find where we were. The first time ever, what is in the mailbox already is left alone;
        when the server has numbered everything anew, what came since we last looked and is unread
        is taken."""
        box = self._watch.box
        place = await self._place()
        if place is None:
            self._uid = max(0, box.next_uid - 1)
            await self._remember()
        elif place.validity != box.validity:
            _log.warning("email: the server numbered all mail anew; what is unread is read")
            self._uid, self._unread_since = max(0, box.next_uid - 1), place.at
        else:
            self._uid = place.uid

    async def look(self) -> None:
        """Take in what is new; comes back when there is nothing more."""
        pause = FIRST_PAUSE
        while True:
            try:
                if self._unread_since is not None:
                    await self._catch_up(self._unread_since)
                while numbers := await self._newer():
                    for uid in numbers:
                        await self._one(uid)
                        self._uid = uid
                        await self._remember()
            except StoreError as error:
                _log.warning("email: a mail could not be stored and is read again: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)
            else:
                return

    async def _catch_up(self, since: float) -> None:
        """Take what is unread among the mails that were there at the beginning. Nothing is
        remembered before all of them are done: a place among them would make new mail of all the
        read ones behind it."""
        last = self._uid
        for uid in await self._watch.do(lambda box: box.unread(since)):
            if uid <= last:
                await self._one(uid)
        self._unread_since = None
        await self._remember()

    async def _newer(self) -> list[int]:
        uid = self._uid
        return await self._watch.do(lambda box: box.newer(uid))

    async def _one(self, uid: int) -> None:
        try:
            await self._take(uid)
        except HermesError:
            raise
        except Exception:  # noqa: BLE001  the root of a mail: it blocks no other
            _log.exception("email: mail %d is passed over", uid)

    async def _take(self, uid: int) -> None:
        raw = await self._watch.do(lambda box: box.header(uid))
        if raw is None:
            return
        headers = Headers(raw)
        author = self._author(uid, headers)
        if author is None:
            return
        name, address = author
        message_id, key = _identity(headers, address)
        thread = await self._threads.of(address, headers, message_id)
        origin = Origin(
            platform="email",
            chat_id=address,
            user_id=address,
            thread_id=thread.root,
            user_name=decoded(name)[:100],
            chat_name=thread.subject,
        )
        # Known before it is answered: a stranger may be told how to get in.
        await self._threads.keep(thread)
        if not await self._door.admits(origin, addressed=True, private_name=origin.user_name):
            return
        await self._door.accept(await self._inbound(uid, origin, headers, message_id, key, thread))
        await self._watch.do(lambda box: box.mark_read(uid))

    def _author(self, uid: int, headers: Headers) -> tuple[str, str] | None:
        """Name and address of who wrote it, as far as that is known; None for mail that is not to
        be read."""
        configuration = self._configuration
        author = sender(headers.all("From"))
        if author is None:
            _log.info("email: mail %d has no sender that can be read in one way only", uid)
            return None
        reason = machine(headers.all, author[1], configuration.address)
        if reason is not None:
            _log.info("email: mail %d is left alone: %s", uid, reason)
            return None
        if not self._is_vouched(headers, author[1]):
            _log.warning("email: mail %d is left alone: %s", uid, self._doubt(headers))
            return None
        return author

    def _is_vouched(self, headers: Headers, address: str) -> bool:
        configuration = self._configuration
        if configuration.trust_from:
            return True
        fields = headers.all("Authentication-Results")
        return bool(configuration.authserv_id) and vouched(
            fields, configuration.authserv_id, address
        )

    def _doubt(self, headers: Headers) -> str:
        """Why its From is not believed, and what a person can do about it."""
        trusted = self._configuration.authserv_id
        if trusted:
            return f"{trusted} does not say that its sender is who they claim to be"
        named = topmost(headers.all("Authentication-Results"))
        return "anybody can write any sender into a mail, and EMAIL_AUTHSERV_ID is not set" + (
            f"; if '{named}' is your provider's server, set it to that" if named else ""
        )

    async def _inbound(
        self,
        uid: int,
        origin: Origin,
        headers: Headers,
        message_id: str,
        key: str,
        thread: Thread,
    ) -> Inbound:
        body = await self._body(uid)
        said, quoted = split_quoted(body.text)
        files, missing = await asyncio.to_thread(
            keep, body.files, self._configuration.media_dir, key, self._configuration.max_file
        )
        subject = headers.text("Subject")[:500]
        begins = thread.root == message_id and bool(bare_subject(subject))
        if begins and not said.startswith("/"):
            said = f"Subject: {subject}\n\n{said}"
        return Inbound(
            key=key,
            origin=origin,
            text="\n".join(filter(None, (said, *body.notes, *missing))).strip(),
            attachments=tuple(files),
            message_id=message_id,
            quoted=quoted,
            received_at=time.time(),
            extra={"subject": subject},
        )

    async def _body(self, uid: int) -> Body:
        size = await self._watch.do(lambda box: box.size(uid))
        if size is not None and size > self._configuration.max_message:
            return Body(notes=[f"[this mail is too large to be read: {size} bytes]"])
        tries = await self._tries(uid)
        if tries.count >= MAX_TRIES:
            _log.error("email: the server never gave the body of mail %d; it goes without", uid)
            return Body(notes=["[the mail server could not give the text of this mail]"])
        try:
            raw = await self._watch.do(lambda box: box.whole(uid))
        except PlatformDown:
            # One damaged mail must not keep all others out for ever.
            more = msgspec.structs.replace(tries, count=tries.count + 1)
            await self._door.remember(f"tries.{self._fact}", msgspec.json.encode(more).decode())
            raise
        if raw is None:
            return Body(notes=["[this mail was deleted before it was read]"])
        return await asyncio.to_thread(read_body, raw)

    async def _tries(self, uid: int) -> Tries:
        none = Tries(self._watch.box.validity, uid)
        text = await self._door.recall(f"tries.{self._fact}")
        try:
            known = msgspec.json.decode(text, type=Tries) if text else none
        except msgspec.DecodeError:
            return none
        return known if (known.validity, known.uid) == (none.validity, uid) else none

    async def _place(self) -> Place | None:
        text = await self._door.recall(self._fact)
        try:
            return msgspec.json.decode(text, type=Place) if text else None
        except msgspec.DecodeError:
            return None

    async def _remember(self) -> None:
        place = Place(self._watch.box.validity, self._uid, time.time())
        await self._door.remember(self._fact, msgspec.json.encode(place).decode())


def _identity(headers: Headers, address: str) -> tuple[str, str]:
    """The mail's message id, and the key by which a second copy of it is known. A mail without an
    id is known by its date and subject."""
    ids = headers.ids("Message-ID")
    if ids:
        message_id = ids[0]
    else:
        told = "\0".join(headers.text(each) for each in ("Date", "Subject", "To", "Content-Type"))
        message_id = f"<{hashlib.sha256(told.encode()).hexdigest()[:32]}@{MISSING}>"
    key = hashlib.sha256(f"{address}\0{message_id}".encode("utf-8", "replace")).hexdigest()[:40]
    return message_id, key
