"""The dialects: one printer each, and the plain text that goes with it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hermes_agent.delivery import capabilities
from hermes_agent.delivery.dialects.discord import Discord, inert
from hermes_agent.delivery.dialects.email import Email
from hermes_agent.delivery.dialects.irc import Irc
from hermes_agent.delivery.dialects.matrix import MATRIX
from hermes_agent.delivery.dialects.plain import Plain
from hermes_agent.delivery.dialects.telegram import Telegram
from hermes_agent.delivery.document import Block


class Dialect(Protocol):
    """A printer. One that is `one_line` writes posts of a single line each."""

    one_line: bool

    def write(self, blocks: Sequence[Block]) -> str:
        """The blocks in the dialect: valid whatever the blocks hold."""
        ...


class Voice(NamedTuple):
    """What a platform is sent: the dialect, and plain text for when it refuses that. `together`:
    text and attachments are one message there. `least` is the smallest `max_length` that is
    honoured: a single character, escaped, fits."""

    marked: Dialect
    plain: Dialect
    together: bool = False
    least: int = 16


VOICES: dict[capabilities.Dialect, Voice] = {
    "plain": Voice(Plain(), Plain()),
    "telegram": Voice(Telegram(), Plain()),
    "discord": Voice(Discord(), Plain(inert), together=True),
    "matrix": Voice(MATRIX, Plain()),
    "email": Voice(Email(), Plain(), together=True, least=128),
    "irc": Voice(Irc(), Plain()),
}
