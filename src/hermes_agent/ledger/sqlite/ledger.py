"""The port `Ledger` over one SQLite file."""

import time
from collections.abc import Callable, Sequence
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

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._db = database
        self._clock = clock

    @classmethod
    def at(cls, path: Path, clock: Callable[[], float] = time.time) -> "SqliteLedger":
        """Open, make or migrate the file. Raises `StoreError`, `NewerStoreError`."""
        return cls(connect(path, durable=True), clock)

    def accept(self, inbound: Inbound, session_key: str) -> Accepted:
        """See `Ledger.accept`."""
        sql, key = load("inbox"), storable(inbound.key)
        values = {
            "platform": inbound.origin.platform,
            "key": key,
            "session_key": storable(session_key),
            "inbound": _json(inbound),
            "now": self._clock(),
        }
        with self._db.write() as db:
            db.execute(sql["accept"], values)
            fresh = db.changes() == 1
            ((row, accepted_at),) = db.execute(sql["known"], (values["platform"], key))
        return Accepted(row, fresh, rows.turn_of(row, accepted_at))

    def claim(self, worker: str, lease: float) -> Claim | None:
        """See `Ledger.claim`."""
        now, sql = self._clock(), load("inbox")
        with self._db.read() as db:
            if db.execute(sql["any"]).get is None:
                return None
        values = {"worker": worker, "until": now + lease, "now": now}
        with self._db.write() as db:
            while (row := db.execute(sql["claim"], values).fetchone()) is not None:
                try:
                    return rows.claim(row)
                except rows.Unreadable as error:
                    db.execute(sql["bury"], {"id": row[0], "error": str(error), "now": now})
        return None

    def renew(self, worker: str, lease: float) -> tuple[int, ...]:
        """See `Ledger.renew`."""
        values = {"worker": worker, "until": self._clock() + lease}
        with self._db.write() as db:
            return tuple(row[0] for row in db.execute(load("inbox")["renew"], values))

    def settle(self, claim: Claim, worker: str, outgoing: Sequence[Outgoing] = ()) -> None:
        """See `Ledger.settle`."""
        now, out = self._clock(), load("outbox")
        with self._db.write() as db:
            _require_held(db, claim, worker)
            doubtful = 0
            for each in outgoing:
                values = _out(each, now)
                doubtful += db.execute(out["unknown"], values).get is not None
                db.execute(out["settle"], values)
            doubtful += db.execute(out["lost"], (claim.turn,)).get
            _count_doubtful(db, doubtful)
            db.execute(out["close_open"], {"turn": claim.turn, "now": now})
            db.execute(load("inbox")["done"], {"id": claim.id, "now": now})

    def absorb(self, row: int, worker: str, into: Claim) -> None:
        """See `Ledger.absorb`."""
        with self._db.write() as db:
            _require_held(db, into, worker)
            db.execute(load("inbox")["absorb"], {"id": row, "now": self._clock()})

    def release(
        self, claim: Claim, worker: str, *, error: str = "", delay: float = 0.0, attempts: int = 0
    ) -> bool:
        """See `Ledger.release`."""
        now = self._clock()
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
            if dead:
                db.execute(load("outbox")["close_open"], {"turn": claim.turn, "now": now})
        return dead

    def reclaim(self, worker: str) -> int:
        """See `Ledger.reclaim`."""
        with self._db.write() as db:
            db.execute(load("inbox")["reclaim"], (worker,))
            taken = db.changes()
            db.execute(load("outbox")["reclaim"])
            _count_doubtful(db, db.changes())
        return taken

    def waiting(self, session_key: str) -> tuple[InboxRow, ...]:
        """See `Ledger.waiting`."""
        with self._db.read() as db:
            found = db.execute(load("inbox")["waiting"], (storable(session_key),))
            return tuple(rows.inbox(row) for row in found)

    def post(self, outgoing: Sequence[Outgoing], *, not_before: float = 0.0) -> None:
        """See `Ledger.post`."""
        now = self._clock()
        with self._db.write() as db:
            for each in outgoing:
                db.execute(
                    load("outbox")["put"],
                    _out(each, now) | {"state": "waiting", "not_before": not_before},
                )

    def open(self, outgoing: Outgoing) -> Dispatch | None:
        """See `Ledger.open`."""
        values = _out(outgoing, self._clock()) | {"state": "open", "not_before": 0.0}
        with self._db.write() as db:
            if db.execute(load("outbox")["older"], (values["target"],)).get is not None:
                return None
            row = db.execute(load("outbox")["put"], values).get
        if row is None:
            return None
        return Dispatch(id=row, outgoing=outgoing, message_id=None, attempt=1, doubtful=False)

    def opened(self, dispatch: Dispatch, message_id: str) -> None:
        """See `Ledger.opened`."""
        values = {"id": dispatch.id, "message_id": message_id, "now": self._clock()}
        with self._db.write() as db:
            db.execute(load("outbox")["opened"], values)

    def opened_parts(self, turn: str) -> tuple[OutboxRow, ...]:
        """See `Ledger.opened_parts`."""
        with self._db.read() as db:
            return tuple(map(rows.outbox, db.execute(load("outbox")["opened_parts"], (turn,))))

    def next(self, platforms: Sequence[str], now: float) -> Dispatch | None:
        """See `Ledger.next`."""
        sql = load("outbox")
        with self._db.read() as db:
            if db.execute(sql["any"]).get is None:
                return None
        values = {"platforms": _json(tuple(platforms)), "now": now}
        with self._db.write() as db:
            while (row := db.execute(sql["next"], values).fetchone()) is not None:
                try:
                    return rows.dispatch(row)
                except rows.Unreadable as error:
                    db.execute(sql["bury"], {"id": row[0], "error": str(error), "now": now})
        return None

    def sent(self, dispatch: Dispatch, message_id: str) -> None:
        """See `Ledger.sent`."""
        values = {"id": dispatch.id, "message_id": message_id, "now": self._clock()}
        with self._db.write() as db:
            # What took a new post meanwhile waits to be edited.
            db.execute(load("outbox")["sent" if _is_current(db, dispatch) else "opened"], values)

    def unsent(
        self, dispatch: Dispatch, *, error: str, retry_at: float | None, doubtful: bool = False
    ) -> None:
        """See `Ledger.unsent`."""
        values = {
            "id": dispatch.id,
            "state": "dead" if retry_at is None else "waiting",
            "not_before": retry_at or 0.0,
            "doubtful": doubtful,
            "error": storable(error),
            "now": self._clock(),
        }
        with self._db.write() as db:
            if _is_current(db, dispatch):
                db.execute(load("outbox")["unsent"], values)
                _count_doubtful(db, db.changes() if doubtful else 0)

    def due(self) -> float | None:
        """See `Ledger.due`."""
        with self._db.read() as db:
            now = (self._clock(),)
            found = (db.execute(load(box)["due"], now).get for box in ("inbox", "outbox"))
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
        self._change(box, "retry", row, {"id": row, "now": self._clock()}, "given up")

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


def _is_current(db: Transaction, dispatch: Dispatch) -> bool:
    """Whether the row still holds the post that was in hand."""
    row = db.execute(load("outbox")["outgoing"], (dispatch.id,)).fetchone()
    return row is not None and _json(rows.outgoing(row[0])) == _json(dispatch.outgoing)


def _count_doubtful(db: Transaction, more: int) -> None:
    if more:
        db.execute(load("outbox")["count"], {"name": "doubtful", "more": more})


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
