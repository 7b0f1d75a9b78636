"""Results fit the limit and stay JSON."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.tools.result import encode, shorten


@given(text=st.text(max_size=300), limit=st.integers(100, 200))
def test_a_result_is_json_within_the_limit(text: str, limit: int) -> None:
    content = encode({"output": text, "exit_code": 0}, limit)
    assert len(content) <= limit
    data: dict[str, Any] = msgspec.json.decode(content)
    assert data["exit_code"] == 0
    if len(msgspec.json.encode({"output": text, "exit_code": 0}).decode()) <= limit:
        assert data["output"] == text
    else:
        assert "characters left out" in data["output"]


def test_the_beginning_and_the_end_are_kept() -> None:
    short = shorten("a" * 1000 + "b" * 1000, 200)
    assert len(short) <= 200
    assert short.startswith("aaa")
    assert short.endswith("bbb")
    assert short.count("b") > short.count("a")


def test_half_characters_from_file_names_do_no_harm() -> None:
    assert msgspec.json.decode(encode({"name": "a\udcff", "\udcff": ["\udcff"]}, 100)) == {
        "name": "a?",
        "?": ["?"],
    }
