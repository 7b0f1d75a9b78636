"""Up to which message everything was dealt with."""

from collections import Counter

_EPOCH_MS = 1_420_070_400_000


class Watermark:
    """Ids are snowflakes: they grow with time. `value` is one below the oldest message in hand,
    or the newest that was seen when none is."""

    def __init__(self, value: int) -> None:
        self._newest = value
        self._in_hand: Counter[int] = Counter()

    @property
    def value(self) -> int:
        """All messages up to this id need not be asked for again."""
        return min(self._in_hand) - 1 if self._in_hand else self._newest

    def begin(self, message: int) -> None:
        """A message is in hand."""
        self._in_hand[message] += 1

    def end(self, message: int) -> None:
        """It is stored, or is none of ours."""
        self._newest = max(self._newest, message)
        self._in_hand[message] -= 1
        if self._in_hand[message] <= 0:
            del self._in_hand[message]


def snowflake(unix: float) -> int:
    """The first id of that instant.
    https://discord.com/developers/docs/reference#snowflakes"""
    return max(int(unix * 1000) - _EPOCH_MS, 0) << 22
