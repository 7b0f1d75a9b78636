"""How many files and connections this process may have open, and how many turns that carries."""

import resource

WANTED = 65536
EACH_TURN = 6
"""A turn has a connection to the model; its tools have pipes."""
OTHERS = 128
"""For databases, logs, platforms and clients of the API server."""


def ask_for_more() -> None:
    """Raise the soft limit as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def turns_at_once(most: int) -> int:
    """`most`, or as many as can be carried. The others wait: a turn that is begun and cannot open
    its connection would fail instead."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    return max(1, min(most, (soft - OTHERS) // EACH_TURN))
