import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.store.ids import new_session_id
from hermes_agent.store.text import clean_title, numbered_title, storable, title_base


def test_a_session_id_is_its_local_time_and_six_hex_digits() -> None:
    assert re.fullmatch(r"\d{8}_\d{6}_[0-9a-f]{6}", new_session_id())
    assert new_session_id(0.0)[:4] in ("1969", "1970")
    assert len({new_session_id(0.0) for _ in range(100_000)}) == 100_000


@pytest.mark.parametrize(
    ("given_title", "cleaned"),
    [
        ("Plans", "Plans"),
        ("  a \t b\n\nc ", "a b c"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("bell\x07 \x1b[31mred", "bell [31mred"),
        ("right\u202eto left", "rightto left"),
        ("\ud800half", "half"),
        ("日本語 👍🏽", "日本語 👍🏽"),
        ("x" * 150, "x" * 100),
        ("", None),
        (" \u200b\n", None),
    ],
)
def test_a_title_is_one_visible_line_of_at_most_100_characters(
    given_title: str, cleaned: str | None
) -> None:
    assert clean_title(given_title) == cleaned


@given(st.text())
def test_cleaning_a_clean_title_changes_nothing(title: str) -> None:
    cleaned = clean_title(title)
    assert cleaned is None or clean_title(cleaned) == cleaned


def test_the_number_of_a_lineage_comes_off_and_on() -> None:
    assert title_base("Plans #12") == "Plans"
    assert title_base("Issue #12b") == "Issue #12b"
    assert numbered_title("Plans", 3) == "Plans #3"


@given(st.text(alphabet=st.characters()))
def test_storable_text_is_utf_8_without_nul_and_of_the_same_length(text: str) -> None:
    result = storable(text)
    result.encode()
    assert "\x00" not in result and len(result) == len(text)
