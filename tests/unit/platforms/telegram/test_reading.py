"""Who said what where, and whether it was meant for us."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hermes_agent.config.secret import Secret
from hermes_agent.platforms.telegram.configuration import Configuration
from hermes_agent.platforms.telegram.reading import Heard, Reader
from hermes_agent.platforms.telegram.wire import CallbackQuery, Me, Message

ME = Me(42, "hermes_test_bot")
ALICE = {"id": 1001, "is_bot": False, "first_name": "Alice", "last_name": "Smith"}
TEAM = {"id": -100, "type": "supergroup", "title": "Team"}


def reader(**settings: Any) -> Reader:
    return Reader(ME, Configuration(token=Secret("1:x"), media_dir=Path("/nowhere"), **settings))


def message(**fields: Any) -> Message:
    given = {"message_id": 7, "date": 1, "chat": TEAM, "from": ALICE, **fields}
    return msgspec.convert(given, Message)


def heard(using: Reader | None = None, **fields: Any) -> Heard:
    found = (using or reader()).message(message(**fields))
    assert found is not None
    return found


def test_a_private_message_is_always_for_us() -> None:
    found = heard(chat={"id": 1001, "type": "private", "first_name": "Alice"}, text="hello")
    assert found.addressed
    assert found.origin.chat_type == "dm"
    assert (found.origin.user_id, found.origin.user_name) == ("1001", "Alice Smith")
    assert found.origin.thread_id is None


def test_group_chatter_is_for_us_only_when_it_says_so() -> None:
    at = [{"type": "mention", "offset": 0, "length": 16}]
    order = [{"type": "bot_command", "offset": 0, "length": 5}]
    assert not heard(text="hello").addressed
    assert not heard(text="@hermes_test_bot hello").addressed
    assert heard(text="@hermes_test_bot hello", entities=at).addressed
    assert heard(text="/stop", entities=order).addressed
    ours = message(**{"from": {"id": 42, "is_bot": True}, "text": "I said"})
    assert heard(text="why?", reply_to_message=msgspec.to_builtins(ours)).addressed
    theirs = message(text="Bob said")
    assert not heard(text="why?", reply_to_message=msgspec.to_builtins(theirs)).addressed


def test_a_mention_in_a_caption_counts() -> None:
    found = heard(
        photo=[{"file_id": "a", "width": 1, "height": 1}],
        caption="@hermes_test_bot what is this?",
        caption_entities=[{"type": "mention", "offset": 0, "length": 16}],
    )
    assert found.addressed
    assert found.text == "what is this?"


def test_settings_can_make_every_message_of_a_group_ours() -> None:
    assert heard(reader(require_mention=False), text="hello").addressed
    assert heard(reader(free_chats=frozenset(("-100",))), text="hello").addressed
    assert not heard(reader(free_chats=frozenset(("-101",))), text="hello").addressed


def test_a_message_in_a_topic_has_its_thread_and_a_mere_reply_has_none() -> None:
    assert heard(text="x", message_thread_id=5, is_topic_message=True).origin.thread_id == "5"
    assert heard(text="x", message_thread_id=5).origin.thread_id is None


def test_the_message_that_made_a_topic_is_neither_quoted_nor_an_answer_to_us() -> None:
    made = {
        "message_id": 5,
        "chat": TEAM,
        "from": {"id": 42, "is_bot": True},
        "forum_topic_created": {"name": "Cooking", "icon_color": 1},
    }
    found = heard(text="x", message_thread_id=5, is_topic_message=True, reply_to_message=made)
    assert not found.addressed
    assert found.quoted == ""


def test_the_quoted_part_is_preferred_to_the_whole_message() -> None:
    replied = {"message_id": 5, "chat": TEAM, "from": ALICE, "text": "a long story"}
    assert heard(text="why?", reply_to_message=replied).quoted == "a long story"
    assert heard(text="why?", reply_to_message=replied, quote={"text": "long"}).quoted == "long"


def test_a_forwarded_command_is_not_the_senders_own() -> None:
    found = heard(
        text="/stop",
        entities=[{"type": "bot_command", "offset": 0, "length": 5}],
        forward_origin={"type": "user", "date": 1, "sender_user": ALICE},
    )
    assert found.text == "[forwarded from Alice Smith]\n/stop"
    assert not found.addressed


@pytest.mark.parametrize(
    "fields",
    [
        {"from": {"id": 42, "is_bot": True}, "text": "our own"},
        {"from": {"id": 43, "is_bot": True}, "text": "another bot"},
        {"from": None, "text": "nobody"},
        {"new_chat_members": [ALICE]},
        {"pinned_message": {"message_id": 1}},
    ],
)
def test_bots_and_service_messages_say_nothing(fields: dict[str, Any]) -> None:
    assert reader().message(message(**fields)) is None


def test_who_speaks_as_a_chat_is_known_by_the_chats_id() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    fields: dict[str, Any] = {"from": anonymous, "sender_chat": TEAM, "text": "I am an admin"}
    found = heard(**fields)
    assert found.origin.user_id == "-100"
    news = {"id": -200, "type": "channel", "title": "News"}
    fields = {"from": None, "chat": news, "sender_chat": news, "text": "news"}
    posted = heard(**fields)
    assert (posted.origin.chat_type, posted.origin.user_id) == ("channel", "-200")


def test_what_has_no_file_becomes_a_line_of_text() -> None:
    assert heard(location={"latitude": 52.5, "longitude": 13.4}).text == "[location: 52.5, 13.4]"
    contact = {"first_name": "Bob", "phone_number": "+491"}
    assert heard(contact=contact).text == "[contact: Bob, +491]"
    poll = {"question": "Tea?", "options": [{"text": "yes"}, {"text": "no"}]}
    assert heard(poll=poll).text == "[poll: Tea? | yes | no]"
    assert heard(dice={"emoji": "🎲", "value": 6}).text == "[🎲 6]"


def test_the_largest_photo_is_wanted_and_an_animation_only_once() -> None:
    photo = [
        {"file_id": "small", "width": 90, "height": 90},
        {"file_id": "large", "width": 900, "height": 900},
        {"file_id": "middle", "width": 300, "height": 300},
    ]
    assert [each.file.file_id for each in heard(photo=photo).wanted] == ["large"]
    moving = {"file_id": "m", "mime_type": "video/mp4"}
    assert [each.word for each in heard(animation=moving, document=moving).wanted] == ["animation"]


def test_a_media_type_that_is_none_is_replaced() -> None:
    types = ("text/plain", "text/plain\r\nX-Evil: 1", "", "nonsense", "a/" + "b" * 1000)
    found = [
        heard(document={"file_id": "a", "mime_type": each}).wanted[0].media_type for each in types
    ]
    assert found == ["text/plain", *["application/octet-stream"] * 4]


def test_the_album_of_a_photo_is_told() -> None:
    photo = [{"file_id": "a"}]
    assert heard(photo=photo, media_group_id="77").extra == {"media_group_id": "77"}


def test_a_press_comes_from_who_pressed_and_not_from_who_was_asked() -> None:
    query = {
        "id": "1",
        "from": {"id": 1002, "first_name": "Mallory"},
        "data": "approve",
        "message": {"message_id": 5, "chat": TEAM, "from": {"id": 42, "is_bot": True}},
    }
    origin = reader().press(msgspec.convert(query, CallbackQuery))
    assert origin is not None
    assert (origin.user_id, origin.chat_id) == ("1002", "-100")
    without_message = {key: value for key, value in query.items() if key != "message"}
    assert reader().press(msgspec.convert(without_message, CallbackQuery)) is None
