"""The vendors' clients understand every answer of the scripted server."""

import pytest

from tests.contract.servers.oracles import Oracle
from tests.servers.model import ModelServer
from tests.servers.script import SIGNATURE, Call, Fault, Quirk, Reply, Usage

UNREAD = {
    ("anthropic", "bom"),
    ("gemini", "bom"),
    ("gemini", "comments"),
    ("gemini", "no-space"),
    ("gemini", "split-data"),
}


def test_text_arrives_as_it_was_said(server: ModelServer, oracle: Oracle) -> None:
    text = 'Grüße, 世界 🌍 "quoted" \\ \x00 and\nlines ' * 5
    server.say(Reply(text=text))
    heard = oracle.ask()
    assert heard.text == text
    assert heard.finish == oracle.finishes["stop"]
    assert server.requests[0].dialect == oracle.dialect
    assert server.requests[0].stream is oracle.streams


def test_unicode_line_separators_are_sent_raw(server: ModelServer, oracle: Oracle) -> None:
    if oracle.dialect == "gemini" and oracle.streams:
        pytest.skip("google-genai takes U+2028 and U+0085 for ends of lines")
    server.say(Reply(text="a\u2028b\u2029c\u0085d\x0be"))
    assert oracle.ask().text == "a\u2028b\u2029c\u0085d\x0be"


def test_chunks_decide_how_the_text_is_cut(server: ModelServer, oracle: Oracle) -> None:
    server.say(Reply(chunks=["one ", "two ", "three"]))
    heard = oracle.ask()
    assert heard.text == "one two three"
    if oracle.streams:
        assert heard.text_pieces == 3


def test_reasoning_comes_apart_from_the_text(server: ModelServer, oracle: Oracle) -> None:
    server.say(Reply(text="42", reasoning="Six times seven, which takes a while to work out."))
    heard = oracle.ask()
    assert heard.text == "42"
    assert heard.reasoning == "Six times seven, which takes a while to work out."
    if oracle.dialect in ("responses", "anthropic"):
        assert heard.signature == SIGNATURE


def test_a_tool_call_has_its_name_and_arguments(server: ModelServer, oracle: Oracle) -> None:
    arguments = {"command": "printf 'ä\\n' | sort", "nested": {"list": [1, 2.5, None, True]}}
    server.say(Reply(text="I look", calls=[Call("terminal", arguments)], argument_chunks=3))
    heard = oracle.ask()
    assert heard.text == "I look"
    assert [(name, given) for _, name, given in heard.calls] == [("terminal", arguments)]
    assert heard.finish == oracle.finishes["tool_calls"]


def test_parallel_calls_keep_their_order_and_ids(server: ModelServer, oracle: Oracle) -> None:
    calls = [Call("terminal", {"command": f"echo {n}"}, id=f"id-{n}") for n in range(4)]
    server.say(Reply(calls=calls))
    heard = oracle.ask()
    assert heard.calls == [(f"id-{n}", "terminal", {"command": f"echo {n}"}) for n in range(4)]


def test_ids_are_fresh_where_the_script_gives_none(server: ModelServer, oracle: Oracle) -> None:
    server.always(Reply(calls=[Call("a"), Call("b")]))
    ids = [call[0] for call in (*oracle.ask().calls, *oracle.ask().calls)]
    if oracle.dialect == "gemini":
        assert ids == [None] * 4
    else:
        assert len(set(ids)) == 4


def test_duplicated_ids_and_unknown_tools_are_passed_on(
    server: ModelServer, oracle: Oracle
) -> None:
    server.say(Reply(calls=[Call("no_such_tool", {}, id="same"), Call("terminal", {}, id="same")]))
    if oracle.dialect == "responses" and oracle.streams:
        with pytest.raises(RuntimeError, match="conflicting output identities"):
            oracle.ask()
        return
    assert oracle.ask().calls == [("same", "no_such_tool", {}), ("same", "terminal", {})]


def test_usage_counts_cached_and_reasoning_tokens(server: ModelServer, oracle: Oracle) -> None:
    usage = Usage(input=1000, output=60, cache_read=700, cache_write=100, reasoning=20)
    server.say(Reply(text="ok", usage=usage))
    heard = oracle.ask()
    assert (heard.input, heard.output, heard.cache_read) == (1000, 60, 700)
    if oracle.dialect != "anthropic":
        assert heard.thought == 20


@pytest.mark.parametrize("finish", ["stop", "length", "content_filter"])
def test_finish_reasons_are_the_vendors_own(
    server: ModelServer, oracle: Oracle, finish: str
) -> None:
    server.say(Reply(text="as far as it goes", finish=finish))
    assert oracle.ask().finish == oracle.finishes[finish]


@pytest.mark.parametrize(
    "quirk",
    [
        "bom",
        "comments",
        "crlf",
        "dribble",
        "extra-fields",
        "long-line",
        "no-space",
        "split-data",
        "split-utf8",
    ],
)
def test_odd_but_rightful_streams_are_understood(
    server: ModelServer, oracle: Oracle, quirk: Quirk
) -> None:
    if oracle.streams and (oracle.dialect, quirk) in UNREAD:
        pytest.skip(f"the vendor's own parser cannot read {quirk}")
    reply = Reply(text="Grüße 🌍", calls=[Call("terminal", {"command": "echo ü"})])
    server.say(Fault.stream(quirk, reply=reply))
    heard = oracle.ask()
    assert heard.text == "Grüße 🌍"
    assert [call[1:] for call in heard.calls] == [("terminal", {"command": "echo ü"})]


def test_one_connection_serves_many_requests(server: ModelServer, oracle: Oracle) -> None:
    server.always(Reply(text="again"))
    assert {oracle.ask().text for _ in range(5)} == {"again"}
    # openai leaves a stream at `[DONE]`, before the body's end, and drops the connection.
    assert server.connections == (5 if (oracle.dialect, oracle.streams) == ("chat", True) else 1)
