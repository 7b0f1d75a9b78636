"""Whatever a model writes, posts are valid, fit, and lose no word."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.render import length, render
from hermes_agent.delivery.stream import Growing
from tests.unit.delivery.platforms import ALL, TELEGRAM
from tests.unit.delivery.telegram_html import checked

SIGNS = [
    *"*_~`[]()<>#|>-+=!\\&\n\n\n  \t0123.:;@\"'{}/\r\0\x1b\u202e\u200d\ud800\ufeff",
    "**",
    "```",
    "```py\n",
    "~~~",
    "- ",
    "1. ",
    "> ",
    "# ",
    "|-|-|\n",
    "| a | b |\n",
    "[x](http://a.b)",
    "![y](/z)",
    "<u>",
    "</u>",
    "<br>",
    "<!--",
    "&#10;",
    "&lt;",
    "    ",
    "é",
    "😀",
    "@everyone",
    "word",
    "https://a.b/_c_*d*",
]
soup = st.lists(st.sampled_from(SIGNS), max_size=120).map("".join)

words = st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=12)
paragraph = words.map(" ".join)
marked = st.tuples(paragraph, st.sampled_from(("**", "*", "`", "~~"))).map(
    lambda pair: f"{pair[1]}{pair[0]}{pair[1]}"
)
item = st.tuples(st.sampled_from(("- ", "1. ", "  - ", "> ")), paragraph).map("".join)
code = st.lists(paragraph, min_size=1, max_size=20).map(
    lambda lines: "```py\n" + "\n".join(lines) + "\n```"
)
table = st.lists(st.tuples(paragraph, paragraph), min_size=2, max_size=12).map(
    lambda rows: "\n".join(
        [f"| {rows[0][0]} | {rows[0][1]} |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows[1:])]
    )
)
heading = paragraph.map(lambda text: f"## {text}")
document = st.lists(st.one_of(paragraph, marked, item, code, heading), max_size=12).map("\n\n".join)
limits = st.sampled_from((16, 60, 100, 250, 1000))


def narrowed(capabilities: Capabilities, limit: int) -> Capabilities:
    """The platform with a smaller limit; mail has a frame of its own around every text."""
    limit = limit + 128 if capabilities.dialect == "email" else limit
    return Capabilities(dialect=capabilities.dialect, unit=capabilities.unit, max_length=limit)


def check(text: str, capabilities: Capabilities) -> None:
    """Every post fits, shows something and is valid."""
    for post in render(text, capabilities):
        for shown in (post.text, post.plain):
            assert shown.strip()
            assert length(shown, capabilities.unit) <= capabilities.max_length
            shown.encode()
            assert not re.search("[\0\x1b\r\u202e]", shown)
        match capabilities.dialect:
            case "telegram":
                checked(post.text)
            case "discord":
                assert len(re.findall(r"^(?:> )?```", post.text, re.MULTILINE)) % 2 == 0
                assert "@everyone" not in re.sub("```.*?```|`.*?`", "", post.text, flags=re.DOTALL)
            case "irc":
                assert "\n" not in post.text + post.plain
            case _:
                pass


@settings(max_examples=80, deadline=None)
@given(soup, st.sampled_from(ALL), limits)
def test_any_text_gives_posts_that_fit_and_are_valid(
    text: str, capabilities: Capabilities, limit: int
) -> None:
    check(text, narrowed(capabilities, limit))


@settings(max_examples=80, deadline=None)
@given(document, st.sampled_from(ALL), st.sampled_from((100, 250, 1000)))
def test_every_word_of_the_source_is_shown_in_order(
    text: str, capabilities: Capabilities, limit: int
) -> None:
    posts = render(text, narrowed(capabilities, limit), numbered=False)
    shown = re.findall("[a-z]+", "\n".join(post.plain for post in posts))
    assert shown == re.findall("[a-z]+", re.sub("```py", "", text))


@settings(max_examples=50, deadline=None)
@given(table, st.sampled_from(ALL), st.sampled_from((100, 250, 1000)))
def test_every_cell_of_a_table_is_shown_in_order(
    text: str, capabilities: Capabilities, limit: int
) -> None:
    posts = render(text, narrowed(capabilities, limit), numbered=False)
    shown = iter(re.findall("[a-z]+", "\n".join(post.plain for post in posts)))
    assert all(word in shown for word in re.findall("[a-z]+", text))


@settings(max_examples=60, deadline=None)
@given(st.one_of(soup, document), st.sampled_from(ALL), st.integers(1, 30))
def test_a_growing_text_is_valid_at_every_step_and_ends_as_the_whole_renders(
    text: str, capabilities: Capabilities, step: int
) -> None:
    small = msgspec.structs.replace(narrowed(capabilities, 100), edits=True)
    growing = Growing(small, interval=0, threshold=1, cursor=" <▉")
    shown: list[str] = []
    now = 0.0
    for begin in range(0, len(text), step):
        growing.feed(text[begin : begin + step])
        now += 10
        while update := growing.due(now):
            now += 10
            assert update.new == (update.part == len(shown))
            shown[update.part : update.part + 1] = [update.post.text]
            assert length(update.post.text, small.unit) <= small.max_length
            if small.dialect == "telegram":
                checked(update.post.text)
    for update in growing.finish():
        shown[update.part : update.part + 1] = [update.post.text]
    final = [post.text for post in render(text, small)]
    assert shown[: len(final)] == final
    assert set(shown[len(final) :]) <= {"…"}


HOSTILE = {
    "quotes": ">" * 100_000,
    "deep quotes": "> " * 10_000 + "x",
    "deep lists": "- " * 10_000 + "x",
    "indented lists": "".join(" " * (2 * depth) + "- a\n" for depth in range(300)),
    "brackets": "[" * 100_000,
    "images": "![" * 30_000,
    "links": "[a](" * 25_000,
    "stars": "*" * 100_000,
    "loose stars": "a**b" * 25_000,
    "backticks": "".join("`" * count + " " for count in range(440)),
    "entities": "&#13;&#10;QUIT&#0;&#x202e;" * 4000,
    "tags": "<u>x" * 12_000 + "</u>" * 8000,
    "comment": "<!--" * 25_000,
    "one word": "a" * 100_000,
    "combining": "a" + "\u0301" * 50_000,
    "surrogates": "\ud800x\udc00" * 20_000,
    "broken fences": "````\n```\n@everyone ```\n````\n" * 3000,
    "language": "```" + "x" * 50_000 + "\na\n```",
    "blank code": "```\n" + " \n" * 50_000 + "x\n```",
    "wide table": "|" + "a|" * 5000 + "\n|" + "-|" * 5000 + "\n|" + "1|" * 5000,
    "long table": "|a|b|\n|-|-|\n" + "|1|2|\n" * 5000,
    "rules": "---\n" * 10_000,
    "autolink": "<http://a.b/" + "c" * 50_000 + ">",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hundred_kilobytes_of_hostility_are_rendered(name: str) -> None:
    check(HOSTILE[name], TELEGRAM)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("capabilities", ALL, ids=lambda each: each.dialect)
def test_hostility_is_rendered_in_every_dialect(name: str, capabilities: Capabilities) -> None:
    check(HOSTILE[name][:12_000], capabilities)
