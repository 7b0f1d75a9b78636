"""How often one person may write."""

from collections import deque

_MINUTE = 60.0
_HOUR = 3600.0
_MAX_PEOPLE = 10_000


class Rates:
    """The messages of the last hour by person. A message that is refused does not count."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], deque[float]] = {}
        self._told: dict[tuple[str, str], float] = {}

    def count(
        self, person: tuple[str, str], now: float, *, per_minute: int, per_hour: int
    ) -> float | None:
        """None: it may pass, and counts. Else when the next may come."""
        times = self._times.setdefault(person, deque())
        while times and not now - _HOUR < times[0] <= now:
            times.popleft()
        free = now
        if per_hour and len(times) >= per_hour:
            free = times[-per_hour] + _HOUR
        if per_minute and len(times) >= per_minute and times[-per_minute] > now - _MINUTE:
            free = max(free, times[-per_minute] + _MINUTE)
        if free > now:
            return free
        times.append(now)
        if len(self._times) > _MAX_PEOPLE:
            self._times.pop(next(iter(self._times)))
        return None

    def tell(self, person: tuple[str, str], now: float, until: float) -> bool:
        """Whether to say so: once until the time that was said has passed."""
        if self._told.get(person, 0.0) > now:
            return False
        if len(self._told) > _MAX_PEOPLE:
            self._told.clear()
        self._told[person] = until
        return True
