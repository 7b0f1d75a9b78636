"""From the agent to the person."""

from pathlib import Path

import pytest

from hermes_agent.domain.chats import Attachment, Button, Post
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.table import create
from tests.contract.platforms.door import RecordingDoor, until
from tests.contract.platforms.harness import Harness
from tests.contract.platforms.running import connected


def words(text: str) -> Post:
    """A post whose text is the same in every dialect."""
    return Post(text=text, plain=text)


async def test_what_it_says_it_can_do_is_what_is_tried_here(
    harness: Harness, settings: PlatformSettings
) -> None:
    platform = create(settings)
    try:
        can = platform.capabilities
        assert platform.name == settings.name
        assert can.edits == ("edits" in harness.features)
        assert can.buttons == ("buttons" in harness.features)
        assert can.reactions == ("reactions" in harness.features)
        assert bool(can.media) == ("files out" in harness.features)
        assert (can.once == "key") == ("once" in harness.features)
        assert can.window, "what can happen when the process dies after sending is said"
    finally:
        await platform.close()


@pytest.mark.needs("sees")
async def test_an_answer_is_seen_where_the_question_was_asked(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door) as platform:
        await harness.say("ping")
        (heard,) = await door.heard("ping")
        await platform.typing(heard.origin.target)
        sent = await platform.send(heard.origin.target, words("pong"), "turn-1.0")
        await until(lambda: harness.seen(), "the answer is seen")
    (seen,) = harness.seen()
    assert seen.text.strip() == "pong"
    assert seen.id in (sent, "")


@pytest.mark.needs("sees")
async def test_an_answer_may_quote_the_question(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door) as platform:
        await harness.say("ping")
        (heard,) = await door.heard("ping")
        post = Post(text="pong", plain="pong", quotes=heard.message_id)
        await platform.send(heard.origin.target, post, "turn-1.0")
        await until(lambda: harness.seen(), "the answer is seen")
    assert "pong" in harness.seen()[0].text


@pytest.mark.needs("sees")
async def test_a_text_as_long_as_it_says_is_taken_whole(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door) as platform:
        await harness.say("tell me all")
        (heard,) = await door.heard("tell me all")
        length = min(platform.capabilities.max_length, 100_000)
        text = ("word " * (length // 5 + 1))[: length - 1] + "."
        await platform.send(heard.origin.target, words(text), "turn-1.0")
        await until(lambda: harness.seen(), "the text is seen")
    (seen,) = harness.seen()
    assert seen.text.split() == text.split()


@pytest.mark.needs("sees")
async def test_astral_letters_are_counted_in_the_unit_that_it_says(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door) as platform:
        await harness.say("smile")
        (heard,) = await door.heard("smile")
        can = platform.capabilities
        size = {"characters": 1, "utf16": 2, "bytes": 4}[can.unit]
        text = "🙂" * (min(can.max_length, 20_000) // size)
        await platform.send(heard.origin.target, words(text), "turn-1.0")
        await until(lambda: harness.seen(), "the text is seen")
    assert harness.seen()[0].text.strip() == text


@pytest.mark.needs("sees", "edits")
async def test_a_message_of_ours_can_be_edited_again_and_again(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door) as platform:
        await harness.say("count")
        (heard,) = await door.heard("count")
        target = heard.origin.target
        sent = await platform.send(target, words("one"), "turn-1.0")
        await platform.edit(target, sent, words("one two"))
        await platform.edit(target, sent, words("one two three"))
        await platform.edit(target, sent, words("one two three"))
        await until(
            lambda: [each.text for each in harness.seen()] == ["one two three"], "the edit is seen"
        )


@pytest.mark.needs("sees", "once")
async def test_the_same_message_sent_twice_is_seen_once(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door) as platform:
        await harness.say("ping")
        (heard,) = await door.heard("ping")
        first = await platform.send(heard.origin.target, words("pong"), "turn-1.0")
    async with connected(settings, door) as platform:
        second = await platform.send(heard.origin.target, words("pong"), "turn-1.0")
        await platform.send(heard.origin.target, words("done"), "turn-1.1")
        await until(lambda: any(e.text.strip() == "done" for e in harness.seen()), "all is seen")
    assert first == second
    assert [each.text.strip() for each in harness.seen()] == ["pong", "done"]


@pytest.mark.needs("sees", "files out")
async def test_a_file_of_ours_arrives_whole(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor, tmp_path: Path
) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(bytes(range(256)) * 100)
    attachment = Attachment(
        kind="document",
        path=str(path),
        name="report.txt",
        media_type="text/plain",
        size=path.stat().st_size,
    )
    async with connected(settings, door) as platform:
        await harness.say("the report, please")
        (heard,) = await door.heard("the report, please")
        post = Post(text="Here it is", plain="Here it is", attachments=(attachment,))
        await platform.send(heard.origin.target, post, "turn-1.0")
        await until(lambda: any(each.files for each in harness.seen()), "the file is seen")
    (file,) = (file for each in harness.seen() for file in each.files)
    assert file.data == path.read_bytes()
    assert file.name == "report.txt"
    assert any("Here it is" in each.text for each in harness.seen())


@pytest.mark.needs("sees", "buttons")
async def test_a_pressed_button_comes_back_with_its_value_and_who_pressed_it(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    buttons = (Button("Allow", "approve:a1:once"), Button("Deny", "approve:a1:deny"))
    async with connected(settings, door) as platform:
        await harness.say("delete everything")
        (heard,) = await door.heard("delete everything")
        post = Post(text="May I?", plain="May I?", buttons=buttons)
        await platform.send(heard.origin.target, post, "turn-1.0")
        await until(lambda: harness.seen(), "the question is seen")
        assert harness.seen()[0].buttons == ("Allow", "Deny")
        await harness.press("Deny")
        await until(lambda: len(door.accepted) == 2, "the press is accepted")
    press = door.accepted[1]
    assert press.press == "approve:a1:deny"
    assert press.text == ""
    assert press.origin.user_id == harness.origin.user_id
    assert press.origin.target == heard.origin.target


@pytest.mark.needs("sees", "reactions")
async def test_a_reaction_is_set_changed_and_taken_back(
    harness: Harness, settings: PlatformSettings, door: RecordingDoor
) -> None:
    async with connected(settings, door) as platform:
        await harness.say("well done")
        (heard,) = await door.heard("well done")
        assert heard.message_id is not None
        target = heard.origin.target
        await platform.react(target, heard.message_id, "👀")
        await until(lambda: harness.reactions() == ["👀"], "the reaction is seen")
        await platform.react(target, heard.message_id, "👍")
        await until(lambda: harness.reactions() == ["👍"], "the other reaction is seen")
        await platform.react(target, heard.message_id, "")
        await until(lambda: harness.reactions() == [], "the reaction is taken back")
