"""Session ids."""

import secrets
import time


def new_session_id(now: float | None = None) -> str:
    """`YYYYMMDD_HHMMSS_<6 hex digits>` in local time: sorts by age, and people can read it."""
    moment = time.localtime(time.time() if now is None else now)
    return f"{time.strftime('%Y%m%d_%H%M%S', moment)}_{secrets.token_hex(3)}"
