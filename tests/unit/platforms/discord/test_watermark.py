"""Up to which message everything was dealt with."""

from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.platforms.discord.watermark import Watermark, snowflake


def test_it_stays_below_what_is_in_hand() -> None:
    mark = Watermark(10)
    for message in (12, 15, 20):
        mark.begin(message)
    mark.end(20)
    assert mark.value == 11
    mark.end(12)
    assert mark.value == 14
    mark.end(15)
    assert mark.value == 20


def test_one_that_is_in_hand_twice_is_until_both_ended() -> None:
    mark = Watermark(10)
    mark.begin(12)
    mark.begin(12)
    mark.end(12)
    assert mark.value == 11
    mark.end(12)
    assert mark.value == 12


def test_a_guess_holds_until_a_message_was_seen_however_wrong_it_was() -> None:
    mark = Watermark(9999, guessed=True)
    assert mark.value == 9999
    mark.hold(9999)
    mark.begin(12)
    mark.end(12)
    assert mark.value == 9999
    mark.release(9999)
    assert mark.value == 12


@given(st.lists(st.tuples(st.integers(100, 200), st.booleans())))
def test_no_message_in_hand_is_ever_passed(steps: list[tuple[int, bool]]) -> None:
    mark, in_hand = Watermark(50), list[int]()
    for message, ends in steps:
        mark.begin(message)
        in_hand.append(message)
        if ends:
            mark.end(in_hand.pop(0))
        assert all(mark.value < each for each in in_hand)


def test_snowflakes_are_discords_own() -> None:
    # https://discord.com/developers/docs/reference#convert-snowflake-to-datetime
    assert snowflake(1462015105.796) >> 22 == 175928847299117063 >> 22
    assert snowflake(0) == 0
