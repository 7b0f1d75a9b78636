"""How fast a chat may be spoken to."""

import pytest

from hermes_agent.delivery.throttle import Throttle


def test_a_burst_goes_at_once_and_the_rest_in_turn() -> None:
    throttle = Throttle(rate=2.0, burst=2)
    assert [throttle.wait("a", 10.0) for _ in range(4)] == [0.0, 0.0, 0.5, 1.0]


def test_chats_do_not_wait_for_each_other() -> None:
    throttle = Throttle(rate=1.0)
    assert [throttle.wait(chat, 0.0) for chat in "aba"] == [0.0, 0.0, 1.0]


def test_time_gives_places_back_up_to_the_burst() -> None:
    throttle = Throttle(rate=1.0, burst=2)
    for _ in range(2):
        throttle.wait("a", 0.0)
    assert [throttle.wait("a", 100.0) for _ in range(3)] == [0.0, 0.0, 1.0]


def test_the_platform_can_hold_a_chat_back() -> None:
    throttle = Throttle(rate=1.0, burst=3)
    throttle.hold("a", 0.0, 30.0)
    assert throttle.wait("a", 0.0) == pytest.approx(30.0)
    assert throttle.wait("a", 40.0) == 0.0


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    throttle = Throttle(rate=1.0)
    throttle.wait("a", 100.0)
    assert throttle.wait("a", 0.0) == 1.0
    assert throttle.wait("a", 102.0) == 0.0


def test_only_so_many_chats_are_kept_in_mind() -> None:
    throttle = Throttle(rate=1.0, chats=3)
    for chat in "abcd":
        throttle.wait(chat, 0.0)
    assert throttle.wait("d", 0.0) == 1.0
    assert throttle.wait("a", 0.0) == 0.0
