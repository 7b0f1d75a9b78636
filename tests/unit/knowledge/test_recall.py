"""The way back into past conversations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.messages import Message, Role
from hermes_agent.knowledge.recall import Recall
from hermes_agent.store.opening import open_store
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def talk(
    store: SessionStore,
    name: str,
    *texts: str,
    user: str | None = None,
    parent: str | None = None,
) -> str:
    store.create(
        Session(id=name, source="telegram", user_id=user, title=name, parent_session_id=parent)
    )
    roles: tuple[Role, ...] = ("user", "assistant")
    for n, text in enumerate(texts):
        store.append(name, Message(role=roles[n % 2], content=text))
    return name


def everything(store: SessionStore, session_id: str = "") -> Recall:
    return Recall(store, session_id, lambda _: True)


def test_hits_are_grouped_by_conversation_with_their_messages(store: SessionStore) -> None:
    talk(store, "garden", "when do I plant tomatoes", "plant tomatoes in May", "tomatoes it is")
    talk(store, "kitchen", "a recipe with tomatoes", "soup")
    found = everything(store).search("tomatoes", limit=5)
    assert {each.session_id for each in found} == {"garden", "kitchen"}
    garden = next(each for each in found if each.session_id == "garden")
    assert len(garden.snippets) == 3
    assert ">>>tomatoes<<<" in garden.snippets[0].text


def test_one_can_read_on_where_a_hit_stands(store: SessionStore) -> None:
    talk(store, "long", *(f"line {n}" for n in range(30)))
    talk(store, "other", "needle here", "yes")
    (hit,) = everything(store).search("needle")
    lines = everything(store).around("other", hit.snippets[0].message_id)
    assert [line.text for line in lines] == ["needle here", "yes"]
    (deep,) = everything(store).search('"line 15"')
    around = everything(store).around("long", deep.snippets[0].message_id)
    assert [line.text for line in around] == [f"line {n}" for n in range(11, 20)]


def test_a_conversation_finds_what_it_grew_from_and_not_itself(store: SessionStore) -> None:
    talk(store, "first", "the word zebra")
    talk(store, "second", "zebra again", parent="first")
    found = everything(store, "second").search("zebra")
    assert [each.session_id for each in found] == ["first"]
    assert [snippet.text for snippet in found[0].snippets] == ["the word >>>zebra<<<"]


def test_a_continued_conversation_is_found_once(store: SessionStore) -> None:
    talk(store, "first", "the word zebra")
    talk(store, "second", "zebra again", parent="first")
    assert len(everything(store).search("zebra")) == 1
    assert len(everything(store).recent()) == 1


def test_what_others_said_is_neither_found_nor_read(store: SessionStore) -> None:
    talk(store, "mine", "my zebra", user="1")
    talk(store, "hers", "her zebra", user="2")
    recall = Recall(store, "", lambda row: row.user_id == "1")
    assert [each.session_id for each in recall.search("zebra")] == ["mine"]
    assert [each.session_id for each in recall.recent()] == ["mine"]
    with pytest.raises(NotFoundError):
        recall.around("hers")


@pytest.mark.parametrize("query", ['"', "AND", "*", "(", "a" * 5000, "\ud800", "col:x", "NEAR("])
def test_no_query_breaks_the_search(store: SessionStore, query: str) -> None:
    talk(store, "some", "words")
    assert isinstance(everything(store).search(query), tuple)


def test_the_message_that_is_asked_for_is_shown_at_length(store: SessionStore) -> None:
    talk(store, "first", "word " * 2_000)
    (said,) = [m for m in store.history("first") if m.role == "user"][:1]
    shown = {line.message_id: line.text for line in everything(store).around("first", said.id)}
    assert said.id is not None
    assert shown[said.id] == "word " * 2_000
