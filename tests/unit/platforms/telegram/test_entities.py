"""Entities are cut by UTF-16 offsets, which may be anything."""

from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.platforms.telegram.entities import Text, command, mentions
from hermes_agent.platforms.telegram.wire import Entity, User

BOT = "hermes_test_bot"


def mention(text: str, offset: int, length: int, kind: str = "mention") -> list[tuple[int, int]]:
    return mentions(Text(text), [Entity(kind, offset, length)], BOT, 42)


def test_a_mention_after_astral_letters_is_found_at_its_utf16_offset() -> None:
    text = f"🙂🙂 @{BOT} hello"
    assert mention(text, 5, 16) == [(5, 21)]
    assert Text(text).without([(5, 21)]) == "🙂🙂 hello"


def test_a_mention_of_somebody_else_is_not_ours() -> None:
    assert mention("@hermes_test_bot2 hello", 0, 17) == []
    assert mention(f"@{BOT}", 0, 5) == []


def test_a_name_in_capitals_is_ours() -> None:
    assert mention("@Hermes_Test_BOT hi", 0, 16) == [(0, 16)]


def test_a_mention_without_a_username_counts_by_its_id() -> None:
    text = Text("Hermes, hello")
    ours = Entity("text_mention", 0, 6, User(42))
    theirs = Entity("text_mention", 0, 6, User(43))
    assert mentions(text, [ours], BOT, 42) == [(0, 6)]
    assert mentions(text, [theirs], BOT, 42) == []


def test_offsets_beyond_the_text_name_nobody() -> None:
    for offset, length in ((0, 1000), (-5, 16), (1000, 1), (0, 0), (3, -3), (2**40, 2**40)):
        assert mention(f"@{BOT}", offset, length) == []


def test_what_is_left_of_a_text_has_no_gap_where_our_name_was() -> None:
    cases = {
        (f"@{BOT}, what now?", 0): "what now?",
        (f"hey @{BOT} what now?", 4): "hey what now?",
        (f"what now @{BOT}", 9): "what now",
        (f"what now, @{BOT}?", 10): "what now, ?",
        (f"@{BOT}", 0): "",
        (f"one\n@{BOT} two", 4): "one\ntwo",
    }
    for (text, offset), expected in cases.items():
        assert Text(text).without([(offset, offset + 16)]) == expected


def test_a_command_is_ours_unless_it_names_another_bot() -> None:
    cases = {
        "/stop": (True, None),
        f"/stop@{BOT}": (True, (5, 21)),
        "/stop@other_bot": (False, None),
        "/stop@HERMES_test_bot": (True, (5, 21)),
    }
    for text, expected in cases.items():
        entity = Entity("bot_command", 0, len(text))
        assert command(Text(f"{text} now"), [entity], BOT) == expected


def test_a_path_in_the_middle_of_a_text_is_no_command() -> None:
    assert command(Text("see /etc"), [Entity("bot_command", 4, 4)], BOT) == (False, None)


@given(
    text=st.text(max_size=40),
    entities=st.lists(
        st.builds(
            Entity,
            type=st.sampled_from(("mention", "bot_command", "text_mention", "bold")),
            offset=st.integers(-5, 60),
            length=st.integers(-5, 60),
            user=st.none() | st.just(User(42)),
        ),
        max_size=6,
    ),
)
def test_no_entities_harm_a_text(text: str, entities: list[Entity]) -> None:
    cut = Text(text)
    found = mentions(cut, entities, BOT, 42)
    left = cut.without(found)
    command(cut, entities, BOT)
    assert len(left) <= len(text) * 2
    if not found:
        assert left == text.strip()
