"""The port of the ledger: its types, and what every engine must do.

All methods are synchronous, short and safe to call from several threads and processes; each is
one transaction, committed when it returns: it survives the end of the process and the loss of
power. Times are Unix seconds; one that was set before the clock was turned back is not waited
for. A row that cannot be read is given up and stops no others. Every method may raise
`StoreError`; `StoreBusy` when another process held the database too long, and then nothing of
the call has happened.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from hermes_agent.domain.chats import Inbound, Outgoing

InboxState = Literal["waiting", "working", "done", "dead"]
OutboxState = Literal["open", "waiting", "sending", "sent", "dead"]


class Accepted(msgspec.Struct, frozen=True):
    """`fresh` is False for a message that was accepted before; nothing was stored then. `turn`
    is what claims of it will carry."""

    id: int
    fresh: bool
    turn: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An inbound message in hand, until `settle`, `release` or the end of the lease.

    `turn` names the work, the same at every claim of this message. `attempt` is 1 for the first.
    """

    id: int
    turn: str
    session_key: str
    inbound: Inbound
    accepted_at: float
    attempt: int


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """An outgoing message in hand, until `sent` or `unsent`.

    `message_id` is set when the message is out already and is to be edited. `doubtful`: an
    earlier attempt died between sending and storing the id, so it may be out already.
    """

    id: int
    outgoing: Outgoing
    message_id: str | None
    attempt: int
    doubtful: bool


class InboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the inbox, for people."""

    id: int
    state: InboxState
    session_key: str
    inbound: Inbound
    accepted_at: float
    attempts: int
    error: str = ""


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the outbox, for people."""

    id: int
    state: OutboxState
    outgoing: Outgoing
    created_at: float
    attempts: int
    message_id: str | None = None
    error: str = ""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows are in which state. `oldest_waiting` is when the oldest message that waits
    was accepted, None when none does; `doubtful` counts sends that may have happened twice."""

    inbox: dict[str, int]
    outbox: dict[str, int]
    oldest_waiting: float | None = None
    doubtful: int = 0


class LeaseLost(Exception):
    """Another worker has the message by now; what was done here must not be delivered."""


class Ledger(Protocol):
    """Inbox and outbox of one home."""

    def accept(self, inbound: Inbound, session_key: str) -> Accepted:
        """Store a message. Once this returns it will be answered, whatever dies."""
        ...

    def claim(self, worker: str, lease: float) -> Claim | None:
        """The oldest waiting message whose session nobody works on, for `lease` seconds.

        Messages of one session are claimed in the order in which they were accepted. A lease
        that ran out counts as waiting again, but not for its own worker, who has the message in
        hand. None when there is nothing to do.
        """
        ...

    def renew(self, worker: str, lease: float) -> tuple[int, ...]:
        """Hold all messages of this worker for `lease` seconds from now; their ids."""
        ...

    def settle(self, claim: Claim, worker: str, outgoing: Sequence[Outgoing] = ()) -> None:
        """The message is answered: its row is done and the answer's rows are in the outbox, in
        one transaction.

        A row that is in the outbox already (same turn and part: a streamed one that is `open`)
        takes the new post and is to be edited. Open rows of the turn that are not among
        `outgoing` are closed as they are. Raises `LeaseLost`.
        """
        ...

    def absorb(self, row: int, worker: str, into: Claim) -> None:
        """A waiting message became part of the turn `into` and gets no answer of its own. One
        that does not wait stays as it is. Raises `LeaseLost` when `into` is not this worker's."""
        ...

    def release(
        self, claim: Claim, worker: str, *, error: str = "", delay: float = 0.0, attempts: int = 0
    ) -> bool:
        """Give the message back, to be claimed again after `delay` seconds.

        With `attempts` above 0 and as many claims made, it is dead instead and its open rows are
        closed as they are; returns whether it is. Raises `LeaseLost`.
        """
        ...

    def reclaim(self, worker: str) -> int:
        """Give back everything that `worker` holds, at once: for the start after a crash, when
        the one lock of a home shows that no other is alive. Sends in flight become doubtful."""
        ...

    def waiting(self, session_key: str) -> tuple[InboxRow, ...]:
        """The messages of a session that wait, oldest first."""
        ...

    def post(self, outgoing: Sequence[Outgoing], *, not_before: float = 0.0) -> None:
        """Put messages into the outbox that answer nothing (notices, questions, jobs). A turn
        and part that is there already stays as it is."""
        ...

    def open(self, outgoing: Outgoing) -> Dispatch | None:
        """Begin a streamed message: its row is in the outbox and in the caller's hand. None when
        the turn has this part already, or while something older waits to be sent to that place."""
        ...

    def opened(self, dispatch: Dispatch, message_id: str) -> None:
        """The streamed message is out under this id; `settle` will bring its final text."""
        ...

    def opened_parts(self, turn: str) -> tuple[OutboxRow, ...]:
        """The messages that a turn has begun, by part; those without an id may be out or not."""
        ...

    def next(self, platforms: Sequence[str], now: float) -> Dispatch | None:
        """The oldest message to send on one of these platforms, marked as being sent.

        Messages to one target leave in the order of their rows: one that waits for a later
        attempt holds up those behind it. None when nothing is due.
        """
        ...

    def sent(self, dispatch: Dispatch, message_id: str) -> None:
        """It is out under this id; to be edited still, if `settle` gave it another post."""
        ...

    def unsent(
        self, dispatch: Dispatch, *, error: str, retry_at: float | None, doubtful: bool = False
    ) -> None:
        """It is not out: try again at `retry_at`, or never (None: it is dead). `doubtful`: it may
        be out after all. Nothing happens when it was sent, or got another post, meanwhile."""
        ...

    def due(self) -> float | None:
        """When the next message that waits for its time (either box) is due; None without one."""
        ...

    def version(self) -> int:
        """Changes when another process has written; cheap enough to ask every second."""
        ...

    def inbox(self, *states: InboxState, limit: int = 100) -> tuple[InboxRow, ...]:
        """Rows in these states (all without any), newest first."""
        ...

    def outbox(self, *states: OutboxState, limit: int = 100) -> tuple[OutboxRow, ...]:
        """Rows in these states (all without any), newest first."""
        ...

    def retry(self, box: Literal["in", "out"], row: int) -> None:
        """A dead row waits again, its attempts forgotten. Raises `NotFoundError`."""
        ...

    def drop(self, box: Literal["in", "out"], row: int) -> None:
        """Delete a dead or waiting row. Raises `NotFoundError`."""
        ...

    def counts(self) -> Counts:
        """How full it is."""
        ...

    def prune(self, before: float) -> int:
        """Forget done and sent rows last touched before then, and how many those were. Keys of
        accepted messages are kept as long as their rows."""
        ...

    def remember(self, key: str, value: str) -> None:
        """Keep a small fact of an entrance, such as a platform's offset."""
        ...

    def recall(self, key: str) -> str | None:
        """The fact, or None."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...
