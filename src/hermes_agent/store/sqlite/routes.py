"""Routes of chats. Each function runs inside a transaction."""

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.store.records import Route
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Row, Transaction
from hermes_agent.store.text import storable

_choices = msgspec.json.Decoder(dict[str, str])
_origin = msgspec.json.Decoder(Origin)


def get(db: Transaction, session_key: str) -> Route | None:
    row = db.execute(load("routes")["get"], (session_key,)).fetchone()
    return None if row is None else _route(row)


def put(db: Transaction, route: Route) -> None:
    values = {
        "session_key": storable(route.session_key),
        "session_id": route.session_id,
        "created_at": route.created_at,
        "updated_at": route.updated_at,
        "origin": msgspec.json.encode(route.origin).decode(),
        "choices": msgspec.json.encode(route.choices).decode(),
    }
    db.execute(load("routes")["put"], values)


def list_(db: Transaction, limit: int) -> tuple[Route, ...]:
    return tuple(_route(row) for row in db.execute(load("routes")["list"], (limit,)))


def _route(row: Row) -> Route:
    return Route(
        session_key=row[0],
        session_id=row[1],
        created_at=row[2],
        updated_at=row[3],
        origin=_origin.decode(row[4]),
        choices=_choices.decode(row[5]),
    )
