import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.environments.output import Excerpt, Live, Rolling, clean


@given(st.lists(st.text("abü\n"), max_size=20))
def test_short_output_is_whole_however_it_comes(pieces: list[str]) -> None:
    excerpt = Excerpt(1000)
    for piece in pieces:
        excerpt.feed(piece.encode())
    assert excerpt.text() == ("".join(pieces), 0)


@pytest.mark.parametrize("piece", [1, 7, 1000, 100_000])
def test_long_output_keeps_two_fifths_head_and_three_fifths_tail(piece: int) -> None:
    whole = "".join(f"{n:09d}\n" for n in range(10_000))
    excerpt = Excerpt(100)
    data = whole.encode()
    for start in range(0, len(data), piece):
        excerpt.feed(data[start : start + piece])
    text, omitted = excerpt.text()
    head, note, tail = text.split("\n[")[0], "[… ", text[-60:]
    assert head == whole[:40]
    assert note in text
    assert tail == whole[-60:]
    assert omitted == len(data) - 100


def test_a_gigabyte_without_a_line_end_needs_little_memory() -> None:
    excerpt = Excerpt(50_000)
    chunk = b"x" * 65_536
    tracemalloc.start()
    for _ in range(16_384):
        excerpt.feed(chunk)
    text, omitted = excerpt.text()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(text) < 50_100
    assert omitted == 16_384 * 65_536 - 50_000
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("\x1b[2K\x1b[1Gdone", "done"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(B\x1b=x\x1b>", "x"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("one\rtwo\rthree", "three"),
        ("one\rtwo\r", "two"),
        ("b\x08bold", "bold"),
        ("bell\x07", "bell"),
        ("plain ü 漢 \t\n", "plain ü 漢 \t\n"),
    ],
)
def test_text_is_what_a_terminal_would_have_left(raw: str, text: str) -> None:
    assert clean(raw) == text


@pytest.mark.parametrize(
    "piece", ["\x1b]", "\x1b[", "\x1b[1;", "\x1b ", "\x9b", "\r", "\0", "a\x08", "\x08", "\r\0"]
)
@pytest.mark.parametrize("around", ["", "\r", "\x1b]", "\x1b["])
def test_hostile_output_is_cleaned_without_trying_for_ever(piece: str, around: str) -> None:
    hostile = around + piece * 200_000 + around
    assert len(clean(hostile)) <= len(hostile)
    assert clean(f"{hostile}\nend").endswith("end")


def test_the_last_bytes_are_kept_and_what_is_new_is_known() -> None:
    output = Rolling(10)
    output.feed(b"0123456789" * 5)
    assert output.text() == "0123456789"
    seen = output.total
    output.feed(b"ab")
    assert output.since(seen) == "ab"
    assert output.since(output.total) == ""
    assert output.text() == "23456789ab"


class TestLive:
    def test_a_letter_in_two_pieces_is_shown_whole(self) -> None:
        shown, _, live = _live()
        live.feed("ü".encode()[:1])
        live.feed("ü".encode()[1:])
        live.finish()
        assert "".join(shown) == "ü"

    def test_text_after_an_escape_is_not_held_back(self) -> None:
        shown, _, live = _live()
        live.feed(b"\x1b[31mready")
        assert shown == ["ready"]

    def test_an_escape_in_two_pieces_is_not_shown(self) -> None:
        shown, due, live = _live()
        live.feed(b"a\x1b[3")
        live.feed(b"1mb")
        due.pop()()
        live.finish()
        assert "".join(shown) == "ab"

    def test_a_flood_is_cut_between_two_tellings(self) -> None:
        shown, due, live = _live()
        live.feed(b"first ")
        for _ in range(1000):
            live.feed(b"x" * 1000)
        assert shown == ["first "]
        due.pop()()
        assert len(shown[1]) < 17_000
        assert "983,616 characters not shown" in shown[1]
        assert len(due) == 1


def _live() -> tuple[list[str], list[Callable[[], None]], Live]:
    shown: list[str] = []
    due: list[Callable[[], None]] = []
    return shown, due, Live(shown.append, lambda _, then: due.append(then))
