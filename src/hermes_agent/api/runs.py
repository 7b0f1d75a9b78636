"""/v1/runs: start a turn, follow it, answer its questions, stop it."""

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from contextlib import ExitStack

import msgspec

from hermes_agent.api.chat import as_history
from hermes_agent.api.chat_wire import OURS
from hermes_agent.api.content import Asked, InputMessage, read_messages
from hermes_agent.api.conversation import SOURCE, chosen_model, existing, place
from hermes_agent.api.exchange import EVENTS, Exchange
from hermes_agent.api.refusal import Refusal, of_error
from hermes_agent.api.responses_wire import REASONS
from hermes_agent.api.routes import Field, Link, Reply, Route
from hermes_agent.api.run import Running
from hermes_agent.api.runs_wire import Decision, Run, RunRequest
from hermes_agent.api.session_fields import IDEMPOTENCY, SESSION_HEADERS
from hermes_agent.api.settings import ApiSettings
from hermes_agent.api.shelf import Shelf
from hermes_agent.api.sse import KEEP_ALIVE, event
from hermes_agent.api.turns import Stopped, Turns
from hermes_agent.domain.errors import HermesError
from hermes_agent.sessions.host import Opening

log = logging.getLogger(__name__)

KEPT = 200
KEPT_SECONDS = 3600.0
_LAST_EVENT = Field(
    name="Last-Event-ID",
    text="Events after this one.",
    schema={"type": "string", "pattern": r"^\d{1,9}$"},
)


class Runs:
    """The endpoints. Runs are kept in memory for an hour after their end, the last 200."""

    def __init__(self, settings: ApiSettings, turns: Turns, shelf: Shelf) -> None:
        self._settings = settings
        self._turns = turns
        self._shelf = shelf
        self._runs: OrderedDict[str, Running] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests = msgspec.json.Decoder(RunRequest)
        self._decisions = msgspec.json.Decoder(Decision)

    def routes(self) -> tuple[Route, ...]:
        one = "/v1/runs/{run_id}"
        return (
            Route(
                method="POST",
                path="/v1/runs",
                handler=self.start,
                summary="Start a turn that goes on without a connection.",
                body=RunRequest,
                example={"input": "hello"},
                headers=(*SESSION_HEADERS, IDEMPOTENCY),
                reply=Reply(
                    body=Run,
                    status=202,
                    links=(
                        Link(
                            "run_id",
                            "/id",
                            (
                                *(f"GET {one}", f"GET {one}/events"),
                                *(f"POST {one}/approval", f"POST {one}/stop"),
                            ),
                        ),
                    ),
                ),
                errors=(404, 409, 422, 429, 503),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=one,
                handler=self.get,
                summary="How a run stands.",
                reply=Reply(body=Run),
                errors=(404,),
            ),
            Route(
                method="GET",
                path=f"{one}/events",
                handler=self.events,
                summary="What a run tells, from the beginning or after an event, until its end.",
                headers=(_LAST_EVENT,),
                reply=Reply(body=EVENTS),
                empty=(204,),
                errors=(404,),
            ),
            Route(
                method="POST",
                path=f"{one}/approval",
                handler=self.decide,
                summary="Answer a question of a run.",
                body=Decision,
                reply=Reply(body=Run),
                errors=(404, 409),
            ),
            Route(
                method="POST",
                path=f"{one}/stop",
                handler=self.stop,
                summary="Stop a run; the history of its session stays whole.",
                reply=Reply(body=Run, status=202),
                errors=(404,),
            ),
        )

    async def start(self, exchange: Exchange) -> None:
        request = exchange.decode(self._requests, REASONS)
        said = request.input
        messages = [InputMessage(role="user", content=said)] if isinstance(said, str) else said
        asked = read_messages(messages, "input")
        model = chosen_model(request.model, self._settings.models)
        if request.session_id is not None:
            where = await existing(self._shelf, request.session_id, param="session_id")
        else:
            where = await place(exchange, self._shelf)
        with ExitStack() as room:
            turn = room.enter_context(self._turns.slot())
            run = Run(
                id=f"run_{secrets.token_hex(12)}",
                session_id=where.session_id,
                status="running",
                created_at=time.time(),
                model=request.model or OURS,
                metadata=request.metadata or {},
            )
            running = Running(run, turn, self._settings.approval_time)
            opening = Opening(
                session_id=where.session_id,
                source=SOURCE,
                recalls_all=True,
                fresh=where.fresh,
                model=model,
                effort=request.reasoning_effort,
                asker=running,
                overlay="\n\n".join(e for e in (request.instructions, asked.overlay) if e),
                before=() if where.stored else as_history(asked.before),
            )
            self._keep(running)
            task = asyncio.create_task(self._run(running, opening, asked, room.pop_all()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await exchange.answer(running.run, status=202)

    async def _run(self, running: Running, opening: Opening, asked: Asked, room: ExitStack) -> None:
        with room:
            running.say("run.started", {"session_id": opening.session_id})
            try:
                ended = await running.turn.run(opening, asked.text, running.tell, asked.images)
                running.end(ended)
            except Stopped:
                running.stopped()
            except HermesError as error:
                running.fail(of_error(error))
            except Exception:
                log.exception("The run %s failed.", running.run.id)
                running.fail(Refusal(500, "Internal error; see the server's log."))

    async def get(self, exchange: Exchange) -> None:
        exchange.query()
        await exchange.answer(self._found(exchange).run)

    async def decide(self, exchange: Exchange) -> None:
        running = self._found(exchange)
        running.decide(exchange.decode(self._decisions))
        await exchange.answer(running.run)

    async def stop(self, exchange: Exchange) -> None:
        running = self._found(exchange)
        if not running.ended:
            running.turn.stop()
        await exchange.answer(running.run, status=202)

    async def events(self, exchange: Exchange) -> None:
        exchange.query()
        running = self._found(exchange)
        after = exchange.headers.get("last-event-id", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise Refusal(
                400, "Last-Event-ID is no number.", param="Last-Event-ID", code="invalid_value"
            )
        if running.ended and int(after) >= running.events[-1].number:
            # The browser's EventSource comes again and again until it is told that this was all.
            await exchange.answer(b"", status=204)
            return
        await exchange.begin_events()
        gone = asyncio.create_task(exchange.disconnected())
        try:
            await self._follow(exchange, running, int(after), gone)
        finally:
            gone.cancel()

    async def _follow(
        self, exchange: Exchange, running: Running, after: int, gone: asyncio.Task[None]
    ) -> None:
        while not gone.done():
            fresh = [each for each in running.events if each.number > after]
            told = [each.data for each in fresh]
            if fresh and fresh[0].number > after + 1 and running.events[0] is fresh[0]:
                # The oldest events were let go; whoever follows should know, and can ask anew.
                missed = fresh[0].number - after - 1
                told.insert(0, event({"run_id": running.run.id, "missed": missed}, name="gap"))
            if fresh:
                after = fresh[-1].number
            ended = running.ended
            if told or ended:
                await exchange.write(b"".join(told), last=ended)
            if ended:
                return
            if running.events and running.events[-1].number > after:
                continue
            await self._wait(exchange, running, gone)

    async def _wait(self, exchange: Exchange, running: Running, gone: asyncio.Task[None]) -> None:
        changed = asyncio.create_task(running.next_word().wait())
        done, _ = await asyncio.wait(
            (changed, gone),
            timeout=self._settings.heartbeat,
            return_when=asyncio.FIRST_COMPLETED,
        )
        changed.cancel()
        if not done:
            await exchange.write(KEEP_ALIVE)

    async def close(self) -> None:
        """Wait for the last words of all runs."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _found(self, exchange: Exchange) -> Running:
        running = self._runs.get(exchange.params["run_id"])
        if running is None:
            raise Refusal(
                404, "There is no such run, or not any more.", param="run_id", code="run_not_found"
            )
        return running

    def _keep(self, running: Running) -> None:
        old = time.time() - KEPT_SECONDS
        for name, kept in list(self._runs.items()):
            ended = kept.run.ended_at
            if ended is not None and (ended < old or len(self._runs) >= KEPT):
                del self._runs[name]
        self._runs[running.run.id] = running
