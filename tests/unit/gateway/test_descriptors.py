"""How many turns this process may carry."""

import resource
from collections.abc import Generator
from contextlib import contextmanager

from hermes_agent.gateway.descriptors import EACH_TURN, OTHERS, ask_for_more, turns_at_once


@contextmanager
def soft_limit(number: int) -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_no_more_turns_are_begun_than_can_open_their_connections() -> None:
    with soft_limit(OTHERS + 40 * EACH_TURN):
        assert turns_at_once(1000) == 40
        assert turns_at_once(10) == 10


def test_one_turn_is_always_carried() -> None:
    with soft_limit(OTHERS):
        assert turns_at_once(1000) == 1


def test_a_soft_limit_is_raised_as_far_as_the_hard_one_lets_it() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with soft_limit(OTHERS):
        ask_for_more()
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert raised > OTHERS
        assert raised == hard or raised == 65536
