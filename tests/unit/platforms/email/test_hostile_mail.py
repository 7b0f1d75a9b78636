"""Mail that was made to harm: it is read in bounded time, or not at all."""

from collections.abc import Callable

import pytest

from hermes_agent.platforms.email.authenticity import vouched
from hermes_agent.platforms.email.body import MAX_TEXT, read_body
from hermes_agent.platforms.email.headers import Headers
from hermes_agent.platforms.email.html_text import html_text

_NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (each, each)
    for each in range(3000)
)


_MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def _plain(head: bytes, body: bytes) -> Callable[[], object]:
    return lambda: read_body(b"Content-Type: text/plain" + head + b"\r\n\r\n" + body)


CASES: dict[str, Callable[[], object]] = {
    "multiparts in multiparts": lambda: read_body(_NESTED),
    "messages in messages": lambda: read_body(b"Content-Type: message/rfc822\r\n\r\n" * 3000),
    "parts without end": lambda: read_body(_MIXED + b"--b\r\n\r\nx\r\n" * 4_000_000),
    "parts without end, of old Macs": lambda: read_body(_MIXED + b"--b\r\rx\r" * 3_000_000),
    "page upon page of HTML": lambda: read_body(
        _MIXED + (b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<p>x" * 28_000 + b"\r\n") * 190
    ),
    "properties that begin and begin": lambda: vouched(
        ["mx.test; dkim=pass " + "a-" * 9000] * 13, "mx.test", "a@b"
    ),
    "headers without end": lambda: read_body(b"X: y\r\n" * 100_000),
    "parameters without end": _plain(b"; " + b"a*0*=x; " * 100_000, b"hi"),
    "broken base64": _plain(b"\r\nContent-Transfer-Encoding: base64", b"!==" * 500_000),
    "a charset that is none": _plain(b"; charset=\xff\xfe", b"hi"),
    "a charset that is no text": _plain(b"; charset=hex", b"hi"),
    "halves of letters": _plain(b"; charset=utf-7", b"+2AA-" * 1000),
    "encoded words in a row": lambda: Headers(b"Subject: " + b"=?utf-8?b?" * 20_000).text(
        "Subject"
    ),
    **{
        f"{each!r} again and again": lambda each=each: html_text(each * (500_000 // len(each)))
        for each in (
            "<!--",
            "<a ",
            "<a b='",
            '<p x="',
            "<",
            "</",
            "<![",
            "<script>",
            "<pre>\n",
            "&#9",
        )
    },
}


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.timeout(60)
def test_hostile_mail_is_read_where_the_libraries_own_parsers_need_minutes(case: str) -> None:
    # What it gives can be stored; a letter cut in half could not.
    assert str(CASES[case]()).encode() is not None


def test_a_number_of_a_million_digits_is_left_as_it_is() -> None:
    text = "&#" + "9" * 100_000 + ";"
    assert html_text(text) == text


def test_a_mail_in_too_many_parts_says_so() -> None:
    assert read_body(_NESTED).notes == [
        "[this mail is put together in too many parts; it was not read]"
    ]


def test_a_text_longer_than_anybody_writes_is_cut_and_says_so() -> None:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\n" + b"word\r\n" * 100_000 + b"\r\n"
    body = read_body(_MIXED + part * 20 + b"--b--\r\n")
    assert MAX_TEXT - 10 < len(body.text) <= MAX_TEXT
    assert body.notes == ["[this mail is too long; the rest of its text was left out]"]


def test_a_text_with_many_rules_and_signatures_is_read() -> None:
    text = "line\r\n-- \r\n" * 5000
    body = read_body(b"Content-Type: text/plain\r\n\r\n" + text.encode())
    assert body.notes == []
    assert body.text.count("-- ") == 4999
