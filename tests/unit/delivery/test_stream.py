"""Answers that are shown while they grow."""

import msgspec
import pytest

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.prefix import presentable
from hermes_agent.delivery.render import render
from hermes_agent.delivery.stream import Growing, Update
from hermes_agent.domain.chats import Post
from tests.unit.delivery.platforms import DISCORD, IRC, TELEGRAM

SMALL = msgspec.structs.replace(DISCORD, max_length=120)


def growing(capabilities: Capabilities = TELEGRAM, *, threshold: int = 5) -> Growing:
    """With the documented cursor."""
    return Growing(capabilities, interval=0.3, threshold=threshold, cursor=" ▉", quotes="7")


def said(update: Update | None) -> tuple[int, str, bool] | None:
    """The update in short."""
    return None if update is None else (update.part, update.post.text, update.new)


def test_it_is_sent_once_enough_is_written_and_edited_after_the_interval() -> None:
    answer = growing()
    answer.feed("abc")
    assert answer.due(100.0) is None
    answer.feed("def")
    assert said(answer.due(100.0)) == (0, "abcdef ▉", True)
    answer.feed("ghijkl")
    assert answer.due(100.9) is None
    assert said(answer.due(101.0)) == (0, "abcdefghijkl ▉", False)
    assert answer.due(200.0) is None
    assert [said(update) for update in answer.finish()] == [(0, "abcdefghijkl", False)]


def test_the_longer_of_both_intervals_counts() -> None:
    answer = Growing(TELEGRAM, interval=5.0, threshold=1, cursor="")
    answer.feed("a")
    assert answer.due(0.0) is not None
    answer.feed("b")
    assert answer.due(4.9) is None
    assert answer.due(5.0) is not None


def test_the_first_part_quotes_the_question() -> None:
    answer = growing()
    answer.feed("hello there")
    update = answer.due(0.0)
    assert update is not None
    assert update.post.quotes == "7"


def test_a_platform_without_edits_gets_the_answer_at_the_end() -> None:
    answer = growing(IRC)
    answer.feed("hello there")
    assert answer.due(0.0) is None
    assert [said(update) for update in answer.finish()] == [(0, "hello there", True)]


def test_a_full_part_is_finished_before_the_next_begins() -> None:
    answer = growing(SMALL, threshold=1)
    answer.feed("word " * 20)
    assert said(answer.due(0.0)) == (0, "word " * 20 + "▉", True)
    answer.feed("word " * 20)
    first, second = answer.due(10.0), answer.due(20.0)
    assert first is not None
    assert second is not None
    assert (first.part, first.new, second.part, second.new) == (0, False, 1, True)
    assert "▉" not in first.post.text
    assert second.post.text.endswith("▉")
    final = render("word " * 40, SMALL, quotes="7")
    assert [(update.part, update.post) for update in answer.finish()] == list(enumerate(final))


def test_finished_parts_differ_from_the_final_ones_only_in_their_number() -> None:
    text = "\n\n".join(f"Paragraph {number}: {'word ' * 9}" for number in range(12))
    answer = growing(SMALL, threshold=1)
    now = 0.0
    for begin in range(0, len(text), 7):
        answer.feed(text[begin : begin + 7])
        while answer.due(now):
            now += 10
    shown = [post.text.removesuffix(" ▉") for post in answer.shown]
    final = [post.text for post in render(text, SMALL, numbered=False)]
    assert shown[:-1] == final[:-1]


def test_parts_that_the_finished_answer_lacks_are_emptied() -> None:
    answer = growing(SMALL, threshold=1)
    answer.feed("word " * 40)
    assert [answer.due(0.0) is None, answer.due(9.0) is None] == [False, False]
    assert [said(update) for update in answer.finish("Short.")] == [
        (0, "Short.", False),
        (1, "…", False),
    ]


def test_an_answer_begun_anew_replaces_what_is_out() -> None:
    answer = growing(threshold=1)
    answer.feed("first try")
    assert answer.due(0.0) is not None
    answer.restart()
    assert answer.due(10.0) is None
    answer.feed("second")
    assert said(answer.due(20.0)) == (0, "second ▉", False)


def test_what_could_not_be_sent_is_new_again() -> None:
    answer = growing(threshold=1)
    answer.feed("hello")
    update = answer.due(0.0)
    assert update is not None
    answer.failed(update)
    assert said(answer.due(10.0)) == (0, "hello ▉", True)


def test_a_cursor_that_is_markup_is_text() -> None:
    answer = Growing(TELEGRAM, interval=0, threshold=1, cursor=" <b>")
    answer.feed("hello")
    assert said(answer.due(0.0)) == (0, "hello &lt;b&gt;", True)


def test_nothing_is_sent_before_there_is_something_to_see() -> None:
    answer = growing(threshold=1)
    answer.feed("\n\n**")
    assert answer.due(0.0) is None
    assert answer.finish("") == ()


def test_an_answer_of_which_nothing_changed_needs_nothing() -> None:
    answer = Growing(TELEGRAM, interval=0, threshold=1, cursor="")
    answer.feed("hello")
    answer.due(0.0)
    assert answer.finish() == ()
    assert answer.shown == (Post(text="hello", plain="hello"),)


@pytest.mark.parametrize(
    ("beginning", "shown"),
    [
        ("**bold te", "**bold te**"),
        ("**bold ", "**bold**"),
        ("an *it", "an *it*"),
        ("a **b *c", "a **b *c***"),
        ("**bold*", "**bold**"),
        ("`co", "`co`"),
        ("x ``a`b", "x ``a`b``"),
        ("~~st", "~~st~~"),
        ("* entry\n* **b", "* entry\n* **b**"),
        ("text **", "text "),
        ("[label](http://x", "label"),
        ("![alt](http://x", "alt"),
        ("text\n-", "text"),
        ("text\n==", "text"),
        ("text\n12.", "text"),
        ("```py\nx = '**'\n``", "```py\nx = '**'"),
        ("```py\nx\n```\n*b", "```py\nx\n```\n*b*"),
        ("snake_case and 2 * 3 \\*a", "snake_case and 2 * 3 \\*a"),
        ("**done** `a` *b*", "**done** `a` *b*"),
        ("-\n" * 5000, "-\n" * 5000),
    ],
)
def test_a_beginning_is_shown_as_it_will_probably_go_on(beginning: str, shown: str) -> None:
    assert presentable(beginning) == shown
