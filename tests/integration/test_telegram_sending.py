"""What people see of what is sent to Telegram."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from hermes_agent.domain.chats import Attachment, Button, MediaKind, Post, Target
from hermes_agent.platforms.base import (
    MessageGone,
    Platform,
    PlatformDown,
    PlatformRefused,
    SendRefused,
)
from hermes_agent.platforms.table import create
from tests.integration.telegram_place import Place, opened
from tests.servers.telegram.server import body, hang_up, refusal, too_many

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
async def bot(place: Place) -> AsyncGenerator[Platform]:
    platform = create(place.settings())
    yield platform
    await platform.close()


def words(text: str, plain: str | None = None) -> Post:
    return Post(text=text, plain=text if plain is None else plain)


def attachment(folder: Path, kind: MediaKind, name: str, data: bytes) -> Attachment:
    path = folder / name
    path.write_bytes(data)
    return Attachment(kind=kind, path=str(path), name=name, size=len(data))


async def test_markup_is_shown_as_markup(place: Place, bot: Platform) -> None:
    sent = await bot.send(place.here, words("<b>bold</b> &lt;tag&gt;", "bold <tag>"), "t.0")
    (seen,) = place.seen()
    assert str(seen["message_id"]) == sent
    assert seen["text"] == "bold <tag>"
    assert [each["type"] for each in seen["entities"]] == ["bold"]


async def test_markup_that_telegram_cannot_read_goes_as_plain_text(
    place: Place, bot: Platform
) -> None:
    post = words("<b>never closed", "never closed")
    sent = await bot.send(place.here, post, "t.0")
    await bot.edit(place.here, sent, words("<i>still not", "still not"))
    assert [each["text"] for each in place.seen()] == ["still not"]


async def test_answers_go_to_the_topic_that_was_asked_in(place: Place, bot: Platform) -> None:
    group = place.world.group("Team", topics=True)
    topic = place.world.topic(group["id"], "Cooking")
    target = Target(platform="telegram", chat_id=str(group["id"]), thread_id=str(topic))
    await bot.typing(target)
    await bot.send(target, words("soup"), "t.0")
    (seen,) = place.world.seen(group["id"])
    assert seen["message_thread_id"] == topic
    assert place.world.actions == [(group["id"], "typing")]


async def test_the_question_is_quoted_unless_that_is_off_and_may_be_gone(
    place: Place, bot: Platform
) -> None:
    asked = place.world.say(place.alice, "why?")["message"]["message_id"]
    await bot.send(place.here, Post(plain="so", quotes=str(asked)), "t.0")
    await bot.send(place.here, Post(plain="gone", quotes="999999"), "t.1")
    quiet = create(place.settings(reply_to="off"))
    await quiet.send(place.here, Post(plain="bare", quotes=str(asked)), "t.2")
    await quiet.close()
    quoted = [each.get("reply_to_message", {}).get("text") for each in place.seen()]
    assert quoted == ["why?", None, None]


async def test_link_previews_can_be_off(place: Place) -> None:
    platform = create(place.settings(link_previews=False))
    await platform.send(place.here, words("see https://example.org"), "t.0")
    await platform.close()
    assert place.seen()[0]["link_preview_options"] == {"is_disabled": True}


async def test_buttons_stand_below_a_question_until_it_is_edited(
    place: Place, bot: Platform
) -> None:
    post = Post(text="May I?", plain="May I?", buttons=(Button("Yes" * 100, "a" * 64),))
    sent = await bot.send(place.here, post, "t.0")
    assert place.seen()[0]["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "a" * 64
    await bot.edit(place.here, sent, words("Allowed."))
    assert "reply_markup" not in place.seen()[0]


async def test_an_edit_of_what_was_deleted_says_so(place: Place, bot: Platform) -> None:
    sent = await bot.send(place.here, words("one"), "t.0")
    place.world.messages[place.alice["id"]].clear()
    for message_id in (sent, "0", "not a number", "-5"):
        with pytest.raises(MessageGone):
            await bot.edit(place.here, message_id, words("two"))


@pytest.mark.parametrize("thread", [None, "", "not a number"])
async def test_places_that_are_not_there_refuse_for_ever(
    place: Place, bot: Platform, thread: str | None
) -> None:
    for chat in ("99", "@nobody", "", "1; DROP", "9" * 30):
        with pytest.raises(SendRefused):
            await bot.send(
                Target(platform="telegram", chat_id=chat, thread_id=thread), words("x"), "t.0"
            )


async def test_who_blocked_us_is_not_written_to_again(place: Place, bot: Platform) -> None:
    place.world.blocked.add(place.alice["id"])
    with pytest.raises(SendRefused, match="blocked"):
        await bot.send(place.here, words("x"), "t.0")
    await bot.typing(place.here)


async def test_a_group_that_moved_is_followed(place: Place, bot: Platform) -> None:
    old = place.world.group("Old", kind="group")
    new = place.world.group("New")
    place.world.moved[old["id"]] = new["id"]
    target = Target(platform="telegram", chat_id=str(old["id"]))
    for number in range(2):
        await bot.send(target, words(f"hello {number}"), f"t.{number}")
    assert [each["text"] for each in place.world.seen(new["id"])] == ["hello 0", "hello 1"]
    assert len(place.server.called("sendMessage")) == 3


async def test_the_flood_limit_names_its_time(place: Place, bot: Platform) -> None:
    place.server.misbehave("sendMessage", too_many(17))
    with pytest.raises(PlatformDown) as limited:
        await bot.send(place.here, words("x"), "t.0")
    assert limited.value.retry_after == 17


async def test_answers_that_are_none_mean_that_telegram_is_down(
    place: Place, bot: Platform
) -> None:
    page = b"<html>502 Bad Gateway</html>"
    place.server.misbehave(
        "sendMessage",
        body(page, 502, "text/html"),
        body(b""),
        body(b"{"),
        body(b'{"ok": true}'),
        body(b'{"ok": true, "result": {"message_id": "one"}}'),
        body(b"[1, 2]"),
        body(b"\xff\xfe"),
        body(b"[" * 100_000),
        refusal(500, "Internal Server Error"),
        hang_up,
    )
    for _ in range(10):
        with pytest.raises(PlatformDown):
            await bot.send(place.here, words("x"), "t.0")
    assert await bot.send(place.here, words("x"), "t.0")


async def test_a_page_that_repeats_the_url_does_not_bring_the_token_into_an_error(
    place: Place, bot: Platform
) -> None:
    token = place.server.token
    secret = token.partition(":")[2]
    page = f"Cannot POST /bot{token.replace(':', '%3A')}/sendMessage".encode()
    place.server.misbehave(
        "sendMessage", body(page, 404, "text/html"), refusal(400, f"bad path /bot{token}/x")
    )
    for expected in (PlatformDown, SendRefused):
        with pytest.raises(expected) as error:
            await bot.send(place.here, words("x"), "t.0")
        assert secret not in str(error.value)
        assert "***" in str(error.value)


async def test_a_token_that_was_taken_back_is_named(place: Place, bot: Platform) -> None:
    place.server.token = "1:AAanother"
    with pytest.raises(PlatformRefused) as refused:
        await bot.send(place.here, words("x"), "t.0")
    assert "TELEGRAM_BOT_TOKEN" in (refused.value.hint or "")


async def test_every_kind_of_file_goes_as_what_it_is(
    place: Place, bot: Platform, tmp_path: Path
) -> None:
    kinds: list[tuple[MediaKind, str, str]] = [
        ("image", "a.png", "photo"),
        ("voice", "a.ogg", "voice"),
        ("audio", "a.mp3", "audio"),
        ("video", "a.mp4", "video"),
        ("document", 'ü "quoted"\r\nname.pdf', "document"),
    ]
    for number, (kind, name, _) in enumerate(kinds):
        file = attachment(tmp_path, kind, f"{number}-{Path(name).name}", PNG)
        await bot.send(place.here, Post(plain="see", attachments=(file,)), f"t.{number}")
    seen = place.seen()
    assert [place.world.data(each)[0][0] for each in seen] == [form for *_, form in kinds]
    assert all(place.world.data(each)[0][2] == PNG for each in seen)
    assert all(each["caption"] == "see" for each in seen)
    assert "\n" not in place.world.data(seen[-1])[0][1]


async def test_neither_name_nor_type_of_a_file_can_write_headers(
    place: Place, bot: Platform, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    file = Attachment(
        kind="document",
        path=str(tmp_path / "a"),
        name='x"\r\ncontent-disposition: form-data; name="chat_id"\r\n\r\n99',
        media_type='text/plain\r\ncontent-disposition: form-data; name="chat_id"\r\n\r\n99',
    )
    await bot.send(place.here, Post(plain="look", attachments=(file,)), "t.0")
    (seen,) = place.seen()
    assert place.world.data(seen)[0][2] == b"abc"


async def test_several_photos_are_one_album_and_the_text_is_its_caption(
    place: Place, bot: Platform, tmp_path: Path
) -> None:
    files = tuple(attachment(tmp_path, "image", f"{n}.png", PNG + bytes([n])) for n in range(3))
    post = Post(text="<b>three</b>", plain="three", attachments=files)
    sent = await bot.send(place.here, post, "t.0")
    seen = place.seen()
    assert [each.get("caption") for each in seen] == ["three", None, None]
    assert len({each["media_group_id"] for each in seen}) == 1
    assert sent == str(seen[-1]["message_id"])


async def test_a_picture_that_telegram_cannot_show_goes_as_a_document(
    place: Place, bot: Platform, tmp_path: Path
) -> None:
    file = attachment(tmp_path, "image", "broken.png", b"no picture")
    await bot.send(place.here, Post(plain="look", attachments=(file,)), "t.0")
    (seen,) = place.seen()
    assert place.world.data(seen) == [("document", "broken.png", b"no picture")]
    assert seen["caption"] == "look"


async def test_a_long_text_goes_before_its_file_and_a_short_one_with_it(
    place: Place, bot: Platform, tmp_path: Path
) -> None:
    file = attachment(tmp_path, "document", "a.txt", b"abc")
    await bot.send(place.here, Post(plain="x" * 1025, attachments=(file,)), "t.0")
    await bot.send(place.here, Post(plain="x" * 1024, attachments=(file,)), "t.1")
    shapes = [("text" in each, "document" in each, "caption" in each) for each in place.seen()]
    assert shapes == [(True, False, False), (False, True, False), (False, True, True)]


async def test_files_that_cannot_go_are_named_and_the_text_still_goes(
    place: Place, bot: Platform, tmp_path: Path
) -> None:
    gone = Attachment(kind="document", path=str(tmp_path / "gone.txt"), name="gone <b>.txt")
    await bot.send(place.here, Post(text="x" * 4096, plain="", attachments=(gone,)), "t.0")
    assert [each["text"][:9] for each in place.seen()] == ["x" * 9, "[gone <b>"]


async def test_what_was_sent_of_a_post_is_not_sent_again_when_the_rest_is_tried_again(
    place: Place, bot: Platform, tmp_path: Path
) -> None:
    file = attachment(tmp_path, "document", "a.txt", b"abc")
    post = Post(plain="x" * 2000, attachments=(file,))
    place.server.misbehave("sendDocument", too_many(1))
    with pytest.raises(PlatformDown):
        await bot.send(place.here, post, "t.0")
    await bot.send(place.here, post, "t.0")
    assert ["text" in each for each in place.seen()] == [True, False]


async def test_a_reaction_that_telegram_has_not_is_replaced_or_refused(
    place: Place, bot: Platform
) -> None:
    asked = place.world.say(place.alice, "why?")["message"]["message_id"]
    await bot.react(place.here, str(asked), "✅")
    assert place.world.reactions[place.alice["id"], asked] == ["👍"]
    for message_id, emoji in ((str(asked), "🦑"), ("999999", "👍"), ("x", "👍")):
        with pytest.raises(SendRefused):
            await bot.react(place.here, message_id, emoji)
