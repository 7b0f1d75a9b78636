"""/api/jobs: scheduled jobs."""

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from hermes_agent.api.exchange import Exchange
from hermes_agent.api.jobs import Job, JobChange, JobDraft, JobsBoard
from hermes_agent.api.refusal import Refusal
from hermes_agent.api.responses_wire import Deleted
from hermes_agent.api.routes import Handler, Link, Method, Reply, Route
from hermes_agent.api.session_fields import IDEMPOTENCY


class JobList(msgspec.Struct, frozen=True, kw_only=True):
    """All jobs."""

    data: list[Job]
    object: Literal["list"] = "list"


class Jobs:
    """The endpoints. Without a board they say that there is no scheduler here."""

    def __init__(self, board: JobsBoard | None) -> None:
        self._board = board
        self._drafts = msgspec.json.Decoder(JobDraft)
        self._changes = msgspec.json.Decoder(JobChange)

    def routes(self) -> tuple[Route, ...]:
        all_jobs, one = "/api/jobs", "/api/jobs/{job_id}"
        return (
            Route(
                method="GET",
                path=all_jobs,
                handler=self.list,
                summary="All scheduled jobs.",
                reply=Reply(body=JobList),
                errors=(501,),
            ),
            Route(
                method="POST",
                path=all_jobs,
                handler=self.create,
                summary="Schedule a job.",
                body=JobDraft,
                example={"prompt": "Say good morning.", "schedule": "every day at 8"},
                headers=(IDEMPOTENCY,),
                reply=Reply(
                    body=Job,
                    status=201,
                    links=(
                        Link(
                            "job_id",
                            "/id",
                            (
                                *(f"GET {one}", f"PATCH {one}", f"DELETE {one}"),
                                *(f"POST {one}/{what}" for what in ("pause", "resume", "run")),
                            ),
                        ),
                    ),
                ),
                errors=(404, 409, 422, 501),
                idempotent=True,
            ),
            _route("GET", one, self.get, "One job."),
            _route("PATCH", one, self.change, "Change a job.", body=JobChange),
            _route("DELETE", one, self.delete, "Remove a job.", reply=Reply(body=Deleted)),
            _route("POST", f"{one}/pause", self._each("pause"), "Let a job rest."),
            _route("POST", f"{one}/resume", self._each("resume"), "Let a job go on."),
            _route("POST", f"{one}/run", self._each("run"), "Run a job now."),
        )

    async def list(self, exchange: Exchange) -> None:
        exchange.query()
        await exchange.answer(JobList(data=await self._there.list()))

    async def create(self, exchange: Exchange) -> None:
        draft = exchange.decode(self._drafts)
        await exchange.answer(await self._there.create(draft), status=201)

    async def get(self, exchange: Exchange) -> None:
        exchange.query()
        await exchange.answer(await self._there.get(exchange.params["job_id"]))

    async def change(self, exchange: Exchange) -> None:
        change = exchange.decode(self._changes)
        await exchange.answer(await self._there.change(exchange.params["job_id"], change))

    async def delete(self, exchange: Exchange) -> None:
        exchange.query()
        name = exchange.params["job_id"]
        await self._there.delete(name)
        await exchange.answer(Deleted(id=name, object="hermes.job"))

    def _each(self, what: Literal["pause", "resume", "run"]) -> Handler:
        async def act(exchange: Exchange) -> None:
            board = self._there
            acts: dict[str, Callable[[str], Awaitable[Job]]] = {
                "pause": board.pause,
                "resume": board.resume,
                "run": board.run,
            }
            await exchange.answer(await acts[what](exchange.params["job_id"]))

        return act

    @property
    def _there(self) -> JobsBoard:
        if self._board is None:
            raise Refusal(501, "No scheduler runs here.", code="no_scheduler")
        return self._board


def _route(
    method: Method,
    path: str,
    handler: Handler,
    summary: str,
    *,
    body: object = None,
    reply: Reply | None = None,
) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        summary=summary,
        body=body,
        reply=reply or Reply(body=Job),
        errors=(404, 409, 501),
    )
