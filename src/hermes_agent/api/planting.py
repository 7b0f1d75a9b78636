"""Sessions that begin with what was said elsewhere: by the client's account, or in another one."""

from collections.abc import Sequence

import msgspec

from hermes_agent.api.conversation import SOURCE
from hermes_agent.domain.messages import Message
from hermes_agent.store.ids import new_session_id
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session


def plant(
    store: SessionStore, session_id: str, said: Sequence[Message], parent: str | None = None
) -> None:
    """Make the session with these messages in it."""
    store.create(Session(id=session_id, source=SOURCE, parent_session_id=parent))
    for message in said:
        store.append(session_id, msgspec.structs.replace(message, id=None, turn=None))


def branch(store: SessionStore, session_id: str, last_message: int) -> str:
    """A copy of the session up to and with this message; returns its id."""
    said = [each for each in store.history(session_id) if (each.id or 0) <= last_message]
    copy = new_session_id()
    plant(store, copy, said, parent=session_id)
    return copy
