"""What a person sees of a turn while it runs: typing, progress, the answer as it grows."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Literal

from hermes_agent.config.schema.gateway import Streaming
from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.progress import Progress
from hermes_agent.domain.chats import Outgoing, Post
from hermes_agent.domain.errors import HermesError
from hermes_agent.domain.events import Event, MessageDone, Steered, ToolFinished, ToolStarted
from hermes_agent.domain.model import Retrying, TextDelta
from hermes_agent.domain.ports import Emit
from hermes_agent.gateway.desk import Desk
from hermes_agent.gateway.growing import GrowingAnswer
from hermes_agent.gateway.narration import narrate
from hermes_agent.gateway.turns import ActiveTurn
from hermes_agent.ledger.port import Claim
from hermes_agent.platforms.base import Platform

PARTS = 10_000
"""Parts of one assistant message; the n-th message of a turn begins at part n times this."""
PROGRESS_PART = 1_000_000_000
"""The part of the progress message: behind all parts of answers."""
TYPING_SECONDS = 4.0

Render = Callable[[str], tuple[Post, ...]]
ProgressMode = Literal["off", "new", "all", "verbose"]

_log = logging.getLogger(__name__)


class Screen:
    """Paints one turn. All that is painted can be lost without harm: the ledger has the answer.

    `render` makes posts of Markdown, `answer` of what the model said, which may bring files;
    `grow` begins a message that grows. Without a connected
    `platform` nothing is painted.
    """

    def __init__(
        self,
        claim: Claim,
        capabilities: Capabilities,
        *,
        desk: Desk,
        platform: Platform | None,
        render: Render,
        answer: Render,
        grow: Callable[[], GrowingAnswer],
        streaming: Streaming,
        progress: ProgressMode,
        first_message: int,
    ) -> None:
        self._claim = claim
        self._capabilities = capabilities
        self._desk = desk
        self._platform = platform
        self._render = render
        self._answer = answer
        edits = capabilities.edits
        self._streams = edits and streaming.enabled and streaming.transport == "edit"
        self._grow = grow
        self._growing: GrowingAnswer | None = None
        self._interval = max(streaming.edit_interval, capabilities.edit_interval)
        self._progress = Progress(progress if edits else "off")
        self._message = first_message
        self._text = ""
        self._pages: list[tuple[int, str]] = []
        self._painted: dict[int, tuple[str, Post]] = {}
        self._doubtful: set[int] = set()
        self._dirty = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Screen":
        if self._platform is not None:
            await self._recall()
            self._tasks = [
                asyncio.create_task(self._type(), name="typing"),
                asyncio.create_task(self._paint_all(), name="painting"),
            ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop painting. A send that is on its way ends first: its id must be known."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def shows(self, outgoing: Outgoing) -> bool:
        """Whether people see exactly this already."""
        known = self._painted.get(outgoing.part)
        return known is not None and known[1] == outgoing.post

    def shown(self, message: int) -> bool:
        """Whether anything of the turn's n-th message was painted."""
        parts = range(message * PARTS, (message + 1) * PARTS)
        return any(part in parts for part in (*self._painted, *self._doubtful))

    def watch(self, turn: ActiveTurn, absorb: Callable[[str], Awaitable[None]]) -> Emit:
        """What the turn tells its events to. `absorb` takes what was said into the turn."""
        absorbing: set[asyncio.Task[None]] = set()

        def emit(event: Event) -> None:
            narrate(self._claim.turn, event)
            turn.touched = time.monotonic()
            match event:
                case TextDelta(text=text):
                    turn.doing = "answering"
                    self._write(text)
                case ToolStarted(summary=summary):
                    turn.doing = summary
                    self._progress.feed(event)
                    self._dirty.set()
                case ToolFinished():
                    turn.doing = "thinking"
                    self._progress.feed(event)
                    self._dirty.set()
                case MessageDone(message=message) if message.role == "assistant":
                    self._turn_page()
                case Retrying():
                    self._text = ""
                    if self._growing is not None:
                        self._growing.restart()
                case Steered(turn=str() as said):
                    task = asyncio.ensure_future(absorb(said))
                    absorbing.add(task)
                    task.add_done_callback(absorbing.discard)
                case _:
                    pass

        return emit

    def _write(self, text: str) -> None:
        if not self._streams:
            return
        self._text += text
        if self._growing is None:
            self._growing = self._grow()
        self._growing.feed(text)
        self._dirty.set()

    def _turn_page(self) -> None:
        """The next text belongs to the next message; what was begun is shown whole."""
        if self._text:
            self._pages.append((self._message, self._text))
            self._dirty.set()
        self._message += 1
        self._text = ""
        self._growing = None

    async def _recall(self) -> None:
        """What an earlier attempt at this turn has out already is edited, not sent again."""
        rows = await self._desk.do(lambda ledger: ledger.opened_parts(self._claim.turn))
        for row in rows:
            if row.message_id is not None:
                self._painted[row.outgoing.part] = (row.message_id, row.outgoing.post)
            elif self._capabilities.once == "key":
                self._doubtful.add(row.outgoing.part)

    async def _type(self) -> None:
        assert self._platform is not None
        while self._capabilities.typing:
            try:
                await self._platform.typing(self._claim.inbound.origin.target)
            except HermesError as error:
                _log.debug("typing was not shown: %s", error)
            await asyncio.sleep(TYPING_SECONDS)

    async def _paint_all(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            began = time.monotonic()
            painting = asyncio.create_task(self._paint())
            try:
                await asyncio.shield(painting)
            except asyncio.CancelledError:
                await asyncio.wait([painting], timeout=15)
                raise
            except HermesError as error:
                _log.info("what a turn shows was not painted: %s", error)
            await asyncio.sleep(max(0.0, self._interval - (time.monotonic() - began)))

    async def _paint(self) -> None:
        progress = self._progress.text()
        if progress:
            posts = self._render(progress)
            await self._show(PROGRESS_PART, posts[0])
        while self._pages:
            message, text = self._pages.pop(0)
            for index, post in enumerate(self._answer(text)):
                await self._show(message * PARTS + index, post)
        await self._paint_growing()

    async def _paint_growing(self) -> None:
        growing, message = self._growing, self._message
        update = growing.due(time.monotonic()) if growing else None
        if growing is None or update is None:
            return
        shown = False
        try:
            shown = await self._show(message * PARTS + update.part, update.post)
        finally:
            if not shown:
                growing.failed(update)
        # There may be more of it, and it may have grown meanwhile.
        self._dirty.set()

    async def _show(self, part: int, post: Post) -> bool:
        """Send or edit; False when something older has to be sent there first."""
        assert self._platform is not None
        target = self._claim.inbound.origin.target
        known = self._painted.get(part)
        if known is not None:
            message_id, before = known
            if before != post:
                await self._platform.edit(target, message_id, post)
                self._painted[part] = (message_id, post)
            return True
        outgoing = Outgoing(turn=self._claim.turn, part=part, target=target, post=post)
        dispatch = await self._desk.do(lambda ledger: ledger.open(outgoing))
        if dispatch is None:
            return False
        # Where this fails the row stays open without an id: it may be out or not, and settling the
        # turn brings its final text or closes it.
        message_id = await self._platform.send(target, post, f"{outgoing.turn}.{part}")
        await self._desk.insist(lambda ledger: ledger.opened(dispatch, message_id))
        self._painted[part] = (message_id, post)
        return True
