"""What a mail says."""

from email.message import EmailMessage

from hermes_agent.platforms.email.body import read_body
from hermes_agent.platforms.email.html_text import html_text
from hermes_agent.platforms.email.quoting import split_quoted


def test_of_two_versions_the_plain_one_is_read() -> None:
    mail = EmailMessage()
    mail.set_content("plain words")
    mail.add_alternative("<p>rich words</p>", subtype="html")
    assert read_body(mail.as_bytes()).text == "plain words"


def test_where_the_plain_version_is_empty_the_other_is_read() -> None:
    mail = EmailMessage()
    mail.set_content("  \n")
    mail.add_alternative("<p>rich words</p>", subtype="html")
    assert read_body(mail.as_bytes()).text == "rich words"


def test_text_in_any_charset_is_read() -> None:
    raw = "Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    assert read_body(raw.encode() + "Привет".encode("koi8-r")).text == "Привет"


def test_texts_around_a_picture_are_all_read_and_the_picture_is_a_file() -> None:
    mail = EmailMessage()
    mail.set_content("before")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="a.png")
    mail.add_attachment("after", disposition="inline")
    body = read_body(mail.as_bytes())
    assert body.text == "before\n\nafter"
    assert [(each.name, each.media_type, each.data) for each in body.files] == [
        ("a.png", "image/png", b"\x89PNG")
    ]


def test_a_mail_in_a_mail_is_a_file() -> None:
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("secret words")
    mail = EmailMessage()
    mail.set_content("see this")
    mail.add_attachment(inner)
    body = read_body(mail.as_bytes())
    assert body.text == "see this"
    (file,) = body.files
    assert file.media_type == "message/rfc822"
    assert b"secret words" in file.data


def test_more_files_than_can_be_kept_are_named() -> None:
    mail = EmailMessage()
    mail.set_content("many")
    for number in range(25):
        mail.add_attachment(b"x", maintype="image", subtype="png", filename=f"{number}.png")
    body = read_body(mail.as_bytes())
    assert len(body.files) == 20
    assert body.notes == ["[more than 20 files came; the others were left out]"]


def test_html_becomes_lines_links_and_quotes() -> None:
    html = (
        "<html><head><title>no</title><style>p {x: y}</style></head><body><h1>Hello</h1>"
        "<p>One &amp; <b>two</b><br>three</p><ul><li>a</li><li>b</li></ul>"
        '<a href="https://example.org/x">here</a><script>alert("<p>")</script>'
        "<blockquote>quoted</blockquote><pre>  x\n  y</pre><!-- no --> end 1 < 2</body>"
    )
    assert html_text(html) == (
        "Hello\nOne & two\nthree\n- a\n- b\nhere (https://example.org/x)\n> quoted\n"
        "  x\n  y\nend 1 < 2"
    )


def test_an_attribute_cannot_pose_as_a_tag() -> None:
    assert html_text("<img alt='a > b' src=x>c<p title=\"</p>\">d") == "a > bc\nd"


def test_what_is_quoted_below_is_taken_apart() -> None:
    text = (
        "Yes, do.\n\nOn Tue, 3 Nov 2026 at 10:00, Hermes <h@x.y> wrote:\n> Shall I?\n>\n> Really?\n"
    )
    assert split_quoted(text) == ("Yes, do.", "Shall I?\n\nReally?")


def test_an_attribution_of_two_lines_in_another_language_goes_too() -> None:
    text = "Ja.\n\nAm Di., 3. Nov. 2026 um 10:00 Uhr schrieb Hermes\n<h@x.y>:\n> Soll ich?"
    assert split_quoted(text) == ("Ja.", "Soll ich?")


def test_a_divider_of_outlook_begins_the_quote() -> None:
    text = "Yes.\n\n-----Original Message-----\nFrom: Hermes\n\nShall I?"
    assert split_quoted(text) == ("Yes.", "From: Hermes\n\nShall I?")


def test_where_somebody_answers_between_the_lines_nothing_is_taken_out() -> None:
    text = "> Shall I?\nYes.\n> And this?\nNo."
    assert split_quoted(text) == (text, "")


def test_a_mail_that_is_only_a_quote_is_read_whole() -> None:
    assert split_quoted("> Shall I?\n> Really?") == ("> Shall I?\n> Really?", "")


def test_a_forwarded_mail_is_read_whole() -> None:
    text = "What is this?\n\n---------- Forwarded message ---------\nFrom: x\n\nBuy now"
    assert split_quoted(text) == (text, "")


def test_a_list_that_ends_in_a_colon_is_no_attribution() -> None:
    text = "My points:\n\n> one"
    assert split_quoted(text)[0] == "My points:"
