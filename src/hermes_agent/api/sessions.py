"""/api/sessions: what is stored, to look at, to name, to remove."""

import msgspec

from hermes_agent.api.conversation import check_id
from hermes_agent.api.exchange import Exchange
from hermes_agent.api.responses_wire import Deleted
from hermes_agent.api.routes import Field, Link, Reply, Route
from hermes_agent.api.sessions_wire import (
    MessageList,
    MessageView,
    SessionList,
    SessionRename,
    SessionView,
)
from hermes_agent.api.settings import ApiSettings
from hermes_agent.api.shelf import Shelf
from hermes_agent.config.paths import Paths
from hermes_agent.sessions.locks import SessionLocks
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Filters

MOST = 1000


def _limit(default: int) -> Field:
    schema = {"type": "integer", "minimum": 1, "maximum": MOST, "default": default}
    return Field(name="limit", text="How many at most.", schema=schema)


class Sessions:
    """The endpoints."""

    def __init__(self, settings: ApiSettings, shelf: Shelf) -> None:
        self._shelf = shelf
        self._locks = SessionLocks(Paths(settings.home).sessions_dir)
        self._renames = msgspec.json.Decoder(SessionRename)

    def routes(self) -> tuple[Route, ...]:
        one = "/api/sessions/{session_id}"
        return (
            Route(
                method="GET",
                path="/api/sessions",
                handler=self.list,
                summary="Stored sessions, last active first.",
                query=(_limit(50), Field(name="source", text="Only those that began there.")),
                reply=Reply(
                    body=SessionList,
                    links=(
                        Link(
                            "session_id",
                            "/data/0/id",
                            (
                                *(f"GET {one}", f"GET {one}/messages"),
                                *(f"PATCH {one}", f"DELETE {one}"),
                            ),
                        ),
                    ),
                ),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.get,
                summary="One session.",
                reply=Reply(body=SessionView),
                errors=(404,),
            ),
            Route(
                method="PATCH",
                path=one,
                handler=self.rename,
                summary="Name a session.",
                body=SessionRename,
                reply=Reply(body=SessionView),
                errors=(404, 409),
            ),
            Route(
                method="DELETE",
                path=one,
                handler=self.delete,
                summary="Remove a session that nobody works on, with its messages.",
                reply=Reply(body=Deleted),
                errors=(404, 409),
            ),
            Route(
                method="GET",
                path=f"{one}/messages",
                handler=self.messages,
                summary="The messages of a session, in order.",
                query=(
                    _limit(200),
                    Field(
                        name="after",
                        text="Only those behind the message with this id.",
                        schema={"type": "integer", "minimum": 1, "maximum": 999_999_999},
                    ),
                ),
                reply=Reply(body=MessageList),
                errors=(404,),
            ),
        )

    async def list(self, exchange: Exchange) -> None:
        query = exchange.query("limit", "source")
        limit = exchange.whole_number(query.get("limit"), "limit", default=50, most=MOST)
        filters = Filters(source=query.get("source"), with_messages=True, led=True)
        found = await self._shelf.ask(lambda store: store.list(filters, limit=limit))
        await exchange.answer(SessionList(data=[*found]))

    async def get(self, exchange: Exchange) -> None:
        exchange.query()
        name = _name(exchange)
        row = await self._shelf.ask(lambda store: store.get(name))
        await exchange.answer(SessionView.of(row))

    async def messages(self, exchange: Exchange) -> None:
        query = exchange.query("limit", "after")
        limit = exchange.whole_number(query.get("limit"), "limit", default=200, most=MOST)
        after = exchange.whole_number(query.get("after"), "after", default=0, most=999_999_999)
        name = _name(exchange)
        history = await self._shelf.ask(lambda store: store.history(name))
        wanted = [each for each in history if (each.id or 0) > after]
        shown = [MessageView.of(each) for each in wanted[:limit]]
        await exchange.answer(MessageList(data=shown, has_more=len(wanted) > limit))

    async def rename(self, exchange: Exchange) -> None:
        name, title = _name(exchange), exchange.decode(self._renames).title
        await self._shelf.ask(lambda store: store.rename(name, title))
        row = await self._shelf.ask(lambda store: store.get(name))
        await exchange.answer(SessionView.of(row))

    async def delete(self, exchange: Exchange) -> None:
        exchange.query()
        name = _name(exchange)
        await self._shelf.ask(lambda store: self._delete(store, name))
        await exchange.answer(Deleted(id=name, object="hermes.session"))

    def _delete(self, store: SessionStore, name: str) -> None:
        # The lock is the kernel's, so it also tells of the turns of this very process.
        store.get(name)
        self._locks.take(name)
        try:
            store.delete(name)
        finally:
            self._locks.release(name)


def _name(exchange: Exchange) -> str:
    name = exchange.params["session_id"]
    check_id(name, "session_id")
    return name
