"""What our own scripts say in the middle of a program's output."""

import os
from collections.abc import Callable

_EDGE = b"\x1e"
_LONGEST = 16_384
_NOISE = 4_096


def fence() -> str:
    """A new one: nobody prints it who was not told."""
    return f"hermes-{os.urandom(8).hex()}"


class Fence:
    """Parts a stream into words (`RS fence SP word RS`, RS being U+001E) and what lies between.

    `on_output` gets the bytes between words, `on_word` the words as text.
    """

    def __init__(
        self, fence: str, *, on_output: Callable[[bytes], None], on_word: Callable[[str], None]
    ) -> None:
        self._begin = _EDGE + fence.encode() + b" "
        self._on_output = on_output
        self._on_word = on_word
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Some more of the stream."""
        held = self._held + data if self._held else data
        while (found := held.find(self._begin)) >= 0:
            end = held.find(_EDGE, found + len(self._begin))
            if end < 0 and len(held) - found < _LONGEST:
                self._pass(held[:found])
                self._held = held[found:]
                return
            self._pass(held[:found])
            word = held[found + len(self._begin) : end if end >= 0 else None]
            held = held[end + 1 :] if end >= 0 else b""
            self._on_word(word.decode("utf-8", "surrogateescape"))
        whole = len(held) - _begun(held, self._begin)
        self._pass(held[:whole])
        self._held = held[whole:]

    def finish(self) -> None:
        """The stream has ended: what looked like a beginning was none."""
        held, self._held = self._held, b""
        self._pass(held)

    def _pass(self, data: bytes) -> None:
        if data:
            self._on_output(data)


def _begun(data: bytes, begin: bytes) -> int:
    """How many bytes at the end of `data` may be the beginning of `begin`."""
    edge = data.rfind(_EDGE, max(len(data) - len(begin) + 1, 0))
    if edge >= 0 and begin.startswith(data[edge:]):
        return len(data) - edge
    return 0


class Noise:
    """The first of what a client prints before the place itself says anything."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> None:
        """Some more."""
        self._kept += data[: _NOISE - len(self._kept)]

    def text(self) -> str:
        """As one line."""
        return " ".join(self._kept.decode("utf-8", "replace").split())
