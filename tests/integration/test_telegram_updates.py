"""What comes in from Telegram, by long polling."""

import json
import logging
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.chats import Attachment
from hermes_agent.platforms.telegram.media import MAX_BYTES
from tests.contract.platforms.door import RecordingDoor, until
from tests.contract.platforms.running import connected
from tests.integration.telegram_place import Place, opened
from tests.servers.telegram.server import body, hang_up, truncated


@pytest.fixture
def place(tmp_path: Path) -> Generator[Place]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()


async def arrived(door: RecordingDoor, count: int) -> None:
    await until(lambda: len(door.accepted) >= count, f"{count} messages are accepted")


async def test_every_kind_of_file_is_fetched(place: Place, door: RecordingDoor) -> None:
    sent = {
        "photo": ("image", ".jpg"),
        "voice": ("voice", ".ogg"),
        "audio": ("audio", ".mp3"),
        "video": ("video", ".mp4"),
        "video_note": ("video", ".mp4"),
        "animation": ("video", ".mp4"),
        "sticker": ("sticker", ".webp"),
        "document": ("document", ".bin"),
    }
    async with connected(place.settings(), door):
        for kind in sent:
            place.world.send_file(place.alice, kind, None, kind.encode())
        await arrived(door, len(sent))
    files = [each.attachments[0] for each in door.accepted]
    assert [(file.kind, Path(file.path).suffix) for file in files] == list(sent.values())
    assert [_bytes(file) for file in files] == [kind.encode() for kind in sent]
    assert len({file.path for file in files}) == len(sent)


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/cron.d/evil",
        "..\\..\\windows\\system32",
        "a\x00b.txt\n\r\x1b[2J",
        "con.txt" + "." * 300,
        "." * 2,
        "-rf",
        "ü🙂.tar.gz",
        "x.$(id)",
        "a" * 5000 + ".txt",
    ],
)
async def test_the_senders_name_for_a_file_decides_nothing(
    place: Place, door: RecordingDoor, name: str
) -> None:
    async with connected(place.settings(), door):
        place.world.send_file(place.alice, "document", name, b"abc")
        await arrived(door, 1)
    (file,) = door.accepted[0].attachments
    path = Path(file.path)
    assert path.parent == place.settings().media_dir
    assert path.stem == "4242-10000-0"
    assert path.suffix in (".txt", ".gz", ".bin", ".d", ".system32")
    assert _mode(path) == 0o600
    assert "/" not in file.name
    assert "\\" not in file.name
    assert file.name.isprintable()
    assert len(file.name) <= 120


async def test_a_file_that_is_too_large_is_named_and_not_fetched(
    place: Place, door: RecordingDoor
) -> None:
    async with connected(place.settings(), door):
        place.world.send_file(
            place.alice, "document", "film.mkv", b"abc", caption="look", file_size=None
        )
        said = place.world.file("document", "film.mkv", b"abc") | {"file_size": 25_000_000}
        place.world.send(place.alice, document=said, caption="look")
        await arrived(door, 2)
    assert door.accepted[1].attachments == ()
    assert door.accepted[1].text == (
        "look\n[document film.mkv: too large (25 MB; at most 20 MB can be fetched)]"
    )
    assert len(place.server.called("getFile")) == 1


async def test_a_file_that_is_larger_than_it_said_is_not_kept(
    place: Place, door: RecordingDoor
) -> None:
    async with connected(place.settings(), door):
        place.server.misbehave("file", body(b"x" * (MAX_BYTES + 1)))
        place.world.send_file(place.alice, "document", "bomb.zip", b"abc")
        await arrived(door, 1)
    assert "too large" in door.accepted[0].text
    assert list(place.settings().media_dir.iterdir()) == []


async def test_a_download_that_breaks_off_is_tried_again(place: Place, door: RecordingDoor) -> None:
    async with connected(place.settings(), door):
        place.server.misbehave("file", truncated(b"ab", 3), hang_up)
        place.world.send_file(place.alice, "document", "a.txt", b"abc")
        await arrived(door, 1)
    (file,) = door.accepted[0].attachments
    assert _bytes(file) == b"abc"
    assert [each.name for each in place.settings().media_dir.iterdir()] == [Path(file.path).name]


async def test_a_message_whose_file_cannot_be_had_still_arrives(
    place: Place, door: RecordingDoor
) -> None:
    async with connected(place.settings(), door):
        place.server.misbehave("file", hang_up, hang_up, hang_up)
        place.world.send_file(place.alice, "document", "a.txt", b"abc", caption="look")
        place.server.misbehave("getFile", body(b'{"ok":true,"result":{"file_path":"/etc/passwd"}}'))
        await arrived(door, 1)
    assert door.accepted[0].text == "look\n[document a.txt: could not be fetched]"


async def test_a_message_whose_file_cannot_be_kept_comes_again(
    place: Place, door: RecordingDoor
) -> None:
    folder = place.settings().media_dir
    folder.write_text("a file where the folder is to be")
    async with connected(place.settings(), door):
        place.world.send_file(place.alice, "document", "a.txt", b"abc")
        await until(lambda: len(place.server.called("getFile")) >= 2, "it is tried again")
        assert door.attempts == []
        folder.unlink()
        await arrived(door, 1)
    assert _bytes(door.accepted[0].attachments[0]) == b"abc"


async def test_an_album_is_told_by_its_number(place: Place, door: RecordingDoor) -> None:
    async with connected(place.settings(), door):
        for number in range(2):
            place.world.send_file(
                place.alice, "photo", None, b"abc%d" % number, media_group_id="77"
            )
        await arrived(door, 2)
    assert [each.extra for each in door.accepted] == [{"media_group_id": "77"}] * 2


async def test_topics_of_a_group_are_told_apart(place: Place, door: RecordingDoor) -> None:
    group = place.world.group("Team", topics=True)
    topic = place.world.topic(group["id"], "Cooking")
    async with connected(place.settings(), door):
        place.world.say(
            place.alice, "/soup", group["id"], message_thread_id=topic, is_topic_message=True
        )
        place.world.say(place.alice, "/general", group["id"])
        await arrived(door, 2)
    threads = {each.text: each.origin.thread_id for each in door.accepted}
    assert threads == {"/soup": str(topic), "/general": None}


async def test_settings_open_a_group_to_all_that_is_said(place: Place, door: RecordingDoor) -> None:
    free, other = place.world.group("Free"), place.world.group("Other")
    async with connected(place.settings(free_response_chats=[str(free["id"])]), door):
        place.world.say(place.alice, "not for you", other["id"])
        place.world.say(place.alice, "for you", free["id"])
        await arrived(door, 1)
    assert [each.text for each in door.accepted] == ["for you"]


async def test_chats_are_taken_in_side_by_side_and_each_in_order(
    place: Place, door: RecordingDoor
) -> None:
    people = [place.world.person(f"P{number}") for number in range(20)]
    for number in range(5):
        for person in people:
            place.world.say(person, f"{number}")
    async with connected(place.settings(), door):
        await arrived(door, 100)
    for person in people:
        mine = [e.text for e in door.accepted if e.origin.user_id == str(person["id"])]
        assert mine == ["0", "1", "2", "3", "4"]


async def test_bots_do_not_talk_to_each_other(place: Place, door: RecordingDoor) -> None:
    other = place.world.person("Other") | {"is_bot": True}
    async with connected(place.settings(), door):
        place.world.say(other, "hello, colleague")
        place.world.say(place.world.me, "hello, me", place.alice["id"])
        place.world.say(place.alice, "hello")
        await door.heard("hello")
    assert len(door.asked) == 1


async def test_a_press_is_answered_also_when_it_is_not_accepted(
    place: Place, door: RecordingDoor
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    asked = place.world.message(
        place.alice["id"], place.world.me, text="May I?", reply_markup=keyboard
    )
    mallory = place.world.person("Mallory")
    door.admitted = False
    async with connected(place.settings(), door):
        place.world.press(mallory, place.alice["id"], asked["message_id"], "Yes")
        await until(lambda: all(place.world.callbacks.values()), "the press is answered")
    assert door.accepted == []
    assert door.asked[0][0].user_id == str(mallory["id"])


async def test_a_press_whose_answer_fails_is_accepted_all_the_same(
    place: Place, door: RecordingDoor
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    asked = place.world.message(
        place.alice["id"], place.world.me, text="May I?", reply_markup=keyboard
    )
    async with connected(place.settings(), door):
        place.server.misbehave("answerCallbackQuery", hang_up)
        place.world.press(place.alice, place.alice["id"], asked["message_id"], "Yes")
        place.world.say(place.alice, "and?")
        await arrived(door, 2)
    assert [(each.press, each.text) for each in door.accepted] == [("y", ""), (None, "and?")]


HOSTILE: list[Any] = [
    {"update_id": 20_000},
    {"update_id": 20_001, "message": None},
    {"update_id": 20_002, "message": {}},
    {"update_id": 20_003, "message": {"message_id": "one", "chat": {"id": 1}}},
    {"update_id": 20_004, "message": []},
    {"update_id": 20_005, "message": {"message_id": 1, "chat": {"id": 1.5}}},
    {"update_id": 20_006, "something_new": {"id": 1}},
    {"update_id": 20_007, "edited_message": {"message_id": 1, "chat": {"id": 1}, "text": "x"}},
    {"update_id": 20_008, "callback_query": {"id": "1", "from": {"id": 1}}},
    {"update_id": 20_009, "callback_query": {"id": 1}},
    {"update_id": 20_010, "my_chat_member": {"chat": {"id": 1}, "new_chat_member": {}}},
    {"update_id": 20_011, "message": {"message_id": 1, "chat": {"id": 2**70}, "text": "x"}},
    {
        "update_id": 20_012,
        "message": {
            "message_id": 1,
            "chat": {"id": 1, "type": "unheard of"},
            "from": {"id": 1, "is_bot": False, "first_name": "\u0000\u202e"},
            "text": "\ud800 half a letter",
            "entities": [{"type": "mention", "offset": 2**60, "length": 2**60}],
        },
    },
    {
        "update_id": 20_013,
        "message": {"message_id": 1, "chat": {"id": 1}, "from": {"id": 7}, "document": {}},
    },
    {"update_id": 20_014, "message": {"message_id": 1, "chat": {"id": 1}, "photo": "none"}},
]


async def test_updates_that_cannot_be_read_are_passed_over_and_not_fetched_again(
    place: Place, door: RecordingDoor
) -> None:
    for update in HOSTILE:
        place.world.push(update)
    place.world.push({"update_id": 20_100, **_message(place, "still here")})
    async with connected(place.settings(), door):
        await until(lambda: door.accepted, "the message after them is accepted")
        await until(lambda: not place.world.queue, "all are confirmed")
    assert door.accepted[-1].text == "still here"


async def test_an_update_without_a_number_blocks_nothing(
    place: Place, door: RecordingDoor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with connected(place.settings(), door):
        deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
        place.server.misbehave(
            "getUpdates",
            body(b'{"ok": true, "result": [1, "two", null, {}, {"update_id": "x"}]}'),
            body(b'{"ok": true, "result": [' + deep + b"]}"),
            body(b'{"ok": true, "result": {"not": "a list"}}'),
        )
        place.world.say(place.alice, "hello")
        await door.heard("hello")
    assert "no update" in caplog.text


async def test_numbers_out_of_order_and_twice_lose_nothing(
    place: Place, door: RecordingDoor
) -> None:
    for number in (20_005, 20_003, 20_004, 20_003):
        place.world.push({"update_id": number, **_message(place, f"{number}")})
    async with connected(place.settings(), door):
        await until(lambda: not place.world.queue, "all are confirmed")
        place.world.push({"update_id": 20_006, **_message(place, "last")})
        await door.heard("20005", "20003", "20004", "last")


async def test_an_oversized_answer_is_given_up_and_asked_for_again(
    place: Place, door: RecordingDoor
) -> None:
    async with connected(place.settings(), door):
        huge = json.dumps({"ok": True, "result": [{"update_id": 1, "x": "y" * 40_000_000}]})
        place.server.misbehave("getUpdates", body(huge.encode()))
        place.world.say(place.alice, "hello")
        await door.heard("hello")


def _bytes(file: Attachment) -> bytes:
    return Path(file.path).read_bytes()


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _message(place: Place, text: str) -> dict[str, Any]:
    chat = place.world.chats[place.alice["id"]]
    return {"message": {"message_id": 1, "chat": chat, "from": place.alice, "text": text}}
