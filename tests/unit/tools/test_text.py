"""Bytes to text and back."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.tools.text import decode, encode, looks_binary


@given(st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-16")))
def test_what_is_not_edited_comes_back_byte_for_byte(data: bytes) -> None:
    text = decode(data)
    assert encode(text.text, text) == data


@given(st.lists(st.text("abc", max_size=3), min_size=2, max_size=5))
def test_carriage_returns_are_not_seen_while_editing_and_stay(lines: list[str]) -> None:
    text = decode("\r\n".join(lines).encode())
    assert text.text == "\n".join(lines)
    assert encode(f"{text.text}\nnew", text) == "\r\n".join([*lines, "new"]).encode()


def test_a_byte_order_mark_and_utf16_stay() -> None:
    marked = decode(codecs.BOM_UTF8 + b"a")
    assert marked.text == "a"
    assert encode("b", marked) == codecs.BOM_UTF8 + b"b"
    wide = decode("é\n".encode("utf-16"))
    assert wide.text == "é\n"
    assert encode("ü\n", wide) == "ü\n".encode("utf-16")


def test_mixed_line_ends_are_left_alone() -> None:
    assert decode(b"a\r\nb\n").text == "a\r\nb\n"


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01\0\0", b"\x89PNG\r\n\x1a\n\0", bytes(range(1, 32)) * 10]
)
def test_programs_and_pictures_look_binary(data: bytes) -> None:
    assert looks_binary(data)


@pytest.mark.parametrize(
    "data", [b"", b"plain\n", "größe".encode("latin-1"), "wide".encode("utf-16"), b"\x1b[31mred"]
)
def test_text_does_not_look_binary(data: bytes) -> None:
    assert not looks_binary(data)
