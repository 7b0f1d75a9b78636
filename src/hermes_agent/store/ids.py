"""Session ids."""

import os
import time
from itertools import count

_numbers = count(int.from_bytes(os.urandom(3), "big"))


def new_session_id(now: float | None = None) -> str:
    """`YYYYMMDD_HHMMSS_<6 hex digits>` in local time: sorts by age, and people can read it.

    One process never gives the same twice: of hundreds in a second, by chance alone two would
    soon be one. Where the count begins is chance, so that processes do not meet.
    """
    moment = time.localtime(time.time() if now is None else now)
    number = next(_numbers) & 0xFFFFFF
    return f"{time.strftime('%Y%m%d_%H%M%S', moment)}_{number:06x}"
