"""What a store promises of search."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hermes_agent.domain.messages import Message, Role, ToolCall
from hermes_agent.store.port import SessionStore
from hermes_agent.store.records import Session
from tests.contract.store.engines import ENGINES

TEXTS: tuple[tuple[Role, str], ...] = (
    ("user", "Please write the quarterly report about whales"),
    ("assistant", "The report about whales is written to report-final.md"),
    ("tool", "whale.txt: the whales sing at night 鲸鱼在夜里唱歌"),
    ("user", "今天天气怎么样"),
    ("assistant", "明天天气"),
    ("assistant", "ประเทศไทยสวยงาม 안녕하세요 こんにちは"),
    ("user", "Ünïcode straße naïve café"),
)


@pytest.fixture
def filled(store: SessionStore, session: str) -> SessionStore:
    store.create(Session(id="chat", source="telegram", title="Chatting"))
    for role, content in TEXTS:
        call = "c" if role == "tool" else None
        store.append(session, Message(role=role, content=content, tool_call_id=call))
    store.append("chat", Message(role="user", content="whales again, from a chat"))
    return store


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("whales", 4),
        ("WHALES report", 2),
        ('"report about"', 2),
        ('"about report"', 0),
        ("whales NOT report", 2),
        ("whales AND NOT report", 2),
        ("sing OR quarterly", 2),
        ("quart*", 1),
        ("report-final", 1),
        ("report-final.md", 1),
        ("cafe strasse", 0),
        ("cafe", 1),
        ("uarterl", 1),
        ("天气", 2),
        ("天", 2),
        ("明天天气", 1),
        ("鲸鱼", 1),
        ("唱歌", 1),
        ("ไทย", 1),
        ("하세", 1),
        ("にち", 1),
        ("天气 今天", 1),
        ("nothing-like-this", 0),
    ],
)
def test_words_phrases_operators_beginnings_and_parts_find_messages(
    filled: SessionStore, query: str, count: int
) -> None:
    assert len(filled.search(query)) == count


def test_a_hit_says_where_and_marks_the_match(filled: SessionStore) -> None:
    (hit,) = filled.search("whales", source="telegram")
    assert (hit.session_id, hit.source, hit.title) == ("chat", "telegram", "Chatting")
    assert hit.role == "user"
    assert hit.snippet == ">>>whales<<< again, from a chat"
    (hit,) = filled.search("今天")
    assert hit.snippet == ">>>今天<<<天气怎么样"


def test_a_search_is_narrowed_by_role_source_and_limit(filled: SessionStore) -> None:
    assert len(filled.search("whales", roles=("user",))) == 2
    assert len(filled.search("whales", roles=("tool", "assistant"))) == 2
    assert len(filled.search("whales", source="cli", roles=("user",))) == 1
    assert len(filled.search("whales", limit=2)) == 2
    assert len(filled.search("天气", roles=("user",))) == 1
    assert len(filled.search("天气", source="telegram")) == 0


def test_a_long_text_gives_a_short_snippet(store: SessionStore, session: str) -> None:
    store.append(session, Message(role="user", content="straw " * 5000 + "needle " + "hay " * 5000))
    store.append(session, Message(role="user", content="草" * 5000 + "针尖" + "木" * 5000))
    for query in ("needle", "针尖", "eedl"):
        (hit,) = store.search(query)
        assert ">>>" in hit.snippet and len(hit.snippet) < 600


def test_a_common_word_shows_the_newest(store: SessionStore, session: str) -> None:
    for number in range(1100):
        store.append(session, Message(role="user", content=f"common {number}"))
    assert [hit.snippet for hit in store.search("common", limit=2)] == [
        ">>>common<<< 1099",
        ">>>common<<< 1098",
    ]


def test_the_index_follows_a_replaced_result(store: SessionStore, session: str) -> None:
    call = ToolCall("c", "terminal", "{}")
    store.append(session, Message(role="assistant", tool_calls=(call,)))
    store.call_started(session, call)
    store.repair(session)
    store.append(session, Message(role="tool", content="终于 finally", tool_call_id="c"))
    assert len(store.search("finally")) == len(store.search("终于")) == 1
    assert store.search("interrupted") == ()


@pytest.mark.parametrize(
    "query",
    [
        "", " ", '"', '""', '"""', "AND", "OR NOT", "a AND", "NOT a", "AND a OR",
        "a AND NOT b", "a NOT NOT b", "*AND a", "a *OR", "NEAR", "a NEAR(b",
        "(", "a)", "col:umn", "content:whales", "-a", "a-b-c", "^a", "a*b", "*", "**", "a + b",
        "NEAR(a b)", "{a b}", "\x00", "a\x00b", "\ud800", "'; DROP TABLE messages; --", "%", "_",
        "天\x00气", '天"气', "天*", "🐳", "\u0301", "x" * 100_000, "a " * 20_000, "天" * 10_000,
    ],
)  # fmt: skip
def test_no_query_is_an_error(filled: SessionStore, query: str) -> None:
    filled.search(query)


SYNTAX = [*'ab"*^(){}:-+ 天气', "AND ", "OR ", "NOT ", "NEAR("]


@pytest.fixture(scope="module", params=ENGINES)
def searched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SessionStore]:
    store = ENGINES[request.param](tmp_path_factory.mktemp("searched"))
    store.create(Session(id="s", source="cli"))
    store.append("s", Message(role="user", content="a b ab 天气"))
    yield store
    store.close()


@settings(deadline=None, max_examples=300)
@given(pieces=st.lists(st.sampled_from(SYNTAX)))
def test_no_mixture_of_syntax_is_an_error(searched: SessionStore, pieces: list[str]) -> None:
    searched.search("".join(pieces))
