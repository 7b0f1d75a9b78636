"""Cutting answers into posts."""

import pytest

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.render import render
from hermes_agent.domain.chats import Attachment
from tests.unit.delivery.platforms import ALL, DISCORD, EMAIL, IRC, TELEGRAM
from tests.unit.delivery.telegram_html import checked

SMALL = Capabilities(dialect="telegram", max_length=120, unit="utf16")
SMALL_DISCORD = Capabilities(dialect="discord", max_length=120)


def texts(markdown: str, capabilities: Capabilities, *, numbered: bool = False) -> list[str]:
    """The texts of the posts."""
    return [post.text for post in render(markdown, capabilities, numbered=numbered)]


def test_nothing_to_see_is_no_post() -> None:
    for blank in ("", " \n\t\n", "\u200b\u200b", "\u202e"):
        for capabilities in ALL:
            assert render(blank, capabilities) == ()


def test_what_fits_exactly_is_one_post() -> None:
    assert len(texts("x" * 4096, TELEGRAM)) == 1
    assert len(texts("😀" * 2048, TELEGRAM)) == 1
    assert len(texts("x" * 4097, TELEGRAM)) == 2
    assert len(texts("é" * 200, IRC)) == 1
    assert len(texts("é" * 201, IRC)) == 2


def test_several_parts_are_numbered_and_one_is_not() -> None:
    posts = render("a" * 90 + "\n\n" + "b" * 90, SMALL)
    assert [post.text[-5:] for post in posts] == ["(1/2)", "(2/2)"]
    assert [post.plain[-5:] for post in posts] == ["(1/2)", "(2/2)"]
    assert texts("a", SMALL, numbered=True) == ["a"]


def test_parts_are_cut_between_blocks_first() -> None:
    blocks = ["a " * 30, "b " * 15, "c " * 30]
    assert texts("\n\n".join(blocks), SMALL) == [
        f"{blocks[0].strip()}\n\n{blocks[1].strip()}",
        blocks[2].strip(),
    ]


def test_a_long_paragraph_is_cut_at_lines_then_at_words() -> None:
    by_line = "\n".join(["x" * 60, "y" * 60])
    assert texts(by_line, SMALL) == ["x" * 60, "y" * 60]
    words = " ".join(f"word{number}" for number in range(60))
    cut = texts(words, SMALL)
    assert len(cut) > 2
    assert " ".join(cut) == words


def test_emphasis_goes_on_in_the_next_part() -> None:
    cut = texts(f"**{'word ' * 60}end**", SMALL)
    assert len(cut) > 2
    assert all(part.startswith("<b>") and part.endswith("</b>") for part in cut)


def test_long_code_is_closed_and_opened_again_with_its_language() -> None:
    code = "\n".join(f"    line({number})" for number in range(30))
    cut = texts(f"```py\n{code}\n```", SMALL_DISCORD)
    assert len(cut) > 3
    assert all(part.startswith("```py\n") and part.endswith("\n```") for part in cut)
    inner = [part.removeprefix("```py\n").removesuffix("\n```") for part in cut]
    assert "\n".join(inner) == code


def test_a_long_table_repeats_its_header() -> None:
    rows = "\n".join(f"| {number} | x |" for number in range(40))
    cut = texts(f"| n | v |\n|--|--|\n{rows}", SMALL_DISCORD)
    assert len(cut) > 3
    assert all(part.startswith("```\nn") and part.endswith("\n```") for part in cut)
    numbers = [line.split()[0] for part in cut for line in part.split("\n")[3:-1]]
    assert numbers == [str(number) for number in range(40)]


def test_a_table_with_a_row_too_long_for_any_part_becomes_text() -> None:
    cut = texts(f"| n | v |\n|--|--|\n| 1 | {'word ' * 60}|", SMALL)
    assert "".join(cut).count("word") == 60
    for part in cut:
        checked(part)


def test_a_heading_stays_with_what_it_heads() -> None:
    cut = texts(f"{'a' * 60}\n\n# Title\n\n{'b' * 60}", SMALL)
    assert cut == ["a" * 60, f"<b>Title</b>\n\n{'b' * 60}"]


def test_a_list_goes_on_with_its_numbers_and_an_entry_without_a_second_marker() -> None:
    entries = "\n".join(f"{number}. {'word ' * 6}" for number in range(1, 7))
    cut = texts(entries, SMALL)
    firsts = [line.split()[0] for part in cut for line in part.split("\n")]
    assert firsts == [f"{number}." for number in range(1, 7)]
    long = texts(f"- {'word ' * 60}", SMALL)
    assert len(long) > 2
    assert [part.count("•") for part in long] == [1] + [0] * (len(long) - 1)


def test_a_joined_character_is_not_taken_apart() -> None:
    family = "👨‍👩‍👧"
    cut = texts(family * 60, SMALL)
    assert len(cut) > 3
    assert all(not part.startswith("\u200d") and not part.endswith("\u200d") for part in cut)


def test_an_address_too_long_to_repeat_is_written_out() -> None:
    address = "https://a.example/" + "p" * 80
    shown = "".join(texts(f"[name]({address})", SMALL))
    assert shown == f"name ({address})"


def test_one_definition_used_often_does_not_blow_the_answer_up() -> None:
    source = f"[a]: https://a.example/{'p' * 900}\n\n{'[a] ' * 20_000}"
    assert sum(map(len, texts(source, TELEGRAM))) < 6 * len(source)


def test_the_first_post_quotes() -> None:
    posts = render("a" * 5000, TELEGRAM, quotes="7")
    assert [post.quotes for post in posts] == ["7", None]


def files(count: int) -> list[Attachment]:
    """Images."""
    return [Attachment(kind="image", path=f"/a/{number}.png") for number in range(count)]


def test_files_follow_the_text_in_batches_where_messages_hold_one_or_the_other() -> None:
    posts = render("hi", TELEGRAM, attachments=files(3))
    assert [(post.text, len(post.attachments)) for post in posts] == [("hi", 0), ("", 2), ("", 1)]


@pytest.mark.parametrize("capabilities", [DISCORD, EMAIL])
def test_files_ride_with_the_text_where_messages_hold_both(capabilities: Capabilities) -> None:
    (post,) = render("hi", capabilities, attachments=files(3), quotes="7")
    assert (len(post.attachments), post.quotes) == (3, "7")


def test_files_alone_make_posts_and_what_cannot_be_sent_is_named() -> None:
    (post,) = render("", TELEGRAM, attachments=files(1), quotes="7")
    assert (post.text, len(post.attachments), post.quotes) == ("", 1, "7")
    (post,) = render("", IRC, attachments=files(1))
    assert post.text == "(not sent: 0.png)"
