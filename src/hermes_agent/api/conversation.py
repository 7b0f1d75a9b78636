"""Which stored session a request belongs to, and which model it may choose."""

import re
from hashlib import sha256
from typing import NamedTuple

from hermes_agent.api.chat_wire import OURS
from hermes_agent.api.exchange import Exchange
from hermes_agent.api.refusal import Refusal
from hermes_agent.api.shelf import Shelf
from hermes_agent.domain.errors import NotFoundError
from hermes_agent.store.ids import new_session_id

SOURCE = "api_server"
ID_HEADER = "x-hermes-session-id"
KEY_HEADER = "x-hermes-session-key"
MAX_KEY = 256
ID_PATTERN = "^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,127}$"
_ID = re.compile(ID_PATTERN)


class Place(NamedTuple):
    """A session, whether it is stored already, and whether its id was made up just now."""

    session_id: str
    stored: bool
    fresh: bool = False


def fresh() -> Place:
    """A session that nobody has used."""
    return Place(new_session_id(), stored=False, fresh=True)


async def place(exchange: Exchange, shelf: Shelf) -> Place:
    """By the session headers: the named one, the one that the key stands for, or a new one.

    Raises `Refusal` for a session that does not exist and for both headers at once.
    """
    named, key = exchange.headers.get(ID_HEADER), exchange.headers.get(KEY_HEADER)
    if named is None and key is None:
        return fresh()
    if named is not None and key is not None:
        raise Refusal(
            400,
            "X-Hermes-Session-Id and X-Hermes-Session-Key exclude each other.",
            param=KEY_HEADER,
            code="invalid_value",
        )
    if named is not None:
        return await existing(shelf, named, param=ID_HEADER)
    return await keyed(shelf, key or "", param=KEY_HEADER)


async def existing(shelf: Shelf, session_id: str, *, param: str) -> Place:
    """The stored session of this id."""
    check_id(session_id, param)
    try:
        await shelf.ask(lambda store: store.get(session_id))
    except NotFoundError:
        raise Refusal(
            404,
            f"There is no session {session_id}. Leave the id out for a new one.",
            param=param,
            code="session_not_found",
        ) from None
    return Place(session_id, stored=True)


async def keyed(shelf: Shelf, key: str, *, param: str) -> Place:
    """The session that a client's own word stands for, made with its first message."""
    if not key.strip() or len(key) > MAX_KEY:
        raise Refusal(
            400, f"A key has 1 to {MAX_KEY} characters.", param=param, code="invalid_value"
        )
    session_id = f"api_{sha256(key.strip().encode()).hexdigest()[:24]}"
    try:
        await shelf.ask(lambda store: store.get(session_id))
    except NotFoundError:
        return Place(session_id, stored=False)
    return Place(session_id, stored=True)


def check_id(session_id: str, param: str) -> None:
    """Raises `Refusal` for what is no id of a session."""
    if not _ID.fullmatch(session_id):
        raise Refusal(400, "This is no id of a session.", param=param, code="invalid_value")


def chosen_model(name: str | None, allowed: tuple[str, ...]) -> str:
    """The model to open with; empty is the configured one. Raises `Refusal`."""
    if not name or name == OURS:
        return ""
    if name in allowed or "*" in allowed:
        return name
    raise Refusal(
        404,
        f"There is no model {name[:100]!r} here; GET /v1/models lists what there is. "
        "API_SERVER_MODELS lets clients choose others.",
        param="model",
        code="model_not_found",
    )
