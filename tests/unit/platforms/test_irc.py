"""IRC: lines, pieces, being spoken to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.irc import addressed, create, pieces
from hermes_agent.platforms.irc_wire import Line, parse


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"PING :abc\r\n", Line("PING", ("abc",))),
        (
            b":ann!a@h PRIVMSG #x :hello: there\r\n",
            Line("PRIVMSG", ("#x", "hello: there"), "ann!a@h"),
        ),
        (
            rb"@account=ann;msgid=1\:2\s3 :ann!a@h PRIVMSG hermes :hi",
            Line("PRIVMSG", ("hermes", "hi"), "ann!a@h", {"account": "ann", "msgid": "1;2 3"}),
        ),
        (b":irc.test 001 hermes :Welcome", Line("001", ("hermes", "Welcome"), "irc.test")),
        (b"privmsg x :", Line("PRIVMSG", ("x", ""))),
        (b"\r\n", None),
        (b":only.a.prefix\r\n", None),
    ],
)
def test_lines_are_read_as_the_protocol_says(raw: bytes, line: Line | None) -> None:
    assert parse(raw) == line


@given(st.binary(max_size=600))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    parse(raw)


@given(st.text(), st.integers(4, 400))
def test_pieces_fit_and_lose_no_character(text: str, most: int) -> None:
    found = pieces(text, most)
    assert all(len(piece.encode()) <= most for piece in found)
    kept = text.encode("utf-8", "replace").decode()
    assert "".join(found).split() == "".join(kept).split() or not kept.strip() or " " in kept


@pytest.mark.parametrize(
    ("text", "ours", "rest"),
    [
        ("hermes: what is up?", True, "what is up?"),
        ("Hermes, hello", True, "hello"),
        ("@hermes hello", True, "hello"),
        ("ask hermes about it", True, "ask hermes about it"),
        ("hermes-two: hello", False, "hermes-two: hello"),
        ("thermes: hello", False, "thermes: hello"),
    ],
)
def test_who_names_us_speaks_to_us(text: str, ours: bool, rest: str) -> None:
    assert addressed(text, "hermes") == (ours, rest)


@pytest.mark.parametrize(
    ("values", "about"),
    [
        ({"nick": "hermes"}, "IRC_SERVER"),
        ({"server": "irc.test", "nick": "a b"}, "IRC_NICK"),
        ({"server": "irc.test", "nick": "hermes", "port": "0"}, "IRC_PORT"),
        ({"server": "irc.test", "nick": "hermes", "channels": "team"}, "IRC_CHANNELS"),
        ({"server": "irc.test", "nick": "h", "tls": "no", "password": "x"}, "IRC_TLS"),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    values: dict[str, str], about: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        create(PlatformSettings(name="irc", values=dict(values), media_dir=tmp_path))
    assert about in (caught.value.hint or "")
