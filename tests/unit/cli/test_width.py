"""Room on the terminal, counted in columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.cli.terminal.status import Standing, status_line
from hermes_agent.cli.terminal.width import fit, last_rows, width


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    assert width("中文") == 4
    assert width("🎉") == 2
    assert width("e\u0301") == 1


@given(st.text(max_size=40), st.integers(1, 30))
def test_what_is_fitted_fits(text: str, columns: int) -> None:
    assert width(fit(text, columns)) <= columns


def test_what_fits_already_is_left_alone() -> None:
    assert fit("中文 ok", 7) == "中文 ok"
    assert fit("中文 ok", 6) == "中文 …"


@given(st.lists(st.text("ab中\u0301", max_size=30), max_size=20), st.integers(1, 9))
def test_the_last_rows_fill_no_more_than_was_asked(lines: list[str], rows: int) -> None:
    columns = 10
    kept = last_rows("\n".join(lines), rows=rows, columns=columns)
    assert sum(max(1, -(-width(line) // columns)) for line in kept) <= rows


def test_the_last_rows_are_the_last() -> None:
    assert last_rows("one\ntwo\nthree", rows=2, columns=10) == ["two", "three"]
    assert last_rows("x" * 100, rows=2, columns=10)[0].strip("x") == ""


STANDING = Standing(
    model="a-model-with-a-long-name",
    activity="$ find . -type f -printf '%s %p'",
    since=75,
    context=12_300,
    window=128_000,
    sent=50_000,
    received=1_200,
    cost="$0.1234",
    yolo=True,
    queued=2,
)


@given(st.integers(1, 200))
def test_the_status_never_breaks_its_line(columns: int) -> None:
    activity, rest = status_line(STANDING, columns)
    assert width(activity + rest) <= columns or columns < 20


@pytest.mark.parametrize(("columns", "gone"), [(120, "$0.1234"), (60, "↑50.0k"), (40, "12.3k/")])
def test_the_least_important_parts_go_first(columns: int, gone: str) -> None:
    activity, rest = status_line(STANDING, columns)
    assert gone not in rest
    assert "YOLO" in rest
    assert activity.startswith(" ● $ f")


def test_a_wide_terminal_shows_everything() -> None:
    activity, rest = status_line(STANDING, 200)
    assert "printf" in activity
    for part in ("a-model", "12.3k/128.0k 10%", "↑50.0k ↓1.2k", "$0.1234", "1 min", "2 queued"):
        assert part in rest
