"""Between rows and the port's types."""

from typing import TypeVar

import msgspec

from hermes_agent.domain.chats import Inbound, Origin, Outgoing, Post, Target
from hermes_agent.ledger.port import Claim, Dispatch, InboxRow, OutboxRow
from hermes_agent.store.sqlite.transaction import Row

_inbound = msgspec.json.Decoder(Inbound)
_outgoing = msgspec.json.Decoder(Outgoing)
_NOWHERE = Target(platform="", chat_id="")
_NO_INBOUND = Inbound(key="", origin=Origin(platform="", chat_id=""), text="(cannot be read)")
_NO_OUTGOING = Outgoing(turn="", part=0, target=_NOWHERE, post=Post(plain="(cannot be read)"))

_T = TypeVar("_T")


class Unreadable(Exception):
    """A row was damaged, or written by a version that knows more."""


def turn_of(row: int, accepted_at: float) -> str:
    """The name of the work on an inbox row.

    With its time, because ids begin anew in a new database, where the histories of an old one
    may have been saved and platforms remember the keys of old messages.
    """
    return f"in-{row}-{int(accepted_at * 1000):x}"


def target_key(target: Target) -> str:
    """Platform, chat and thread in one."""
    return msgspec.json.encode((target.platform, target.chat_id, target.thread_id)).decode()


def claim(row: Row) -> Claim:
    """From `inbox.claim`. Raises `Unreadable`."""
    return Claim(
        id=row[0],
        turn=turn_of(row[0], row[3]),
        session_key=row[1],
        inbound=_read(_inbound, row[2]),
        accepted_at=row[3],
        attempt=row[4],
    )


def dispatch(row: Row) -> Dispatch:
    """From `outbox.next`. Raises `Unreadable`."""
    return Dispatch(
        id=row[0],
        outgoing=_read(_outgoing, row[1]),
        message_id=row[2],
        attempt=row[3],
        doubtful=bool(row[4]),
    )


def outgoing(stored: str) -> Outgoing:
    """What stands in `outbox.outgoing`; a placeholder where it cannot be read."""
    return _shown(_outgoing, stored, _NO_OUTGOING)


def inbox(row: Row) -> InboxRow:
    """From `inbox.rows` and `inbox.waiting`."""
    return InboxRow(
        id=row[0],
        state=row[1],
        session_key=row[2],
        inbound=_shown(_inbound, row[3], _NO_INBOUND),
        accepted_at=row[4],
        attempts=row[5],
        error=row[6],
    )


def outbox(row: Row) -> OutboxRow:
    """From `outbox.rows` and `outbox.opened_parts`."""
    return OutboxRow(
        id=row[0],
        state=row[1],
        outgoing=outgoing(row[2]),
        created_at=row[3],
        attempts=row[4],
        message_id=row[5],
        error=row[6],
    )


def _read(decoder: msgspec.json.Decoder[_T], stored: str) -> _T:
    try:
        return decoder.decode(stored)
    except msgspec.DecodeError as error:
        raise Unreadable(f"The stored message cannot be read: {error}") from error


def _shown(decoder: msgspec.json.Decoder[_T], stored: str, instead: _T) -> _T:
    try:
        return decoder.decode(stored)
    except msgspec.DecodeError:
        return instead
