"""What a platform's harness is: the platform's server, a person who uses it, and what they see."""

from pathlib import Path
from typing import Literal, Protocol

import msgspec

from hermes_agent.domain.chats import Origin
from hermes_agent.platforms.base import PlatformSettings

Feature = Literal[
    "buttons",
    "credentials",
    "edits",
    "files in",
    "files out",
    "groups",
    "keeps",
    "once",
    "outages",
    "private",
    "reactions",
    "repeats",
    "sees",
]
"""What can be tried on a platform. `sees`: the person sees what we send. `credentials`: they can be
wrong. `outages`: the server can vanish and come back. `keeps`: the server keeps a message until it
is acknowledged, so that a process that dies before that hears it again. `repeats`: the server can
send the same message twice. `once`: the same key is sent once. `private`: a person can write to us
alone, so that strangers can be told from friends. The others are as in `Capabilities`."""


class File(msgspec.Struct, frozen=True):
    """A file as it travels."""

    name: str
    data: bytes
    media_type: str = "application/octet-stream"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A message of ours as the person sees it now: `id` is empty where the platform shows none, the
    text is without markup, the labels of the
    buttons below it, the reactions are those of ours on the person's own last message."""

    id: str
    text: str = ""
    files: tuple[File, ...] = ()
    buttons: tuple[str, ...] = ()
    edited: bool = False


class Harness(Protocol):
    """One platform's server with one person before it, for the length of an `async with`."""

    @property
    def features(self) -> frozenset[Feature]:
        """What can be tried here."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be in a log or an error."""
        ...

    @property
    def origin(self) -> Origin:
        """Where messages of `say` come from; the names may be left out."""
        ...

    def settings(self, media: Path, *, wrong: bool = False) -> PlatformSettings:
        """What the adapter is made from; `wrong` with credentials that the server refuses."""
        ...

    async def say(self, text: str, *, file: File | None = None) -> None:
        """The person writes to us. Text longer than the platform takes is cut here."""
        ...

    async def say_in_group(self, text: str, *, mention: bool) -> None:
        """The person writes where others read too; `mention` names us as people do there."""
        ...

    async def repeat(self) -> None:
        """The server sends the last message of `say` once more, as the same message."""
        ...

    async def press(self, label: str) -> None:
        """The person presses a button below the newest message that has it."""
        ...

    def seen(self) -> list[Seen]:
        """What the person sees of us in the chat of `origin`, oldest first."""
        ...

    def reactions(self) -> list[str]:
        """Our reactions on the person's last message."""
        ...

    async def vanish(self) -> None:
        """The server stops, connections break; what it knows is kept."""
        ...

    async def come_back(self) -> None:
        """The server is there again at the same address."""
        ...
