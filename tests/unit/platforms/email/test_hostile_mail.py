"""Mail that was made to harm: it is read in bounded time, or not at all."""

from collections.abc import Callable

import pytest

from hermes_agent.platforms.email.body import read_body
from hermes_agent.platforms.email.headers import Headers
from hermes_agent.platforms.email.html_text import html_text

_NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (each, each)
    for each in range(3000)
)


def _plain(head: bytes, body: bytes) -> Callable[[], object]:
    return lambda: read_body(b"Content-Type: text/plain" + head + b"\r\n\r\n" + body)


CASES: dict[str, Callable[[], object]] = {
    "multiparts in multiparts": lambda: read_body(_NESTED),
    "messages in messages": lambda: read_body(b"Content-Type: message/rfc822\r\n\r\n" * 3000),
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
