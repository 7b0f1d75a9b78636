"""Which file goes how."""

from pathlib import Path

from hermes_agent.domain.chats import Attachment, MediaKind
from hermes_agent.platforms.telegram.uploads import MAX_BYTES, MAX_PHOTO, form_of, sort


def attachment(folder: Path, kind: MediaKind, name: str, size: int = 3) -> Attachment:
    path = folder / name
    with path.open("wb") as file:
        file.truncate(size)
    return Attachment(kind=kind, path=str(path), name=name)


def test_a_file_goes_as_what_telegram_shows_it_as(tmp_path: Path) -> None:
    cases: dict[tuple[MediaKind, str], str] = {
        ("image", "a.PNG"): "photo",
        ("image", "a.gif"): "animation",
        ("image", "a.svg"): "document",
        ("voice", "a.ogg"): "voice",
        ("voice", "a.wav"): "document",
        ("audio", "a.mp3"): "audio",
        ("audio", "a.flac"): "document",
        ("video", "a.mp4"): "video",
        ("video", "a.mkv"): "document",
        ("sticker", "a.webp"): "sticker",
        ("document", "a.png"): "document",
    }
    for (kind, name), form in cases.items():
        assert form_of(attachment(tmp_path, kind, name), 3) == form, name
    assert form_of(attachment(tmp_path, "image", "b.png"), MAX_PHOTO + 1) == "document"


def test_albums_hold_at_most_ten_of_what_goes_together(tmp_path: Path) -> None:
    files = [attachment(tmp_path, "image", f"{number}.png") for number in range(12)]
    files += [attachment(tmp_path, "voice", "v.ogg"), attachment(tmp_path, "document", "d.txt")]
    groups, notes = sort(files)
    assert [len(group) for group in groups] == [10, 2, 1, 1]
    assert notes == []


def test_files_that_cannot_go_are_named_instead(tmp_path: Path) -> None:
    gone = Attachment(kind="document", path=str(tmp_path / "gone.txt"), name="gone.txt")
    large = attachment(tmp_path, "document", "large.bin", MAX_BYTES + 1)
    empty = attachment(tmp_path, "document", "empty.txt", 0)
    groups, notes = sort([gone, large, empty])
    assert groups == []
    assert [note.partition(":")[0] for note in notes] == ["[gone.txt", "[large.bin", "[empty.txt"]
