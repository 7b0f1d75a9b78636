"""The background review: whose conversations are looked through, when, and by which model."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, TypeVar

from hermes_agent.config.load import Loaded
from hermes_agent.domain.chats import Origin
from hermes_agent.domain.delegating import SOURCE as DELEGATE
from hermes_agent.domain.errors import HermesError
from hermes_agent.domain.ports import Model
from hermes_agent.providers.choice import ModelChoice
from hermes_agent.runtime.keeping import memory_files
from hermes_agent.runtime.second import SecondModel, choice_in, is_offline
from hermes_agent.sessions.live import LiveSession
from hermes_agent.sessions.treasury import Treasury
from hermes_agent.store.port import SessionStore

if TYPE_CHECKING:
    import httpx2

    from hermes_agent.sessions.reviewing import Review, Reviewer

QUIET = 2.0
"""Seconds after an answer: it is out by then, and who writes in short messages is not disturbed."""
OTHERS = frozenset(("cron", DELEGATE, "mcp", "webhook", "homeassistant", "email"))
"""Sources in which the user messages are not one person's own words: jobs, programs, events, and
mail, which is forwarded and quoted."""

MOST_LED = 500
"""Conversations that are remembered as led: over HTTP each request may be one of its own."""

Tell = Callable[["Review"], None]
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Reviews:
    """All reviews of a process, in the background, each after `quiet` seconds. Without a
    `reviewer` nothing is ever done."""

    def __init__(self, reviewer: "Reviewer | None", *, quiet: float = 0.0) -> None:
        self._reviewer = reviewer
        self._quiet = quiet
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._shortened: dict[str, None] = {}
        self._led: dict[str, Model] = {}

    def shortened(self, parent: str, child: str) -> None:
        """A conversation goes on in a child."""
        if self._reviewer is None:
            return
        self._shortened.pop(parent, None)
        _keep(self._shortened, child, None)
        if parent in self._led:
            self._led[child] = self._led.pop(parent)

    def after(
        self, live: LiveSession, tell: Tell | None = None, *, chat: Origin | None = None
    ) -> None:
        """A turn was answered."""
        if self._reviewer is None or not is_of_one_person(live, chat):
            return
        ended = live.id in self._shortened
        self._shortened.pop(live.id, None)
        _keep(self._led, live.id, live.model)

        def counted(review: "Review") -> None:
            live.usage += review.usage
            if tell is not None:
                tell(review)

        self._begin(live.id, live.model, counted, ended=ended)

    def left(
        self,
        session_id: str,
        tell: Tell | None = None,
        *,
        like: LiveSession | None = None,
        chat: Origin | None = None,
    ) -> None:
        """The person left the conversation. Where it was not led in this process, it is taken to
        be of the kind of `like`, in which they are now."""
        model = self._led.pop(session_id, None)
        if model is None and like is not None and is_of_one_person(like, chat):
            model = like.model
        if self._reviewer is not None and model is not None:
            self._begin(session_id, model, tell, ended=True)

    @property
    def led(self) -> tuple[str, ...]:
        """The conversations that were led here and not left."""
        return tuple(self._led)

    def stop(self, session_id: str) -> None:
        """The person speaks again: the model is theirs."""
        task = self._tasks.pop(session_id, None)
        if task is not None:
            task.cancel()

    async def last(self, live: LiveSession) -> "Review | None":
        """The program is about to end: look now, if there is enough. Never raises."""
        self.stop(live.id)
        if self._reviewer is None or live.id not in self._led:
            return None
        return await self._look(live.id, live.model, ended=True)

    async def wants_last(self, live: LiveSession) -> bool:
        """Whether `last` would ask the model."""
        if self._reviewer is None or live.id not in self._led:
            return False
        try:
            due = await self._reviewer.due(live.id, ended=True)
            return due and await self._reviewer.can_ask(live.model)
        except HermesError:
            return False

    async def close(self) -> None:
        """End what runs."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, session_id: str, model: Model, tell: Tell | None, *, ended: bool) -> None:
        self.stop(session_id)

        async def run() -> None:
            await asyncio.sleep(self._quiet)
            review = await self._look(session_id, model, ended=ended)
            if review is not None and tell is not None:
                tell(review)

        task = asyncio.create_task(run(), name=f"review {session_id}")
        self._tasks[session_id] = task
        task.add_done_callback(lambda done: self._forget(session_id, done))

    def _forget(self, session_id: str, done: "asyncio.Task[None]") -> None:
        if self._tasks.get(session_id) is done:
            del self._tasks[session_id]

    async def _look(self, session_id: str, model: Model, *, ended: bool) -> "Review | None":
        assert self._reviewer is not None
        try:
            if not await self._reviewer.due(session_id, ended=ended):
                return None
            review = await self._reviewer.look(session_id, model)
        except HermesError as error:
            _log.warning("session %s was not looked through: %s", session_id, error.message)
            return None
        except Exception:  # noqa: BLE001  the root of a task
            _log.exception("session %s was not looked through", session_id)
            return None
        if review is not None:
            _log.info(
                "session %s was looked through: %d change(s) of the notes, %d model call(s), "
                "%d tokens in, %d out",
                *(session_id, len(review.changes), review.calls),
                *(review.usage.input, review.usage.output),
            )
        return review


def _keep(found: dict[str, _T], name: str, value: _T) -> None:
    """The newest stay."""
    found.pop(name, None)
    found[name] = value
    while len(found) > MOST_LED:
        del found[next(iter(found))]


def is_of_one_person(live: LiveSession, chat: Origin | None) -> bool:
    """Whether what stands there as the person's is their own, and they may keep notes."""
    if live.row.source in OTHERS or (chat is not None and chat.chat_type != "dm"):
        return False
    return any(spec.name == "memory" for spec in live.toolbox.specs())


def reviews_of(
    loaded: Loaded,
    store: SessionStore,
    *,
    thread: Executor,
    connect: "Callable[[], httpx2.AsyncClient]",
    redact: Callable[[str], str],
    treasury: Treasury,
) -> Reviews:
    """As the configuration wants it: `memory.review` and the keys beside it."""
    settings, files = loaded.config.memory, memory_files(loaded)
    if not settings.review or files is None:
        return Reviews(None)
    from hermes_agent.sessions.reviewing import Reviewer

    second = SecondModel(loaded, connect, _choice)

    async def chosen(own: Model) -> Model | None:
        """`auxiliary.flush_memories`, else the session's own; the offline model cannot."""
        return await second.model() or (None if is_offline(own) else own)

    reviewer = Reviewer(
        files,
        store,
        thread=thread,
        chosen=chosen,
        redact=redact,
        interval=settings.nudge_interval,
        flush=settings.flush_min_turns,
        timeout=loaded.config.auxiliary.flush_memories.timeout,
        treasury=treasury,
    )
    return Reviews(reviewer, quiet=QUIET)


def _choice(loaded: Loaded) -> ModelChoice | None:
    return choice_in(loaded, loaded.config.auxiliary.flush_memories)
