"""Files that answers name."""

import pytest

from hermes_agent.delivery.media import extract


def ok(path: str) -> bool:
    """Policy: all below /ok."""
    return path.startswith("/ok/")


def paths(text: str) -> list[str]:
    """What is sent."""
    return [attachment.path for attachment in extract(text, ok)[1]]


@pytest.mark.parametrize(
    ("text", "left", "path"),
    [
        ("Here: MEDIA:/ok/a.png.\nEnd", "Here: .\nEnd", "/ok/a.png"),
        ("Look\n\nMEDIA:/ok/a.png\n\nEnd", "Look\n\nEnd", "/ok/a.png"),
        ('MEDIA:"/ok/a b.png"', "", "/ok/a b.png"),
        ("- **MEDIA:/ok/a.png**", "", "/ok/a.png"),
        ("`MEDIA:/ok/a.png`", "", "/ok/a.png"),
        ("A ![cat](/ok/c.jpg) B", "A  B", "/ok/c.jpg"),
        ("![cat](</ok/my cat.jpg>)", "", "/ok/my cat.jpg"),
        ('![cat](/ok/c.jpg "title")', "", "/ok/c.jpg"),
        ("Done:\n/ok/my song.mp3\n", "Done:", "/ok/my song.mp3"),
        ("Done:\n`/ok/a.pdf`", "Done:", "/ok/a.pdf"),
        ("MEDIA:/ok/x/../a.png", "", "/ok/a.png"),
        ("MEDIA://ok//a.png", "", "/ok/a.png"),
    ],
)
def test_a_file_is_taken_out_of_the_text(text: str, left: str, path: str) -> None:
    found, attachments = extract(text, ok)
    assert found == left
    assert [attachment.path for attachment in attachments] == [path]


@pytest.mark.parametrize(
    "text",
    [
        "MEDIA:/etc/passwd",
        "MEDIA:/ok/../etc/passwd",
        "MEDIA:/ok",
        "![x](/etc/shadow.png)",
        "/etc/a.png",
        "MEDIA:a.png",
        "MEDIA:~/a.png",
        "MEDIA:../ok/a.png",
        "MEDIA:file:///ok/a.png",
        "![x](ok/a.png)",
        "![x](https://a.example/ok/a.png)",
        "the file /ok/a.png is there",
        "/ok/script",
        "```\nMEDIA:/ok/a.png\n```",
        "~~~\n/ok/a.png\n\n\n/ok/b.png\n~~~",
        "MEDIA:" * 5000,
        "![](" * 5000,
        "/" * 50_000,
    ],
)
def test_what_may_not_be_sent_stays_as_it_is_written(text: str) -> None:
    assert extract(text, ok) == (text, ())


def test_kinds_go_by_suffix() -> None:
    text = "\n".join(f"MEDIA:/ok/a{suffix}" for suffix in (".PNG", ".ogg", ".mp3", ".mp4", ".xyz"))
    found = [(each.kind, each.media_type, each.name) for each in extract(text, ok)[1]]
    assert found == [
        ("image", "image/png", "a.PNG"),
        ("voice", "audio/ogg", "a.ogg"),
        ("audio", "audio/mpeg", "a.mp3"),
        ("video", "video/mp4", "a.mp4"),
        ("document", "application/octet-stream", "a.xyz"),
    ]


def test_audio_is_sent_as_voice_on_request_and_the_request_is_not_shown() -> None:
    text, (attachment,) = extract("Listen [[audio_as_voice]]\nMEDIA:/ok/a.mp3", ok)
    assert (text, attachment.kind) == ("Listen ", "voice")


def test_every_file_is_sent_once_and_asked_for_once() -> None:
    asked: list[str] = []

    def note(path: str) -> bool:
        asked.append(path)
        return True

    text, attachments = extract("MEDIA:/ok/a.png and MEDIA:/ok/./a.png\n/ok/a.png", note)
    assert (text, len(attachments), asked) == (" and ", 1, ["/ok/a.png"])


def test_code_around_a_file_stays_as_it_is() -> None:
    text, attachments = extract("```\na\n\n\nb\n```\n\nMEDIA:/ok/a.png", ok)
    assert (text, len(attachments)) == ("```\na\n\n\nb\n```", 1)
