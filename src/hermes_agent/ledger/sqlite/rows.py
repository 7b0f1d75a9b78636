"""Between rows and the port's types."""

import msgspec

from hermes_agent.domain.chats import Inbound, Outgoing, Target
from hermes_agent.ledger.port import Claim, Dispatch, InboxRow, OutboxRow
from hermes_agent.store.sqlite.transaction import Row

_inbound = msgspec.json.Decoder(Inbound)
_outgoing = msgspec.json.Decoder(Outgoing)


def turn_of(row: int) -> str:
    """The name of the work on an inbox row."""
    return f"in-{row}"


def target_key(target: Target) -> str:
    """Platform, chat and thread in one."""
    return msgspec.json.encode((target.platform, target.chat_id, target.thread_id)).decode()


def claim(row: Row) -> Claim:
    """From `inbox.claim`."""
    return Claim(
        id=row[0],
        turn=turn_of(row[0]),
        session_key=row[1],
        inbound=_inbound.decode(row[2]),
        accepted_at=row[3],
        attempt=row[4],
    )


def dispatch(row: Row) -> Dispatch:
    """From `outbox.next`."""
    return Dispatch(
        id=row[0],
        outgoing=_outgoing.decode(row[1]),
        message_id=row[2],
        attempt=row[3],
        doubtful=bool(row[4]),
    )


def inbox(row: Row) -> InboxRow:
    """From `inbox.rows` and `inbox.waiting`."""
    return InboxRow(
        id=row[0],
        state=row[1],
        session_key=row[2],
        inbound=_inbound.decode(row[3]),
        accepted_at=row[4],
        attempts=row[5],
        error=row[6],
    )


def outbox(row: Row) -> OutboxRow:
    """From `outbox.rows` and `outbox.opened_parts`."""
    return OutboxRow(
        id=row[0],
        state=row[1],
        outgoing=_outgoing.decode(row[2]),
        created_at=row[3],
        attempts=row[4],
        message_id=row[5],
        error=row[6],
    )
