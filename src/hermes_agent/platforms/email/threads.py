"""Mail threads: which one a mail belongs to, and what an answer into it has to say.

A thread's id is the message id of the mail that began it (RFC 5322, 3.6.4). For answers we keep of
each of the latest threads its subject and its last messages; nothing is lost with a thread that is
forgotten but the subject of later answers.
"""

import hashlib
import re
from collections.abc import Sequence

import msgspec

from hermes_agent.platforms.base import Door
from hermes_agent.platforms.email.headers import Headers

BUCKETS = 64
PER_BUCKET = 32
MAX_REFERENCES = 20
MISSING = "missing.invalid"

_OURS = re.compile(r"<(?P<key>[0-9a-f]{32})\.(?P<root>[0-9a-f]{16})@(?P<domain>[^<>\s]+)>")
_RE = re.compile(r"(?:re|aw|sv|antw|odp|ref|vs|回复)\s*(?:\[\d+\])?\s*[:：]\s*", re.I)


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """`chat` is the address of the other side, `root` the thread's id, `references` the ids of its
    last mails, oldest first. Two people in one thread have one each: neither learns of the other.
    """

    chat: str
    root: str
    subject: str = ""
    references: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Short enough for our own message ids."""
        return digest(self.chat, self.root)

    @property
    def reply_subject(self) -> str:
        """With one "Re:"."""
        return f"Re: {bare_subject(self.subject)}" if self.subject else "Re: your message"


class Threads:
    """The latest threads, kept through the door in `BUCKETS` facts of bounded size."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def of(self, chat: str, headers: Headers, message_id: str) -> Thread:
        """The thread of a mail that came, with this mail in it."""
        before = [*headers.ids("References"), *headers.ids("In-Reply-To")]
        known = await self._answered(chat, before)
        root = known.root if known else next(iter(before), message_id)
        if known is None:
            known = await self.find(chat, root)
        subject = known.subject if known and known.subject else headers.text("Subject")[:200]
        ids = list(dict.fromkeys([*(known.references if known else ()), *before, message_id]))
        references = tuple(each for each in ids if each != root and MISSING not in each)
        return Thread(
            chat=chat, root=root, subject=subject, references=references[-MAX_REFERENCES:]
        )

    async def find(self, chat: str, root: str) -> Thread | None:
        """A thread by its id."""
        kept = await self._load(digest(chat, root))
        return next((each for each in kept if (each.chat, each.root) == (chat, root)), None)

    async def keep(self, thread: Thread) -> None:
        """Remember it as the latest of its bucket. Raises `StoreError`."""
        kept = [each for each in await self._load(thread.digest) if each.digest != thread.digest]
        latest = [*kept, thread][-PER_BUCKET:]
        await self._door.remember(_bucket(thread.digest), msgspec.json.encode(latest).decode())

    async def _answered(self, chat: str, ids: Sequence[str]) -> Thread | None:
        """The thread of our own mail that is answered here: programs may cut References."""
        for each in reversed(ids):
            ours = _OURS.fullmatch(each)
            if ours is not None:
                for thread in await self._load(ours["root"]):
                    if thread.chat == chat and thread.digest == ours["root"]:
                        return thread
        return None

    async def _load(self, thread_digest: str) -> list[Thread]:
        text = await self._door.recall(_bucket(thread_digest))
        try:
            return msgspec.json.decode(text or "[]", type=list[Thread])
        except msgspec.DecodeError:
            return []


def message_id_for(key: str, thread: str, address: str) -> str:
    """Of a mail of ours: the same for the same key, so that a second copy can be told as one.
    `thread` is a thread's digest."""
    first = hashlib.sha256(f"{address}\0{key}".encode()).hexdigest()[:32]
    return f"<{first}.{thread}@{address.rpartition('@')[2]}>"


def is_ours(message_id: str, address: str) -> bool:
    """Whether it looks like one that we gave a mail from this address."""
    ours = _OURS.fullmatch(message_id)
    return ours is not None and ours["domain"].lower() == address.rpartition("@")[2]


def bare_subject(subject: str) -> str:
    """Without any "Re:"."""
    while (found := _RE.match(subject)) is not None:
        subject = subject[found.end() :]
    return subject.strip()


def digest(chat: str, root: str) -> str:
    """Of a thread with somebody."""
    return hashlib.sha256(f"{chat}\0{root}".encode("utf-8", "replace")).hexdigest()[:16]


def _bucket(thread_digest: str) -> str:
    return f"threads.{int(thread_digest[:4], 16) % BUCKETS}"
