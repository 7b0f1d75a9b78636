"""From the person to the agent."""

from pathlib import Path

import pytest

from hermes_agent.platforms.base import PlatformSettings
from tests.contract.platforms.door import RecordingDoor, until
from tests.contract.platforms.harness import File, Harness
from tests.contract.platforms.running import connected


async def test_a_message_arrives_once_with_its_origin_and_a_key(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door):
        await harness.say("good morning")
        await harness.say("are you there?")
        first, second = await door.heard("good morning", "are you there?")
    expected = harness.origin
    for each in (first, second):
        assert each.origin.target == expected.target
        assert each.origin.chat_type == expected.chat_type
        assert each.origin.user_id == expected.user_id
        assert each.addressed
        assert each.press is None
    assert first.key
    assert first.key != second.key


async def test_letters_of_all_scripts_arrive_as_they_were_written(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    text = "Grüße, 你好, שלום, 🧑‍🚀 and <b>&amp;</b> *not* _markup_"
    async with connected(settings, door):
        await harness.say(text)
        await door.heard(text)


@pytest.mark.needs("repeats")
async def test_a_message_that_the_server_sends_twice_has_the_same_key(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door):
        await harness.say("once")
        await door.heard("once")
        await harness.repeat()
        await harness.say("after")
        await door.heard("once", "after")


@pytest.mark.needs("private")
async def test_a_strangers_message_is_not_accepted_and_does_not_come_again(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    door.admitted = False
    async with connected(settings, door):
        await harness.say("let me in")
        await until(lambda: door.asked, "the door is asked")
    assert door.attempts == []
    assert door.asked[0][0].user_id == harness.origin.user_id
    later = RecordingDoor(door.facts)
    async with connected(settings, later):
        await harness.say("let me in, please")
        await later.heard("let me in, please")


@pytest.mark.needs("private", "files in")
async def test_nothing_of_a_strangers_is_downloaded(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    door.admitted = False
    async with connected(settings, door):
        await harness.say("look", file=File("virus.txt", b"x" * 1000, "text/plain"))
        await until(lambda: door.asked, "the door is asked")
        door.admitted = True
        await harness.say("after")
        await door.heard("after")
    assert _files(settings.media_dir) == []


async def test_a_message_that_could_not_be_stored_comes_again(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    door.faults = 2
    async with connected(settings, door):
        await harness.say("keep this")
        await harness.say("and this")
        await door.heard("keep this", "and this")
    assert door.faults == 0


@pytest.mark.needs("keeps")
async def test_a_message_that_was_being_stored_when_the_process_died_comes_again(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    door.stuck = True
    async with connected(settings, door):
        await harness.say("first")
        await until(lambda: door.attempts, "the message reaches the door")
        await harness.say("second")
    later = RecordingDoor(door.facts)
    async with connected(settings, later):
        await later.heard("first", "second")
    assert later.accepted[0].key == door.attempts[0].key


@pytest.mark.needs("keeps")
async def test_a_message_that_was_accepted_does_not_come_again_after_a_restart(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door):
        await harness.say("first")
        await door.heard("first")
    async with connected(settings, door):
        await harness.say("second")
        await door.heard("first", "second")


@pytest.mark.needs("keeps")
async def test_what_was_written_while_nobody_listened_arrives_in_order(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door):
        await harness.say("before")
        await door.heard("before")
    texts = [f"message {number}" for number in range(12)]
    for text in texts:
        await harness.say(text)
    async with connected(settings, door):
        await door.heard("before", *texts)


@pytest.mark.needs("files in")
async def test_a_file_arrives_whole_under_a_name_of_our_own(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    sent = File("../../etc/evil\x00 name.txt", bytes(range(256)) * 200, "text/plain")
    async with connected(settings, door):
        await harness.say("see attached", file=sent)
        await until(lambda: door.accepted, "the message is accepted")
    (attachment,) = door.accepted[0].attachments
    assert attachment.size == len(sent.data)
    assert "see attached" in door.accepted[0].text
    _is_ours(Path(attachment.path), settings.media_dir, sent.data)


@pytest.mark.needs("groups")
async def test_in_a_group_only_what_is_said_to_us_is_addressed(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door):
        await harness.say_in_group("just chatting", mention=False)
        await harness.say_in_group("what do you think?", mention=True)
        await until(lambda: door.accepted, "the mention is accepted")
    (heard,) = door.accepted
    assert heard.text == "what do you think?"
    assert heard.origin.chat_type != "dm"
    assert heard.origin.user_id == harness.origin.user_id


def _is_ours(path: Path, folder: Path, data: bytes) -> None:
    """The file is the only one below the folder, and whole."""
    assert path.is_absolute()
    assert path.resolve().is_relative_to(folder.resolve())
    assert path.read_bytes() == data
    assert _files(folder) == [path]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
