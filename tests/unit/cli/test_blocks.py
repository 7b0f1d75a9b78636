"""Cutting streamed Markdown at block edges."""

from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.cli.terminal.blocks import BlockSplitter

LINES = st.sampled_from(
    [
        "",
        "text",
        "# head",
        "```",
        "```python",
        "~~~~",
        "~~~",
        "- item",
        "    code",
        "``` `x`",
        "> q",
    ]
)


def blocks_of(text: str, size: int) -> tuple[list[str], str]:
    splitter = BlockSplitter()
    found: list[str] = []
    for start in range(0, len(text), size):
        found += splitter.push(text[start : start + size])
    return found, splitter.flush()


@given(st.lists(LINES, max_size=12).map("\n".join), st.integers(1, 9))
def test_nothing_but_empty_lines_is_lost_however_the_text_is_cut(text: str, size: int) -> None:
    found, rest = blocks_of(text, size)
    kept = [line for line in "".join([*found, rest]).split("\n") if line.strip()]
    assert kept == [line for line in text.split("\n") if line.strip()]


@given(st.lists(LINES, max_size=12).map("\n".join), st.integers(1, 9))
def test_where_the_stream_was_cut_makes_no_difference(text: str, size: int) -> None:
    assert blocks_of(text, size) == blocks_of(text, max(1, len(text)))


def test_a_fence_with_empty_lines_inside_is_one_block() -> None:
    fence = "```python\na = 1\n\nb = 2\n```\n"
    found, rest = blocks_of(f"before\n\n{fence}after", 3)
    assert found == ["before\n\n", fence]
    assert rest == "after"


def test_a_shorter_fence_inside_does_not_close_a_longer_one() -> None:
    fence = "````\n```\ncode\n```\n````\n"
    assert blocks_of(fence, 100) == ([fence], "")


def test_the_open_block_is_what_has_not_come_out_yet() -> None:
    splitter = BlockSplitter()
    assert splitter.push("one\n\ntw") == ["one\n\n"]
    assert splitter.open_text == "tw"
