"""How fast a platform may be spoken to: token buckets on a clock that the caller reads."""

import msgspec


class _Bucket(msgspec.Struct):
    tokens: float
    at: float


class Throttle:
    """One bucket a chat: `burst` messages at once, then `rate` a second. A chat that has been
    silent for long enough costs no memory; at most `chats` are kept in mind."""

    def __init__(self, *, rate: float, burst: int = 1, chats: int = 10_000) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._chats = chats
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, chat: str, now: float) -> float:
        """Takes a place and says how many seconds to wait before sending; 0 is at once.

        Places are given in the order of asking. `now` is a clock's reading in seconds; one that
        went back counts as standing still.
        """
        bucket = self._buckets.pop(chat, None) or _Bucket(self._burst, now)
        earned = max(0.0, now - bucket.at) * self._rate
        bucket.tokens = min(self._burst, bucket.tokens + earned) - 1.0
        bucket.at = max(now, bucket.at)
        if len(self._buckets) >= self._chats:
            self._forget(now)
        self._buckets[chat] = bucket
        return max(0.0, -bucket.tokens) / self._rate

    def hold(self, chat: str, now: float, seconds: float) -> None:
        """The platform said to wait this long: nobody is let through before."""
        bucket = self._buckets.pop(chat, None) or _Bucket(self._burst, now)
        bucket.tokens = min(bucket.tokens, 1.0 - seconds * self._rate)
        bucket.at = max(now, bucket.at)
        self._buckets[chat] = bucket

    def _forget(self, now: float) -> None:
        """Full buckets are as good as none; if all are in use the one used longest ago goes."""
        for chat, bucket in list(self._buckets.items()):
            if bucket.tokens + max(0.0, now - bucket.at) * self._rate >= self._burst:
                del self._buckets[chat]
        if len(self._buckets) >= self._chats:
            del self._buckets[next(iter(self._buckets))]
