"""Server-sent events are cut out of the bytes, wherever the packets end."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.domain.errors import BadResponse
from hermes_agent.providers.wires.sse import EventStream

LINES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20)


@given(
    events=st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    bom=st.booleans(),
)
def test_events_come_out_whole_however_the_stream_is_cut(
    events: list[list[str]], end: str, cuts: list[int], bom: bool
):
    text = "".join(
        f": comment{end}event: x{end}"
        + "".join(f"data: {line}{end}" for line in lines)
        + f"id: 1{end}{end}"
        for lines in events
    )
    raw = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    stream, found = EventStream(), list[bytes]()
    places = [0, *sorted({cut for cut in cuts if cut < len(raw)}), len(raw)]
    for start, stop in itertools.pairwise(places):
        found += stream.feed(raw[start:stop])
    found += stream.close()
    assert found == ["\n".join(lines).encode() for lines in events]


def test_an_event_without_the_closing_empty_line_is_not_lost():
    stream = EventStream()
    assert stream.feed(b"data: last") == []
    assert stream.close() == [b"last"]


@pytest.mark.parametrize("chunk", [b"x" * 1000, b"data: x\n" * 100])
def test_an_event_without_end_is_bounded(chunk: bytes):
    stream = EventStream(max_event=10_000)
    with pytest.raises(BadResponse, match="single event"):
        for _ in range(200):
            stream.feed(chunk)


def test_many_small_events_are_not_taken_for_a_large_one():
    stream = EventStream(max_event=10_000)
    for _ in range(1000):
        assert stream.feed(b"data: " + b"x" * 100 + b"\n\n") == [b"x" * 100]
