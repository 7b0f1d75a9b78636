"""When a conversation is too long, and how much of it is kept."""

import msgspec


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`threshold` is the share of the window at which a conversation is too long, `target_ratio`
    the share of that which the recent messages keep, `protect_last_n` how many of these are kept
    as long as they find room."""

    threshold: float = 0.5
    target_ratio: float = 0.2
    protect_last_n: int = 20


def limit_of(window: int, fixed: int, threshold: float) -> int:
    """Tokens of a request from which on the conversation is too long.

    Where the fixed part alone takes most of the threshold, a quarter of the window is left to
    messages nevertheless, as far as the window goes.
    """
    return max(int(window * threshold), min(int(window * 0.9), fixed + window // 4))
