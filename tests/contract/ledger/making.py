"""Messages for the tests, and a clock that is set by hand."""

from hermes_agent.domain.chats import Inbound, Origin, Outgoing, Post, Target

NOW = 1_780_000_000.0
LEASE = 60.0


class Clock:
    """Unix time as the test wants it."""

    now = NOW

    def __call__(self) -> float:
        return self.now


def inbound(key: str = "1", text: str = "hello", platform: str = "telegram") -> Inbound:
    return Inbound(key=key, origin=Origin(platform=platform, chat_id="c1", user_id="7"), text=text)


def outgoing(
    turn: str = "t",
    part: int = 0,
    text: str = "answer",
    *,
    chat: str = "c1",
    platform: str = "telegram",
    thread: str | None = None,
) -> Outgoing:
    target = Target(platform=platform, chat_id=chat, thread_id=thread)
    return Outgoing(turn=turn, part=part, target=target, post=Post(text=text, plain=text))
