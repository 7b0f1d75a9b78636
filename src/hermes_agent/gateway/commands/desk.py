"""What a slash command of a chat works with."""

from collections.abc import Awaitable, Callable

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.domain.chats import Inbound
from hermes_agent.gateway.questions import Questions
from hermes_agent.gateway.routing import Routing
from hermes_agent.gateway.turns import ActiveTurns
from hermes_agent.policy.admission.people import Role
from hermes_agent.runtime.host import SessionHost
from hermes_agent.store.port import SessionStore


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What all commands share. `status` is a short report of the daemon; `set_home` remembers a
    chat as its platform's home; `begin` puts a prompt of somebody's into the conversation of that
    key."""

    loaded: Loaded
    store: SessionStore
    host: SessionHost
    routing: Routing
    turns: ActiveTurns
    questions: Questions
    status: Callable[[], Awaitable[str]]
    begin: Callable[[Inbound, str, str], Awaitable[None]]
    set_home: Callable[[Inbound], Awaitable[None]]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One command that somebody gave. `key` is the conversation, `argument` what stands behind
    the name. A command that wants a prompt answered in the same turn puts it into `rerun`."""

    service: Service
    inbound: Inbound
    key: str
    turn: str
    role: Role
    argument: str = ""
    said: list[str] = msgspec.field(default_factory=list[str])
    rerun: list[str] = msgspec.field(default_factory=list[str])

    def say(self, text: str) -> None:
        """Part of the reply, as Markdown."""
        self.said.append(text)
