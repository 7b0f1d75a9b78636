"""Where entrances get their sessions from: what they ask for, and who gives it."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.domain.messages import Message
from hermes_agent.domain.model import Effort, ToolSpec
from hermes_agent.domain.ports import Asker
from hermes_agent.sessions.live import LiveSession


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What an entrance wants of a session.

    `session_id` names one that exists or is made with its first message; a `fresh` one was made up
    just now, so that nobody has to look for it. `source` is stored with
    it (telegram, cron, api_server, …), and `platform` says whose toolsets hold (the source's own
    when empty). Without an `asker` every question is denied. `model` and `effort` choose for this
    opening only. `toolsets` replace the configured ones, `without` are taken away from either.
    `note` goes into the prompt of a new session, `overlay` behind the prompt of every call and is
    stored nowhere. `before` is what was said earlier by the caller's account: the model sees it
    before the history, and it is not stored. `workdir` is where commands run, `chat` where the
    person is. `recalls_all` lets the session look into the conversations of everybody: it is the
    owner's, and what they say may be noted in the background.
    """

    session_id: str
    source: str
    fresh: bool = False
    platform: str = ""
    user_id: str | None = None
    asker: Asker | None = None
    model: str = ""
    effort: Effort | None = None
    temperature: float | None = None
    max_iterations: int | None = None
    toolsets: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    note: str = ""
    overlay: str = ""
    before: tuple[Message, ...] = ()
    workdir: str | None = None
    chat: Origin | None = None
    recalls_all: bool = False


class Host(Protocol):
    """Opens sessions, many side by side, each by one opener at a time."""

    def open(self, opening: Opening) -> AbstractAsyncContextManager[LiveSession]:
        """The session in hand until the context ends. Waits while another opener of this process
        has it. Raises `SessionInUse` where another process has it, and `ModelError` where no
        model can be had. What its environment holds (directory, background processes) outlives
        the context for a while."""
        ...

    async def specs(self, platform: str) -> tuple[ToolSpec, ...]:
        """The tools that a session of this platform gets."""
        ...

    async def skills(self, platform: str) -> Mapping[str, str]:
        """The skills that such a session is told of, with what each is for."""
        ...

    async def model_name(self) -> str:
        """What the configured model is called."""
        ...
