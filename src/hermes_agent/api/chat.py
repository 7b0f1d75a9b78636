"""POST /v1/chat/completions: a turn as OpenAI's clients know it."""

import asyncio
import secrets
import time
from typing import Any

import msgspec

from hermes_agent.api import tool_progress
from hermes_agent.api.chat_wire import (
    OURS,
    REASONS,
    AnswerMessage,
    ChatRequest,
    ChatUsage,
    Choice,
    Chunk,
    ChunkChoice,
    Completion,
    Finish,
)
from hermes_agent.api.content import Asked, Turned, read_messages
from hermes_agent.api.conversation import SOURCE, chosen_model, place
from hermes_agent.api.exchange import Exchange
from hermes_agent.api.refusal import Refusal, of_error, of_failure
from hermes_agent.api.routes import Reply, Route
from hermes_agent.api.session_fields import IDEMPOTENCY, SESSION_HEADERS
from hermes_agent.api.settings import ApiSettings
from hermes_agent.api.shelf import Shelf
from hermes_agent.api.sse import Stream, event
from hermes_agent.api.turns import Stopped, Turn, Turns
from hermes_agent.domain.errors import HermesError
from hermes_agent.domain.events import (
    BudgetSpent,
    Completed,
    Event,
    Failed,
    MessageDone,
    TurnEnded,
)
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Retrying, TextDelta
from hermes_agent.sessions.host import Opening
from hermes_agent.sessions.live import LiveSession

DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


class Chat:
    """The endpoint."""

    def __init__(self, settings: ApiSettings, turns: Turns, shelf: Shelf) -> None:
        self._settings = settings
        self._turns = turns
        self._shelf = shelf
        self._decoder = msgspec.json.Decoder(ChatRequest)

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(
                method="POST",
                path="/v1/chat/completions",
                handler=self.complete,
                summary="Answer the last user message; streamed as server-sent events on demand.",
                body=ChatRequest,
                example={"model": OURS, "messages": [{"role": "user", "content": "hello"}]},
                headers=(*SESSION_HEADERS, IDEMPOTENCY),
                reply=Reply(body=Completion, events=True),
                errors=(402, 404, 409, 422, 429, 502, 503),
                idempotent=True,
            ),
        )

    async def complete(self, exchange: Exchange) -> None:
        request = exchange.decode(self._decoder, REASONS)
        asked = read_messages(request.messages, "messages")
        model = chosen_model(request.model, self._settings.models)
        where = await place(exchange, self._shelf)
        opening = Opening(
            session_id=where.session_id,
            source=SOURCE,
            recalls_all=True,
            fresh=where.fresh,
            model=model,
            effort=request.reasoning_effort,
            temperature=request.temperature,
            overlay=asked.overlay,
            before=() if where.stored else as_history(asked.before),
        )
        with self._turns.slot() as turn:
            if request.stream:
                await self._stream(exchange, request, turn, opening, asked)
            else:
                await self._whole(exchange, request, turn, opening, asked)

    async def _whole(
        self, exchange: Exchange, request: ChatRequest, turn: Turn, opening: Opening, asked: Asked
    ) -> None:
        watching = self._watch(exchange, turn)
        try:
            ended = await turn.run(opening, asked.text, _ignore, asked.images)
        except Stopped:
            raise interrupted() from None
        finally:
            if watching is not None:
                watching.cancel()
        text, finish = closing(ended)
        answer = Completion(
            id=_new_id(),
            created=int(time.time()),
            model=request.model or OURS,
            choices=[Choice(message=AnswerMessage(content=text), finish_reason=finish)],
            usage=ChatUsage.of(ended.usage),
        )
        await exchange.answer(answer, headers=session_header(opening.session_id))

    async def _stream(
        self, exchange: Exchange, request: ChatRequest, turn: Turn, opening: Opening, asked: Asked
    ) -> None:
        stream = Stream(exchange, self._settings.heartbeat)
        script = _Script(stream, request)
        watching = self._watch(exchange, turn)

        async def opened(live: LiveSession) -> None:
            await exchange.begin_events(session_header(live.id))
            script.role()
            stream.start()

        try:
            script.end(await turn.run(opening, asked.text, script.tell, asked.images, opened))
        except Stopped:
            raise interrupted() from None
        except HermesError as error:
            if not stream.started:
                raise
            script.fail(of_error(error))
        finally:
            if watching is not None:
                watching.cancel()
            await stream.end()

    def _watch(self, exchange: Exchange, turn: Turn) -> asyncio.Task[None] | None:
        return watch(exchange, turn, self._settings)


def watch(exchange: Exchange, turn: Turn, settings: ApiSettings) -> asyncio.Task[None] | None:
    """Stop the turn when the client goes away, unless it said that it will come back."""
    if settings.on_disconnect == "finish" or exchange.tape is not None:
        return None

    async def stop() -> None:
        await exchange.disconnected()
        turn.stop()

    return asyncio.create_task(stop())


class _Script:
    """A turn's events as chunks."""

    def __init__(self, stream: Stream, request: ChatRequest) -> None:
        self._stream = stream
        self._usage_wanted = bool(request.stream_options and request.stream_options.include_usage)
        self._id, self._created, self._model = _new_id(), int(time.time()), request.model or OURS
        # The same for every piece of text, so it is encoded once.
        shape = _encode(self._chunk({"content": "\x00"}))
        before, _, after = shape.partition(b'"\\u0000"')
        self._before, self._after = b"data: " + before, after + b"\n\n"
        self._said = False
        self._gap = False

    def role(self) -> None:
        self._stream.put(event(self._chunk({"role": "assistant", "content": ""})), later=True)

    def tell(self, told: Event) -> None:
        if isinstance(told, TextDelta):
            text = told.text
            if self._gap:
                text, self._gap = f"\n\n{text}", False
            self._said = True
            self._stream.put(self._before + _encode(text) + self._after)
        elif isinstance(told, MessageDone | Retrying):
            # What follows is another message; clients know but one.
            self._gap = self._said
        if (ours := tool_progress.told(told)) is not None:
            name, data = ours
            self._stream.put(event(self._chunk({}, hermes={"type": name, **data}), name=name))

    def end(self, ended: TurnEnded) -> None:
        try:
            _, finish = closing(ended)
        except Refusal as refusal:
            self.fail(refusal)
            return
        usage = ChatUsage.of(ended.usage)
        self._stream.put(event(self._chunk({}, finish=finish, usage=usage)))
        if self._usage_wanted:
            self._stream.put(
                event(msgspec.structs.replace(self._chunk({}, usage=usage), choices=[]))
            )
        self._stream.put(DONE)

    def fail(self, refusal: Refusal) -> None:
        self._stream.put(event(refusal.body))
        self._stream.put(DONE)

    def _chunk(
        self,
        delta: dict[str, str],
        *,
        finish: Finish | None = None,
        usage: ChatUsage | msgspec.UnsetType = msgspec.UNSET,
        hermes: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET,
    ) -> Chunk:
        return Chunk(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=[ChunkChoice(delta=delta, finish_reason=finish)],
            usage=usage,
            hermes=hermes,
        )


def closing(ended: TurnEnded) -> tuple[str, Finish]:
    """The answer and why it ended. Raises `Refusal` for a turn without one."""
    ending = ended.ending
    match ending:
        case Completed(message=message):
            return message.content, _FINISH.get(message.finish or "stop", "stop")
        case BudgetSpent(message=message):
            return message.content if message else "", "length"
        case Failed():
            raise of_failure(ending)
        case _:
            raise interrupted()


def interrupted() -> Refusal:
    """For a turn that was stopped."""
    return Refusal(
        503, "The turn was stopped.", code="stopped", headers=(("x-should-retry", "false"),)
    )


def as_history(said: tuple[Turned, ...]) -> tuple[Message, ...]:
    """As the model is shown what the client says was said."""
    return tuple(
        Message(
            role="user" if each.role == "user" else "assistant",
            content=each.text,
            images=each.images,
            finish="stop" if each.role == "assistant" else None,
        )
        for each in said
    )


def session_header(session_id: str) -> tuple[tuple[str, str], ...]:
    """Tells the client where its conversation is kept."""
    return (("x-hermes-session-id", session_id),)


_FINISH: dict[str, Finish] = {"length": "length", "content_filter": "content_filter"}


def _new_id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"


def _ignore(event: Event) -> None:
    pass
