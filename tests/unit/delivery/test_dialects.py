"""How each dialect shows Markdown."""

import pytest

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.render import render
from tests.unit.delivery.platforms import ALL, DISCORD, EMAIL, IRC, MATRIX, PLAIN, TELEGRAM


def text(markdown: str, capabilities: Capabilities) -> str:
    """The text of the only post."""
    (post,) = render(markdown, capabilities)
    return post.text


def lines(markdown: str) -> list[str]:
    """What IRC is sent."""
    return [post.text for post in render(markdown, IRC)]


INLINE = "**bold *both*** ~~gone~~ `a<b` [name](https://a.example/?x=1&y=2) <u>under</u>"


def test_telegram_shows_emphasis_code_and_links_as_tags() -> None:
    assert text(INLINE, TELEGRAM) == (
        "<b>bold <i>both</i></b> <s>gone</s> <code>a&lt;b</code> "
        '<a href="https://a.example/?x=1&amp;y=2">name</a> <u>under</u>'
    )


def test_discord_shows_emphasis_code_and_links_as_markdown() -> None:
    assert text(INLINE, DISCORD) == (
        "**bold *both*** ~~gone~~ `a<b` [name](https://a.example/?x=1&y=2) __under__"
    )


def test_matrix_shows_emphasis_code_and_links_as_html() -> None:
    assert text(INLINE, MATRIX) == (
        "<p><strong>bold <em>both</em></strong> <del>gone</del> <code>a&lt;b</code> "
        '<a href="https://a.example/?x=1&amp;y=2">name</a> <u>under</u></p>'
    )


def test_irc_shows_emphasis_by_control_codes_and_links_by_address() -> None:
    assert lines(INLINE) == [
        "\x02bold \x1dboth\x1d\x02 \x1egone\x1e \x11a<b\x11 "
        "name (https://a.example/?x=1&y=2) \x1funder\x1f"
    ]


def test_the_plain_text_of_every_dialect_has_no_markup() -> None:
    for capabilities in ALL:
        (post,) = render(INLINE, capabilities)
        assert post.plain == "bold both gone a<b name (https://a.example/?x=1&y=2) under"


def test_telegram_shows_headings_bold_and_lists_with_bullets_and_numbers() -> None:
    assert text("# Top\n\n- one\n  - inner\n    more\n- two\n\n7. seven\n8. eight", TELEGRAM) == (
        "<b>Top</b>\n\n• one\n  ◦ inner\n    more\n• two\n\n7. seven\n8. eight"
    )


def test_discord_keeps_three_levels_of_headings() -> None:
    assert text("# a\n\n### c\n\n##### e", DISCORD) == "# a\n\n### c\n\n### e"


def test_a_numbered_list_may_begin_at_nought() -> None:
    assert text("0. none\n1. one", PLAIN) == "0. none\n1. one"
    assert text("0. none\n1. one", MATRIX) == '<ol start="0"><li>none</li><li>one</li></ol>'


TABLE = "| name | n |\n|---|---|\n| `tea` | 1 |\n| 日本 | 22 |"
ALIGNED = "name | n\n-----+---\ntea  | 1\n日本 | 22"


def test_tables_are_aligned_in_monospace_where_there_are_none() -> None:
    assert text(TABLE, TELEGRAM) == f"<pre>{ALIGNED}</pre>"
    assert text(TABLE, DISCORD) == f"```\n{ALIGNED}\n```"
    assert text(TABLE, PLAIN) == ALIGNED


def test_matrix_and_email_have_real_tables() -> None:
    assert text(TABLE, MATRIX) == (
        "<table><thead><tr><th>name</th><th>n</th></tr></thead><tbody>"
        "<tr><td><code>tea</code></td><td>1</td></tr><tr><td>日本</td><td>22</td></tr>"
        "</tbody></table>"
    )
    assert '<td style="border:1px solid #ccc' in text(TABLE, EMAIL)


def test_code_blocks_keep_their_language_and_their_space() -> None:
    code = "```py title=x\nif x:\n    y = '<'\n\nz\n```"
    inner = "if x:\n    y = '&lt;'\n\nz"
    assert text(code, TELEGRAM) == f'<pre><code class="language-py">{inner}</code></pre>'
    assert text(code, MATRIX) == f'<pre><code class="language-py">{inner}</code></pre>'
    assert text(code, DISCORD) == "```py\nif x:\n    y = '<'\n\nz\n```"
    assert lines(code) == ["\x11if x:\x11", "\x11    y = '<'\x11", "\x11z\x11"]


def test_a_quotation_within_a_quotation_is_valid_everywhere() -> None:
    nested = "> out\n>\n> > in"
    assert text(nested, TELEGRAM) == "<blockquote>out\n\n&gt; in</blockquote>"
    assert text(nested, DISCORD) == "> out\n> \n> in"
    assert text(nested, PLAIN) == "> out\n>\n> > in"


def test_images_are_links() -> None:
    assert text("![a cat](https://a.example/c.png)", TELEGRAM) == (
        '<a href="https://a.example/c.png">a cat</a>'
    )


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "x:y"],
)
def test_addresses_of_other_schemes_are_text(address: str) -> None:
    for capabilities in (TELEGRAM, MATRIX, EMAIL):
        shown = text(f"[click]({address})", capabilities)
        assert "href" not in shown
        assert address in shown


def test_relative_addresses_are_written_out() -> None:
    assert text("[the file](./a.md)", TELEGRAM) == "the file (./a.md)"


def test_html_is_text_but_for_a_few_inline_tags() -> None:
    assert text("<script>x</script> a<br>b <b>c</b> <u>open", TELEGRAM) == (
        "&lt;script&gt;x&lt;/script&gt; a\nb <b>c</b> &lt;u&gt;open"
    )
    assert text("<div onclick='x'>\n\nhi", MATRIX) == "<p>&lt;div onclick='x'&gt;</p><p>hi</p>"


@pytest.mark.parametrize("ping", ["@everyone", "@here", "<@123>", "<@!123>", "<@&9>", "<#12>"])
def test_discord_pings_nobody(ping: str) -> None:
    (post,) = render(f"look {ping} and **{ping}** [{ping}](https://a.example)", DISCORD)
    for shown in (post.text, post.plain):
        assert ping not in shown.replace("\\", "")
        assert ping in shown.replace("\u200b", "").replace("\\", "")


def test_discord_text_means_nothing_but_what_was_meant() -> None:
    assert text(r"2 \* 3 \* 4 \_a\_ ||x|| \# no \`c\` \[l](https://a.example/b_c_d)", DISCORD) == (
        r"2 \* 3 \* 4 \_a\_ \|\|x\|\| # no \`c\` \[l](https://a.example/b_c_d)"
    )
    assert text("a\n\\# b\n\\- c\n\\> d\n1\\. e", DISCORD) == "a\n\\# b\n\\- c\n\\> d\n1\\. e"


def test_nothing_in_discord_code_ends_it() -> None:
    shown = text("`````\na\n```\n@everyone\n`````", DISCORD)
    assert shown.count("```") == 2
    assert text("`` a`b ``", DISCORD) == "`` a`b ``"


def test_no_line_end_and_no_control_reaches_irc() -> None:
    posts = render("a\r\nQUIT :x\n`b&#13;`&#13;&#10;JOIN #x \x02\x034,5\x07 c\u2028d", IRC)
    for post in posts:
        for shown in (post.text, post.plain):
            assert not set(shown) & set("\r\n\0\x03\x07\u2028")
    assert [post.text for post in posts] == [
        "a",
        "QUIT :x",
        "\x11b&#13;\x11 JOIN #x 4,5 c",
        "d",
    ]


def test_direction_overrides_and_broken_unicode_are_taken_out() -> None:
    assert text("a\u202eb\u2066c\ud83d\ude00\ud800", PLAIN) == "abc😀\ufffd"


def test_a_definition_without_use_is_shown_as_it_is_written() -> None:
    assert text("[a]: https://a.example", PLAIN) == "[a]: https://a.example"
