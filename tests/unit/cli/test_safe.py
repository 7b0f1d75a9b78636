"""Text from outside never acts on the terminal."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.cli.terminal.safe import (
    Cleaner,
    clean,
    one_line,
    only_colours,
    overwritten,
    visible,
)

PIECES = st.sampled_from(
    ["\x1b", "[", "]", "2J", "0;x", "\x07", "\x9b", "\x9d", "m", "31", "\\", "P", "a", "\n", "\r"]
)
EVIL = st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text(max_size=20))
ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("evil", "left"),
    [
        ("\x1b[2Jgone", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdcs\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("\x1b(0qqq", "qqq"),
        ("\x1bcreset", "reset"),
        ("\x1b]never ended", "never ended"),
        ("a\x08b\x07c\x7fd", "abcd"),
        ("safe \u202egnp.exe", "safe gnp.exe"),
        ("tab\tand\nline stay, 中文 👩‍👩‍👧 too", "tab\tand\nline stay, 中文 👩‍👩‍👧 too"),
        ("half \ud83d", "half "),
    ],
)
def test_sequences_and_controls_go_the_text_stays(evil: str, left: str) -> None:
    assert clean(evil).removeprefix("]") == left


@given(EVIL)
def test_nothing_that_acts_is_left(text: str) -> None:
    assert not ACTING.search(clean(text))
    assert not ACTING.search(visible(text))
    assert not ACTING.search(re.sub(r"\x1b\[[0-9;]*m", "", only_colours(text)))


@given(EVIL, st.integers(1, 5))
def test_a_stream_shows_nothing_that_acts_wherever_it_is_cut(text: str, size: int) -> None:
    cleaner = Cleaner()
    pieces = [cleaner.push(text[i : i + size]) for i in range(0, len(text), size)]
    assert not ACTING.search("".join([*pieces, cleaner.flush()]))


def test_a_sequence_cut_in_two_leaves_nothing_behind() -> None:
    cleaner = Cleaner()
    parts = ["one \x1b", "]0;owned", "\x07 two \x1b[3", "1m three"]
    assert "".join(map(cleaner.push, parts)) + cleaner.flush() == "one  two  three"


def test_text_after_a_sequence_that_never_ends_is_shown_in_the_end() -> None:
    cleaner = Cleaner()
    shown = cleaner.push("\x1b]0;" + "x" * 10_000)
    assert "x" * 1000 in shown + cleaner.flush()


def test_what_a_person_judges_is_spelled_out() -> None:
    assert visible("rm\x1b[2K\r\u202e\x7f\tx") == "rm␛[2K␍\\u{202e}␡    x"


def test_our_own_colours_pass_and_nothing_else() -> None:
    assert only_colours("\x1b[31mred\x1b[0m \x1b[2J\x1b[?25l") == "\x1b[31mred\x1b[0m "


def test_a_progress_bar_shows_its_last_state() -> None:
    assert overwritten("10%\r20%\r30%\nnext\r\n") == "30%\nnext\r\n"


def test_one_line_stays_one_line() -> None:
    assert one_line("a\n\x1b[1mb\t c") == "a b c"
