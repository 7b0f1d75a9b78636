"""What a store promises about looking conversations through."""

import pytest

from hermes_agent.domain.errors import NotFoundError
from hermes_agent.domain.messages import Message, Usage
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import SCRIPTED, UNREVIEWED, UNREVIEWED_CHARS, Reviews


def say(store: SessionStore, session: str, *words: str) -> list[Message]:
    said: list[Message] = []
    for each in words:
        said.append(store.append(session, Message(role="user", content=each)))
        store.append(session, Message(role="assistant", content="Yes.", finish="stop"))
    return said


def left(store: SessionStore, session: str) -> list[str]:
    return [message.content for message in store.unreviewed(session)]


def test_only_what_was_said_since_the_last_review_is_left(
    store: SessionStore, session: str
) -> None:
    said = say(store, session, "one", "two", "three")
    assert left(store, session) == ["one", "two", "three"]
    store.reviewed(session, said[1].id or 0)
    assert left(store, session) == ["three"]
    store.reviewed(session, said[0].id or 0)
    assert left(store, session) == ["three"]


def test_of_many_and_long_messages_only_so_much_is_read(store: SessionStore, session: str) -> None:
    with store.together():
        for number in range(UNREVIEWED + 5):
            store.append(
                session,
                Message(role="user", content=f"{number}:" + "x" * 30_000 * (number == 1004)),
            )
    found = store.unreviewed(session)
    assert [found[0].content, found[-2].content] == ["5:", "1003:"]
    assert len(found) == UNREVIEWED
    assert len(found[-1].content) == UNREVIEWED_CHARS


def test_what_a_script_said_is_left_out_also_after_a_copy_took_its_turn(
    store: SessionStore, session: str
) -> None:
    piped = Message(role="user", content="piped", turn=f"{SCRIPTED}1")
    said = [store.append(session, piped), *say(store, session, "typed")]
    assert left(store, session) == ["typed"]
    store.succeed(session, "child", said)
    assert left(store, "child") == ["typed"]


def test_a_child_is_left_with_what_was_said_before_it_in_its_first_words(
    store: SessionStore, session: str
) -> None:
    said = say(store, session, "one", "two", "three")
    store.reviewed(session, said[0].id or 0)
    notes = Message(role="user", content="notes", summary=True)
    store.succeed(session, "child", [notes, said[2]])
    say(store, "child", "four")
    assert left(store, "child") == ["two", "three", "four"]
    store.reviewed("child", store.unreviewed("child")[-1].id or 0)
    assert left(store, "child") == []


def test_what_reviews_cost_is_counted_for_the_session_and_by_itself(
    store: SessionStore, session: str
) -> None:
    said = say(store, session, "one")
    assert store.reviews(session) == Reviews()
    store.review_asked(session, Usage(input=100, output=20))
    store.succeed(session, "child", said)
    store.review_asked("child", Usage(input=10, output=2, cost_usd=0.5))
    assert store.reviews("child") == Reviews(
        calls=2, usage=Usage(input=110, output=22, cost_usd=0.5)
    )
    assert store.get(session).input_tokens == 100
    assert left(store, "child") == ["one"]


def test_a_session_that_is_not_there_cannot_be_looked_through(store: SessionStore) -> None:
    assert store.unreviewed("nobody") == ()
    with pytest.raises(NotFoundError):
        store.reviewed("nobody", 1)
    with pytest.raises(NotFoundError):
        store.review_asked("nobody", Usage())


def test_a_deleted_session_takes_its_reviews_along(store: SessionStore, session: str) -> None:
    said = say(store, session, "one")
    store.reviewed(session, said[0].id or 0)
    store.delete(session)
    assert store.reviews(session) == Reviews()
