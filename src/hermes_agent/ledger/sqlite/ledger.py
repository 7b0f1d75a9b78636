"""The port `Ledger` over one SQLite file."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import msgspec

from hermes_agent.domain.chats import Inbound, Outgoing
from hermes_agent.domain.errors import NotFoundError
from hermes_agent.ledger.port import (
    Accepted,
    Claim,
    Counts,
    Dispatch,
    InboxRow,
    InboxState,
    LeaseLost,
    OutboxRow,
    OutboxState,
)
from hermes_agent.ledger.sqlite import rows
from hermes_agent.ledger.sqlite.statements import load
from hermes_agent.store.sqlite.connection import Database, connect
from hermes_agent.store.sqlite.transaction import Transaction
from hermes_agent.store.text import storable

_INBOX: tuple[InboxState, ...] = ("waiting", "working", "done", "dead")
_OUTBOX: tuple[OutboxState, ...] = ("open", "waiting", "sending", "sent", "dead")


class SqliteLedger:
    """See `Ledger`. Several threads may share it, several processes the file."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @classmethod
    def at(cls, path: Path) -> "SqliteLedger":
        """Open, make or migrate the file. Raises `StoreError`, `NewerStoreError`."""
        return cls(connect(path, durable=True))

    def accept(self, inbound: Inbound, session_key: str) -> Accepted:
        """See `Ledger.accept`."""
        sql, key = load("inbox"), storable(inbound.key)
        platform = inbound.origin.platform
        with self._db.write() as db:
            db.execute(
                sql["accept"],
                {
                    "platform": platform,
                    "key": key,
                    "session_key": storable(session_key),
                    "inbound": _json(inbound),
                    "now": time.time(),
                },
            )
            fresh = db.changes() == 1
            row: int = (
                db.last_insert_rowid() if fresh else db.execute(sql["id_of"], (platform, key)).get
            )
        return Accepted(row, fresh, rows.turn_of(row))

    def claim(self, worker: str, lease: float) -> Claim | None:
        """See `Ledger.claim`."""
        now = time.time()
        with self._db.read() as db:
            idle = db.execute("SELECT 1 FROM inbox WHERE state IN ('waiting', 'working')").get
        if idle is None:
            return None
        with self._db.write() as db:
            row = db.execute(
                load("inbox")["claim"], {"worker": worker, "until": now + lease, "now": now}
            ).fetchone()
        return None if row is None else rows.claim(row)

    def renew(self, worker: str, lease: float) -> tuple[int, ...]:
        """See `Ledger.renew`."""
        values = {"worker": worker, "until": time.time() + lease}
        with self._db.write() as db:
            return tuple(row[0] for row in db.execute(load("inbox")["renew"], values))

    def settle(self, claim: Claim, worker: str, outgoing: Sequence[Outgoing] = ()) -> None:
        """See `Ledger.settle`."""
        now, out = time.time(), load("outbox")
        with self._db.write() as db:
            _require_held(db, claim, worker)
            for each in outgoing:
                db.execute(out["settle"], _out(each, now))
            db.execute(out["close_open"], {"turn": claim.turn, "now": now})
            db.execute(load("inbox")["done"], {"id": claim.id, "now": now})

    def absorb(self, row: int, worker: str, into: Claim) -> None:
        """See `Ledger.absorb`."""
        with self._db.write() as db:
            _require_held(db, into, worker)
            db.execute(load("inbox")["absorb"], {"id": row, "now": time.time()})

    def release(
        self, claim: Claim, worker: str, *, error: str = "", delay: float = 0.0, attempts: int = 0
    ) -> bool:
        """See `Ledger.release`."""
        now = time.time()
        dead = 0 < attempts <= claim.attempt
        with self._db.write() as db:
            _require_held(db, claim, worker)
            db.execute(
                load("inbox")["release"],
                {
                    "id": claim.id,
                    "state": "dead" if dead else "waiting",
                    "not_before": now + delay if delay else 0.0,
                    "error": storable(error),
                    "now": now,
                },
            )
        return dead

    def reclaim(self, worker: str) -> int:
        """See `Ledger.reclaim`."""
        with self._db.write() as db:
            db.execute(load("inbox")["reclaim"], (worker,))
            taken = db.changes()
            out = load("outbox")
            db.execute(out["reclaim"])
            doubtful = db.changes()
            if doubtful:
                db.execute(out["count"], {"name": "doubtful", "more": doubtful})
        return taken

    def waiting(self, session_key: str) -> tuple[InboxRow, ...]:
        """See `Ledger.waiting`."""
        with self._db.read() as db:
            found = db.execute(load("inbox")["waiting"], (storable(session_key),))
            return tuple(rows.inbox(row) for row in found)

    def post(self, outgoing: Sequence[Outgoing], *, not_before: float = 0.0) -> None:
        """See `Ledger.post`."""
        now = time.time()
        with self._db.write() as db:
            for each in outgoing:
                db.execute(
                    load("outbox")["put"],
                    _out(each, now) | {"state": "waiting", "not_before": not_before},
                )

    def open(self, outgoing: Outgoing) -> Dispatch | None:
        """See `Ledger.open`."""
        values = _out(outgoing, time.time()) | {"state": "open", "not_before": 0.0}
        with self._db.write() as db:
            if db.execute(load("outbox")["older"], (values["target"],)).get is not None:
                return None
            row = db.execute(load("outbox")["put"], values).get
        if row is None:
            return None
        return Dispatch(id=row, outgoing=outgoing, message_id=None, attempt=1, doubtful=False)

    def opened(self, dispatch: Dispatch, message_id: str) -> None:
        """See `Ledger.opened`."""
        values = {"id": dispatch.id, "message_id": message_id, "now": time.time()}
        with self._db.write() as db:
            db.execute(load("outbox")["opened"], values)

    def opened_parts(self, turn: str) -> tuple[OutboxRow, ...]:
        """See `Ledger.opened_parts`."""
        with self._db.read() as db:
            return tuple(map(rows.outbox, db.execute(load("outbox")["opened_parts"], (turn,))))

    def next(self, platforms: Sequence[str], now: float) -> Dispatch | None:
        """See `Ledger.next`."""
        with self._db.read() as db:
            if db.execute("SELECT 1 FROM outbox WHERE state = 'waiting' LIMIT 1").get is None:
                return None
        values = {"platforms": _json(tuple(platforms)), "now": now}
        with self._db.write() as db:
            row = db.execute(load("outbox")["next"], values).fetchone()
        return None if row is None else rows.dispatch(row)

    def sent(self, dispatch: Dispatch, message_id: str) -> None:
        """See `Ledger.sent`."""
        values = {"id": dispatch.id, "message_id": message_id, "now": time.time()}
        with self._db.write() as db:
            db.execute(load("outbox")["sent"], values)

    def unsent(self, dispatch: Dispatch, *, error: str, retry_at: float | None) -> None:
        """See `Ledger.unsent`."""
        values = {
            "id": dispatch.id,
            "state": "dead" if retry_at is None else "waiting",
            "not_before": retry_at or 0.0,
            "error": storable(error),
            "now": time.time(),
        }
        with self._db.write() as db:
            db.execute(load("outbox")["unsent"], values)

    def due(self) -> float | None:
        """See `Ledger.due`."""
        with self._db.read() as db:
            found = (db.execute(load(box)["due"]).get for box in ("inbox", "outbox"))
            return min((each for each in found if each is not None), default=None)

    def version(self) -> int:
        """See `Ledger.version`."""
        with self._db.read() as db:
            version: int = db.execute("PRAGMA data_version").get
        return version

    def inbox(self, *states: InboxState, limit: int = 100) -> tuple[InboxRow, ...]:
        """See `Ledger.inbox`."""
        values = {"states": _json(states or _INBOX), "limit": limit}
        with self._db.read() as db:
            return tuple(map(rows.inbox, db.execute(load("inbox")["rows"], values)))

    def outbox(self, *states: OutboxState, limit: int = 100) -> tuple[OutboxRow, ...]:
        """See `Ledger.outbox`."""
        values = {"states": _json(states or _OUTBOX), "limit": limit}
        with self._db.read() as db:
            return tuple(map(rows.outbox, db.execute(load("outbox")["rows"], values)))

    def retry(self, box: Literal["in", "out"], row: int) -> None:
        """See `Ledger.retry`."""
        self._change(box, "retry", row, {"id": row, "now": time.time()}, "given up")

    def drop(self, box: Literal["in", "out"], row: int) -> None:
        """See `Ledger.drop`."""
        self._change(box, "drop", row, {"id": row}, "waiting or given up")

    def _change(
        self, box: Literal["in", "out"], what: str, row: int, values: dict[str, float], state: str
    ) -> None:
        with self._db.write() as db:
            db.execute(load("inbox" if box == "in" else "outbox")[what], values)
            if db.changes() != 1:
                raise NotFoundError(
                    f"There is no message {box}:{row} that is {state}.",
                    hint="See them with: hermes gateway queue list",
                )

    def counts(self) -> Counts:
        """See `Ledger.counts`."""
        with self._db.read() as db:
            return Counts(
                inbox={row[0]: row[1] for row in db.execute(load("inbox")["counts"])},
                outbox={row[0]: row[1] for row in db.execute(load("outbox")["counts"])},
                oldest_waiting=db.execute(load("inbox")["oldest_waiting"]).get,
                doubtful=db.execute(load("outbox")["counted"], ("doubtful",)).get or 0,
            )

    def prune(self, before: float) -> int:
        """See `Ledger.prune`."""
        gone = 0
        with self._db.write() as db:
            for box in ("inbox", "outbox"):
                db.execute(load(box)["prune"], (before,))
                gone += db.changes()
        return gone

    def remember(self, key: str, value: str) -> None:
        """See `Ledger.remember`."""
        with self._db.write() as db:
            db.execute(load("outbox")["remember"], (storable(key), storable(value)))

    def recall(self, key: str) -> str | None:
        """See `Ledger.recall`."""
        with self._db.read() as db:
            found: str | None = db.execute(load("outbox")["recall"], (storable(key),)).get
        return found

    def close(self) -> None:
        """See `Ledger.close`."""
        self._db.close()


def _require_held(db: Transaction, claim: Claim, worker: str) -> None:
    values = {"id": claim.id, "worker": worker, "attempt": claim.attempt}
    if db.execute(load("inbox")["held"], values).get is None:
        raise LeaseLost


def _out(outgoing: Outgoing, now: float) -> dict[str, object]:
    return {
        "turn": storable(outgoing.turn),
        "part": outgoing.part,
        "platform": outgoing.target.platform,
        "target": storable(rows.target_key(outgoing.target)),
        "outgoing": _json(outgoing),
        "now": now,
    }


def _json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        # Half a character pair, which no JSON holds.
        return msgspec.json.encode(_cleaned(msgspec.to_builtins(value))).decode()


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        return {storable(key): _cleaned(each) for key, each in pairs.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each) for each in cast("list[object]", value)]
    return value
