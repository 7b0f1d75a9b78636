"""python-telegram-bot is the judge of the fake Bot API: it must work with it unchanged."""

import json
from collections.abc import AsyncGenerator, Generator
from typing import Any, cast

import pytest
import telegram
from telegram import (
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    ReplyParameters,
    Update,
)
from telegram.request import HTTPXRequest

from tests.servers.telegram import BotApi
from tests.servers.telegram.server import refusal, too_many
from tests.servers.telegram.world import Json

pytestmark = pytest.mark.usefixtures("timedelta")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture
def timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge's next way of telling durations, without a warning."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
def server() -> Generator[BotApi]:
    with BotApi() as running:
        yield running


@pytest.fixture
async def bot(server: BotApi) -> AsyncGenerator[telegram.Bot]:
    made = telegram.Bot(
        server.token, base_url=f"{server.base_url}/bot", base_file_url=f"{server.base_url}/file/bot"
    )
    async with made:
        yield made


@pytest.fixture
def alice(server: BotApi) -> Json:
    return server.world.person("Alice", username="alice")


async def test_it_knows_who_it_is(bot: telegram.Bot, server: BotApi) -> None:
    me = await bot.get_me()
    assert me.is_bot
    assert me.username == server.world.me["username"]


async def test_a_text_is_sent_edited_and_deleted(bot: telegram.Bot, alice: Json) -> None:
    sent = await bot.send_message(alice["id"], "<b>hi</b> &amp; bye", parse_mode="HTML")
    assert sent.text == "hi & bye"
    assert sent.entities[0].type == "bold"
    assert sent.parse_entity(sent.entities[0]) == "hi"
    edited = await bot.edit_message_text("changed", alice["id"], sent.message_id)
    assert isinstance(edited, telegram.Message)
    assert edited.edit_date is not None
    with pytest.raises(telegram.error.BadRequest, match="not modified"):
        await bot.edit_message_text("changed", alice["id"], sent.message_id)
    assert await bot.delete_message(alice["id"], sent.message_id)
    with pytest.raises(telegram.error.BadRequest, match="to edit not found"):
        await bot.edit_message_text("again", alice["id"], sent.message_id)


@pytest.mark.parametrize(
    ("source", "refusal_text"),
    [
        ("<b>open", "Can't find end tag"),
        ("</b>", "Unmatched end tag"),
        ("<script>x</script>", "Unsupported start tag"),
        ("a < b", "Unsupported start tag"),
    ],
)
async def test_broken_markup_is_refused(
    bot: telegram.Bot, alice: Json, source: str, refusal_text: str
) -> None:
    with pytest.raises(telegram.error.BadRequest, match=f"(?i){refusal_text}"):
        await bot.send_message(alice["id"], source, parse_mode="HTML")


async def test_too_long_and_empty_texts_are_refused(bot: telegram.Bot, alice: Json) -> None:
    await bot.send_message(alice["id"], "🙂" * 2048)
    with pytest.raises(telegram.error.BadRequest, match="too long"):
        await bot.send_message(alice["id"], "🙂" * 2048 + "x")
    with pytest.raises(telegram.error.BadRequest, match="empty"):
        await bot.send_message(alice["id"], " \n ")


async def test_an_answer_quotes_in_a_topic(bot: telegram.Bot, server: BotApi, alice: Json) -> None:
    group = server.world.group("Team", topics=True)
    topic = server.world.topic(group["id"], "Cooking")
    said = server.world.say(
        alice, "hello", group["id"], message_thread_id=topic, is_topic_message=True
    )
    sent = await bot.send_message(
        group["id"],
        "there",
        message_thread_id=topic,
        reply_parameters=ReplyParameters(said["message"]["message_id"]),
    )
    assert sent.is_topic_message
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "hello"
    with pytest.raises(telegram.error.BadRequest, match="thread not found"):
        await bot.send_message(group["id"], "there", message_thread_id=topic + 999)


async def test_updates_of_all_kinds_are_read(
    bot: telegram.Bot, server: BotApi, alice: Json
) -> None:
    world = server.world
    group = world.group("Team")
    channel = world.group("News", kind="channel")
    sent = await bot.send_message(
        alice["id"],
        "May I?",
        reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y:1")]]),
    )
    made: list[Json] = [
        world.say(alice, "/start now"),
        world.say(alice, f"hey @{world.me['username']} 🙂", group["id"]),
        world.say(alice, "news", channel["id"]),
        world.press(alice, alice["id"], sent.message_id, "Yes"),
        *(
            world.send_file(alice, kind, "a.bin", b"abc", caption="see")
            for kind in ("photo", "document", "voice", "audio", "video", "animation")
        ),
        world.send_file(alice, "video_note", None, b"abc"),
        world.send_file(alice, "sticker", None, b"abc"),
        world.send(alice, location={"latitude": 52.5, "longitude": 13.4}),
        world.send(alice, contact={"phone_number": "+49", "first_name": "Bob"}),
    ]
    updates = await bot.get_updates(timeout=1)
    assert [each.update_id for each in updates] == [each["update_id"] for each in made]
    for each, source in zip(updates, made, strict=True):
        _covers(json.loads(each.to_json()), source)
    message = updates[1].message
    assert message is not None
    assert list(message.parse_entities()) == list(message.entities)
    assert list(message.parse_entities().values()) == [f"@{world.me['username']}"]
    assert await bot.get_updates(offset=updates[-1].update_id + 1) == ()


async def test_a_press_is_answered(bot: telegram.Bot, server: BotApi, alice: Json) -> None:
    sent = await bot.send_message(
        alice["id"],
        "May I?",
        reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y:1")]]),
    )
    server.world.press(alice, alice["id"], sent.message_id, "Yes")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "y:1"
    assert await update.callback_query.answer()
    with pytest.raises(telegram.error.BadRequest, match="too old"):
        await bot.answer_callback_query("nonsense")


async def test_files_go_and_come(bot: telegram.Bot, server: BotApi, alice: Json) -> None:
    assert (await bot.send_photo(alice["id"], PNG, caption="look")).caption == "look"
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)image_process_failed"):
        await bot.send_photo(alice["id"], b"no image")
    document = await bot.send_document(alice["id"], b"a,b", filename="t.csv")
    assert document.document is not None
    assert document.document.file_name == "t.csv"
    assert (await bot.send_voice(alice["id"], b"OggS")).voice is not None
    album = await bot.send_media_group(
        alice["id"],
        [
            InputMediaDocument(b"one", filename="1.txt", caption="two files"),
            InputMediaDocument(b"two", filename="2.txt"),
        ],
    )
    assert [each.caption for each in album] == ["two files", None]
    assert album[0].media_group_id == album[1].media_group_id
    server.world.send_file(alice, "document", "x.txt", b"contents")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.document is not None
    file = await update.message.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"contents"


async def test_reactions_actions_and_commands(
    bot: telegram.Bot, server: BotApi, alice: Json
) -> None:
    said = server.world.say(alice, "well done")["message"]["message_id"]
    assert await bot.set_message_reaction(alice["id"], said, "👍")
    assert server.world.reactions[alice["id"], said] == ["👍"]
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)reaction_invalid"):
        await bot.set_message_reaction(alice["id"], said, "✅")
    assert await bot.set_message_reaction(alice["id"], said)
    assert server.world.reactions[alice["id"], said] == []
    assert await bot.send_chat_action(alice["id"], "typing")
    assert await bot.set_my_commands([BotCommand("stop", "End the turn")])
    assert await bot.get_my_commands() == (BotCommand("stop", "End the turn"),)


async def test_refusals_are_what_it_knows(bot: telegram.Bot, server: BotApi, alice: Json) -> None:
    with pytest.raises(telegram.error.BadRequest, match="Chat not found"):
        await bot.send_message(99, "hello")
    server.world.blocked.add(alice["id"])
    with pytest.raises(telegram.error.Forbidden, match="blocked"):
        await bot.send_message(alice["id"], "hello")
    group = server.world.group("Old", kind="group")
    server.world.moved[group["id"]] = -1_009
    with pytest.raises(telegram.error.ChatMigrated) as moved:
        await bot.send_message(group["id"], "hello")
    assert moved.value.new_chat_id == -1_009
    server.misbehave("sendMessage", too_many(7))
    with pytest.raises(telegram.error.RetryAfter):
        await bot.send_message(alice["id"], "hello")
    server.misbehave("getUpdates", refusal(409, "Conflict: terminated by other"))
    with pytest.raises(telegram.error.Conflict):
        await bot.get_updates()
    async with HTTPXRequest() as one, HTTPXRequest() as other:
        stranger = telegram.Bot(
            "1:AAwrong-token",
            base_url=f"{server.base_url}/bot",
            request=one,
            get_updates_request=other,
        )
        with pytest.raises(telegram.error.InvalidToken):
            await stranger.initialize()


async def test_polling_and_webhook_exclude_each_other(bot: telegram.Bot, server: BotApi) -> None:
    assert await bot.set_webhook("http://127.0.0.1:9/hook", secret_token="s3cret")
    info = await bot.get_webhook_info()
    assert info.url == "http://127.0.0.1:9/hook"
    with pytest.raises(telegram.error.Conflict, match="webhook is active"):
        await bot.get_updates()
    assert await bot.delete_webhook()
    assert await bot.get_updates() == ()


def _covers(parsed: Any, source: Any, path: str = "") -> None:
    """Everything that the server sent was understood: nothing of it is lost or otherwise."""
    if isinstance(source, dict):
        for key, value in cast("dict[str, Any]", source).items():
            assert key in parsed, f"{path}.{key}"
            _covers(parsed[key], value, f"{path}.{key}")
    elif isinstance(source, list):
        values = cast("list[Any]", source)
        assert len(parsed) == len(values), path
        for number, (one, other) in enumerate(zip(parsed, values, strict=True)):
            _covers(one, other, f"{path}[{number}]")
    else:
        assert parsed == source, path


def test_an_update_that_the_judge_does_not_know_is_told_from_one_that_it_does() -> None:
    with pytest.raises(AssertionError, match="unknown_field"):
        _covers(json.loads(Update(1).to_json()), {"update_id": 1, "unknown_field": 1})
