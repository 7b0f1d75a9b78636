"""/v1/responses: turns that can be looked up and gone on from."""

import logging
import secrets
import time

import msgspec

from hermes_agent.api.chat import as_history, closing, interrupted, session_header, watch
from hermes_agent.api.chat_wire import OURS
from hermes_agent.api.composing import Composer
from hermes_agent.api.content import Asked, InputMessage, read_messages
from hermes_agent.api.conversation import (
    SOURCE,
    Place,
    chosen_model,
    existing,
    keyed,
    place,
)
from hermes_agent.api.exchange import Exchange
from hermes_agent.api.planting import branch, plant
from hermes_agent.api.refusal import Refusal, of_error
from hermes_agent.api.response_store import Kept, ResponseStore
from hermes_agent.api.responses_wire import (
    REASONS,
    ConversationName,
    Deleted,
    Incomplete,
    Response,
    ResponseFault,
    ResponseRequest,
    ResponseUsage,
)
from hermes_agent.api.routes import Link, Reply, Route
from hermes_agent.api.session_fields import IDEMPOTENCY, SESSION_HEADERS
from hermes_agent.api.settings import ApiSettings
from hermes_agent.api.shelf import Shelf
from hermes_agent.api.sse import Stream
from hermes_agent.api.turns import Stopped, Turn, Turns
from hermes_agent.domain.errors import HermesError, StoreError
from hermes_agent.domain.events import TurnEnded
from hermes_agent.sessions.host import Opening
from hermes_agent.sessions.live import LiveSession

log = logging.getLogger(__name__)


class Moved(Exception):
    """The session went on since the response that this request goes on from."""


class Responses:
    """The endpoints."""

    def __init__(
        self, settings: ApiSettings, turns: Turns, shelf: Shelf, store: ResponseStore
    ) -> None:
        self._settings = settings
        self._turns = turns
        self._shelf = shelf
        self._store = store
        self._decoder = msgspec.json.Decoder(ResponseRequest)

    def routes(self) -> tuple[Route, ...]:
        one = "/v1/responses/{response_id}"
        return (
            Route(
                method="POST",
                path="/v1/responses",
                handler=self.create,
                summary="Answer the input; streamed as server-sent events on demand.",
                body=ResponseRequest,
                example={"model": OURS, "input": "hello"},
                headers=(*SESSION_HEADERS, IDEMPOTENCY),
                reply=Reply(
                    body=Response,
                    events=True,
                    links=(Link("response_id", "/id", (f"GET {one}", f"DELETE {one}")),),
                ),
                errors=(402, 404, 409, 422, 429, 502, 503),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=one,
                handler=self.get,
                summary="A stored response.",
                reply=Reply(body=Response),
                errors=(404,),
            ),
            Route(
                method="DELETE",
                path=one,
                handler=self.delete,
                summary="Forget a stored response; its session stays.",
                reply=Reply(body=Deleted),
                errors=(404,),
            ),
        )

    async def get(self, exchange: Exchange) -> None:
        exchange.query()
        kept = await self._kept(exchange.params["response_id"], "response_id")
        await exchange.answer(kept.body)

    async def delete(self, exchange: Exchange) -> None:
        exchange.query()
        name = exchange.params["response_id"]
        if not await self._shelf.run(lambda: self._store.delete(name)):
            raise _unknown(name, "response_id")
        await exchange.answer(Deleted(id=name, object="response"))

    async def create(self, exchange: Exchange) -> None:
        request = exchange.decode(self._decoder, REASONS)
        said = request.input
        messages = [InputMessage(role="user", content=said)] if isinstance(said, str) else said
        asked = read_messages(messages, "input")
        model = chosen_model(request.model, self._settings.models)
        where, kept = await self._place(exchange, request)
        if not where.stored and asked.before:
            before = as_history(asked.before)
            await self._shelf.ask(lambda store: plant(store, where.session_id, before))
        opening = Opening(
            session_id=where.session_id,
            source=SOURCE,
            recalls_all=True,
            model=model,
            effort=request.reasoning.effort if request.reasoning else None,
            temperature=request.temperature,
            overlay="\n\n".join(each for each in (request.instructions, asked.overlay) if each),
        )
        with self._turns.slot() as turn:
            watching = watch(exchange, turn, self._settings)
            try:
                await self._answer(exchange, request, turn, opening, asked, kept)
            except Stopped:
                raise interrupted() from None
            finally:
                if watching is not None:
                    watching.cancel()

    async def _place(
        self, exchange: Exchange, request: ResponseRequest
    ) -> tuple[Place, Kept | None]:
        """Where to go on: after a response, in a conversation, or where the headers say."""
        previous, named = request.previous_response_id, request.conversation
        if previous is not None and named is not None:
            raise Refusal(
                400,
                "previous_response_id and conversation exclude each other.",
                param="conversation",
                code="invalid_value",
            )
        if previous is not None:
            kept = await self._kept(previous, "previous_response_id")
            where = await existing(self._shelf, kept.session_id, param="previous_response_id")
            return where, kept
        if named is not None:
            name = named if isinstance(named, str) else named.id
            return await keyed(self._shelf, f"conversation {name}", param="conversation"), None
        return await place(exchange, self._shelf), None

    async def _answer(
        self,
        exchange: Exchange,
        request: ResponseRequest,
        turn: Turn,
        opening: Opening,
        asked: Asked,
        kept: Kept | None,
    ) -> None:
        stream = Stream(exchange, self._settings.heartbeat) if request.stream else None
        composer = Composer(stream.put if stream else None)
        response = _begun(request)

        taken: list[LiveSession] = []

        async def opened(live: LiveSession) -> None:
            taken[:] = [live]
            last = live.history[-1].id if live.history else None
            if kept is not None and kept.last_message not in (None, last):
                raise Moved
            if stream is not None:
                await exchange.begin_events(session_header(live.id))
                composer.lifecycle("response.created", response)
                composer.lifecycle("response.in_progress", response)
                stream.start()

        try:
            try:
                ended = await turn.run(opening, asked.text, composer.tell, asked.images, opened)
            except Moved:
                opening = await self._branched(opening, kept)
                kept = None
                ended = await turn.run(opening, asked.text, composer.tell, asked.images, opened)
            composer.close()
            response = _ended(response, ended, composer)
            if response.status != "failed" and response.store:
                response = await self._keep(response, taken[0].id, composer)
            if stream is None:
                closing(ended)
                await exchange.answer(response, headers=session_header(opening.session_id))
            else:
                composer.lifecycle(f"response.{response.status}", response)
        except HermesError as error:
            if stream is None or not stream.started:
                raise
            composer.lifecycle("response.failed", _failed(response, of_error(error)))
        finally:
            if stream is not None:
                await stream.end()

    async def _branched(self, opening: Opening, kept: Kept | None) -> Opening:
        assert kept is not None
        assert kept.last_message is not None
        session_id, last = kept.session_id, kept.last_message
        copy = await self._shelf.ask(lambda store: branch(store, session_id, last))
        return msgspec.structs.replace(opening, session_id=copy)

    async def _keep(self, response: Response, session_id: str, composer: Composer) -> Response:
        """The response as it can be told: an answer is not lost where it cannot be stored."""
        body = msgspec.json.encode(response)
        last, made = composer.last_message, float(response.created_at)
        try:
            await self._shelf.run(
                lambda: self._store.put(response.id, made, session_id, last, body)
            )
        except StoreError as error:
            log.warning("A response was not stored: %s", error.message)
            return msgspec.structs.replace(response, store=False)
        return response

    async def _kept(self, response_id: str, param: str) -> Kept:
        kept = await self._shelf.run(lambda: self._store.get(response_id))
        if kept is None:
            raise _unknown(response_id, param)
        return kept


def _begun(request: ResponseRequest) -> Response:
    named = request.conversation
    return Response(
        id=f"resp_{secrets.token_hex(16)}",
        created_at=int(time.time()),
        model=request.model or OURS,
        status="in_progress",
        instructions=request.instructions,
        previous_response_id=request.previous_response_id,
        conversation=ConversationName(id=named) if isinstance(named, str) else named,
        metadata=request.metadata or {},
        store=request.store is not False,
        temperature=request.temperature,
    )


def _ended(response: Response, ended: TurnEnded, composer: Composer) -> Response:
    replace = msgspec.structs.replace
    response = replace(response, output=composer.items, usage=ResponseUsage.of(ended.usage))
    try:
        _, finish = closing(ended)
    except Refusal as refusal:
        return _failed(response, refusal)
    if finish == "stop":
        return replace(response, status="completed")
    reason = "content_filter" if finish == "content_filter" else "max_output_tokens"
    return replace(response, status="incomplete", incomplete_details=Incomplete(reason=reason))


def _failed(response: Response, refusal: Refusal) -> Response:
    fault = ResponseFault(code=refusal.code or "server_error", message=refusal.message)
    return msgspec.structs.replace(response, status="failed", error=fault)


def _unknown(response_id: str, param: str) -> Refusal:
    return Refusal(
        404,
        f"There is no stored response {response_id[:80]!r}; the last 100 are kept.",
        param=param,
        code="response_not_found",
    )
