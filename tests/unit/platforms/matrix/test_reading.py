"""What an event says, whoever wrote it."""

from typing import Any

import pytest

from hermes_agent.platforms.matrix.fields import Json
from hermes_agent.platforms.matrix.reading import (
    message_in,
    names,
    pills,
    quoted_of,
    without_fallback,
    without_name,
)

ME = "@hermes:example.org"


def event(content: Any, kind: str = "m.room.message") -> Json:
    return {
        "type": kind,
        "event_id": "$1",
        "sender": "@a:b",
        "origin_server_ts": 1000,
        "content": content,
    }


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "text",
        {},
        {"msgtype": ["m.text"], "body": "x"},
        {"body": "x"},
        {"msgtype": "m.notice", "body": "x"},
        {"msgtype": "m.key.verification.request", "body": "x"},
        {"msgtype": "m.text", "body": "x", "m.relates_to": {"rel_type": "m.replace"}},
    ],
)
def test_what_is_no_message_is_none(content: Any) -> None:
    assert message_in(event(content)) is None


@pytest.mark.parametrize(
    "content",
    [
        {"body": 7},
        {"body": "\ud800"},
        {"m.relates_to": "x"},
        {"m.relates_to": {"rel_type": ["m.thread"], "event_id": 5, "m.in_reply_to": []}},
        {"m.relates_to": {"rel_type": "m.thread"}},
        {"m.mentions": {"user_ids": "all"}, "formatted_body": {}},
        {"info": [], "url": 3, "file": "x"},
    ],
)
@pytest.mark.parametrize("kind", ["m.text", "m.file", "m.location", "m.unknown"])
def test_nonsense_in_a_message_is_not_there(content: Json, kind: str) -> None:
    message = message_in(event({"msgtype": kind, **content}))
    assert message is not None
    assert message.thread is None
    assert message.replies_to is None
    assert message.media is None
    message.text.encode()
    assert not names(message.content, message.text, ME, "Hermes")


def test_a_sticker_is_a_file() -> None:
    content = {"body": "cat", "url": "mxc://x/y", "info": {"mimetype": "image/webp", "size": True}}
    message = message_in(event(content, "m.sticker"))
    assert message is not None
    assert message.media is not None
    assert (message.media.kind, message.media.size) == ("sticker", 0)


@pytest.mark.parametrize(
    ("body", "rest", "quoted"),
    [
        ("> <@a:b> hi\n\nyes", "yes", "hi"),
        ("> <@a:b> hi\n> there\n\nyes\n\nno", "yes\n\nno", "hi\nthere"),
        ("> * <@a:b> waves\n\nyes", "yes", "waves"),
        ("> <@a:b> hi", "", "hi"),
        ("> a quotation\n\nyes", "> a quotation\n\nyes", ""),
        ("yes", "yes", ""),
    ],
)
def test_the_fallback_of_an_answer_is_told_apart(body: str, rest: str, quoted: str) -> None:
    assert without_fallback(body) == (rest, quoted)


def test_what_is_quoted_is_its_newest_text() -> None:
    newer = {"m.replace": {"content": {"m.new_content": {"body": "new"}}}}
    assert quoted_of(event({"body": "old"})) == "old"
    assert quoted_of(event({"body": "old"}) | {"unsigned": {"m.relations": newer}}) == "new"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("Hermes: hi", True),
        ("hermes, hi", True),
        ("@hermes hi", True),
        (f"hi {ME}!", True),
        ("ask @Hermes.", True),
        ("hermes is a god", False),
        ("mail me@hermes.example", False),
        ("@hermes-two: hi", False),
        ("@hermes:elsewhere.org hi", False),
        (f"{ME}.uk: hi", False),
        ("hi", False),
    ],
)
def test_words_that_name_us(body: str, named: bool) -> None:
    assert names({}, body, ME, "Hermes") is named


@pytest.mark.parametrize("body", ["Hermes: hi", "@hermes hi", f"{ME}: hi", f"{ME} hi", "hi"])
def test_our_name_at_the_beginning_is_taken_off(body: str) -> None:
    assert without_name(body, ME, "Hermes") == "hi"


def test_a_name_of_markup_is_no_pattern() -> None:
    assert not names({}, "aaaaaa", ME, "(a+)+$")
    assert names({}, "(a+)+$: hi", ME, "(a+)+$")


def test_pills_are_links_to_people() -> None:
    html = (
        '<a href="https://matrix.to/#/%40a%3Ab">A</a> <a href="matrix:u/c:d?action=chat">C</a>'
        '<a href="https://matrix.to/#/!room:b">R</a><a href>x</a><b href="https://matrix.to/#/@e:f">'
    )
    assert pills(html) == {"@a:b", "@c:d"}
    assert pills("<" * 1000 + "matrix") == set()
    assert pills("matrix <![if x]> <a title='x' \nHREF = 'https://matrix.to/#/@a:b'>") == {"@a:b"}


@pytest.mark.parametrize(
    "junk", ["<a ", "<!--", "<![", "<a href='", "<a href=", "<a\t\thref  ", "&#"]
)
def test_markup_that_is_none_holds_no_message_up(junk: str) -> None:
    assert pills("matrix" + junk * (60_000 // len(junk))) == set()
