"""Up to which message everything was dealt with."""

from collections import Counter

_EPOCH_MS = 1_420_070_400_000


class Watermark:
    """Ids are snowflakes: they grow with time. `value` is one below the oldest message in hand,
    or the newest that was seen when none is. A start that was only guessed, by our clock, holds
    until a message was seen."""

    def __init__(self, start: int, *, guessed: bool = False) -> None:
        self._start = start
        self._newest = 0 if guessed else start
        self._in_hand: Counter[int] = Counter()

    @property
    def value(self) -> int:
        """All messages up to this id need not be asked for again."""
        if self._in_hand:
            return min(self._in_hand) - 1
        return self._newest or self._start

    def begin(self, message: int) -> None:
        """A message is in hand."""
        self._in_hand[message] += 1

    def end(self, message: int) -> None:
        """It is stored, or is none of ours."""
        self._newest = max(self._newest, message)
        self._drop(message)

    def hold(self, floor: int) -> None:
        """What came after `floor` is to be asked for first."""
        self._in_hand[floor + 1] += 1

    def release(self, floor: int) -> None:
        """It was."""
        self._drop(floor + 1)

    def _drop(self, message: int) -> None:
        self._in_hand[message] -= 1
        if self._in_hand[message] <= 0:
            del self._in_hand[message]


def snowflake(unix: float) -> int:
    """The first id of that instant.
    https://discord.com/developers/docs/reference#snowflakes"""
    return max(int(unix * 1000) - _EPOCH_MS, 0) << 22
