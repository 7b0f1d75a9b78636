"""Session ids."""

import os
import time


def new_session_id(now: float | None = None) -> str:
    """`YYYYMMDD_HHMMSS_<6 hex digits>` in local time: sorts by age, and people can read it."""
    moment = time.localtime(time.time() if now is None else now)
    return f"{time.strftime('%Y%m%d_%H%M%S', moment)}_{os.urandom(3).hex()}"
