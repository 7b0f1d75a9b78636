"""The scripted server does what its script says, and remembers what it was asked."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.servers.test_shapes import PATHS, ask
from tests.servers.model import ModelServer
from tests.servers.script import Call, Fault, Reply, Where

ROOT = Path(__file__).parents[3]


def chat(server: ModelServer, words: str = "hi", **more: Any) -> str:
    """What the server says to these words."""
    body = {"model": "m", "messages": [{"role": "user", "content": words}], **more}
    answer = json.loads(ask(f"{server.base_url}/chat/completions", body))
    return answer["choices"][0]["message"]["content"]


@contextmanager
def streaming(server: ModelServer, path: str = PATHS["chat"]) -> Generator[socket.socket]:
    """A bare connection on which a stream was asked for."""
    body = json.dumps({"model": "m", "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        sock.sendall(body)
        yield sock


def test_replies_come_in_the_order_they_were_queued(server: ModelServer) -> None:
    server.say(Reply(text="one"), Reply(text="two"))
    assert [chat(server), chat(server)] == ["one", "two"]
    assert server.left == 0


def test_rules_come_before_the_queue_and_stay(server: ModelServer) -> None:
    server.when(lambda request: b"sum up" in request.body, Reply(text="a summary"))
    server.say(Reply(text="queued"))
    assert [chat(server, "sum up"), chat(server, "sum up")] == ["a summary", "a summary"]
    assert chat(server) == "queued"


def test_always_answers_once_the_queue_is_empty(server: ModelServer) -> None:
    server.always(lambda request: Reply(text=f"to {request.model}"))
    server.say(Reply(text="queued"))
    assert [chat(server), chat(server), chat(server, model="n")] == ["queued", "to m", "to n"]


@pytest.mark.parametrize("path", PATHS.values())
def test_a_script_that_ran_out_says_so(server: ModelServer, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(server.root_url + path, {"model": "m"})
    with caught.value as answer:
        assert answer.code == 500
        assert "script" in answer.read().decode()


def test_requests_are_recorded_with_headers_and_body(server: ModelServer) -> None:
    server.say(Reply())
    ask(f"{server.base_url}/models")
    ask(f"{server.base_url}/chat/completions", {"model": "m", "n": 1}, Authorization="Bearer key")
    listed, asked = server.wait_for_requests(2)
    assert (listed.method, listed.dialect) == ("GET", "models")
    assert asked.headers["authorization"] == "Bearer key"
    assert (asked.path, asked.json) == ("/v1/chat/completions", {"model": "m", "n": 1})
    assert server.model_requests == [asked]


def test_waiting_for_requests_that_do_not_come_times_out(server: ModelServer) -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        server.wait_for_requests(1, timeout=0.01)


def test_a_held_stream_goes_on_when_the_test_lets_go(server: ModelServer) -> None:
    reached, hold = threading.Event(), threading.Event()
    server.say(Reply(chunks=["before", "after"], hold=hold, reached=reached))
    with streaming(server) as sock:
        assert reached.wait(10)
        seen = sock.recv(65536)
        while b"before" not in seen:
            seen += sock.recv(65536)
        assert b"after" not in seen
        hold.set()
        while b"after" not in seen:
            seen += sock.recv(65536)


def test_a_client_that_leaves_a_held_stream_is_noticed(server: ModelServer) -> None:
    server.say(Reply(text="never ends", hold=threading.Event()))
    with streaming(server):
        [request] = server.wait_for_requests(1)
        assert not request.hung_up.is_set()
    assert request.hung_up.wait(10)
    assert request.done.wait(10)


@pytest.mark.parametrize("path", PATHS.values())
@pytest.mark.parametrize("where", ["start", "headers", "stream", "arguments"])
def test_a_reset_comes_where_it_was_said(server: ModelServer, path: str, where: Where) -> None:
    server.say(Fault.reset(where))
    seen = b""
    with streaming(server, path) as sock, pytest.raises(ConnectionResetError):
        while data := sock.recv(65536):
            seen += data
    if where == "start":
        assert seen == b""
    elif where == "headers":
        assert seen.endswith(b"\r\n\r\n")
        assert seen.count(b"\r\n\r\n") == 1
    else:
        said = b"The begi" if where == "stream" else b"terminal"
        assert said in seen


def test_a_reset_in_the_arguments_leaves_them_half_said(server: ModelServer) -> None:
    server.say(Fault.reset("arguments", after=2, reply=Reply(calls=[Call("a", "x" * 80)])))
    seen = b""
    with streaming(server) as sock, pytest.raises(ConnectionResetError):
        while data := sock.recv(65536):
            seen += data
    assert seen.count(b'"arguments":"xxxxxxxx"') == 2


def test_a_stream_that_is_kept_open_has_said_everything(server: ModelServer) -> None:
    server.say(Fault.stream("keep-open", reply=Reply(text="all")))
    with streaming(server) as sock:
        seen = b""
        while b"[DONE]" not in seen:
            seen += sock.recv(65536)
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            sock.recv(65536)


def test_packets_split_inside_a_character(server: ModelServer) -> None:
    server.say(Fault.stream("split-utf8", reply=Reply(text="ü")))
    with streaming(server) as sock:
        seen = b""
        while b"[DONE]" not in seen:
            seen += sock.recv(65536)
    head, tail = "ü".encode()[:1], "ü".encode()[1:]
    assert "ü".encode() not in seen
    assert head + b"\r\n" in seen
    assert b"\r\n" + tail in seen


def test_pages_of_ones_own_are_served(server: ModelServer) -> None:
    server.pages["/props"] = {"model_path": "m.gguf"}
    assert json.loads(ask(f"{server.root_url}/props")) == {"model_path": "m.gguf"}
    server.ollama = False
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(f"{server.root_url}/api/tags")
    caught.value.close()
    assert caught.value.code == 404


def test_many_clients_at_once_each_get_one_reply(server: ModelServer) -> None:
    server.say(*(Reply(text=str(number)) for number in range(64)))
    with ThreadPoolExecutor(16) as clients:
        heard = list(clients.map(chat, [server] * 64))
    assert sorted(map(int, heard)) == list(range(64))


def test_closing_ends_what_still_hangs() -> None:
    with ModelServer() as server:
        server.say(Fault.hang())
        with streaming(server) as sock:
            server.wait_for_requests(1)
            server.close()
            assert sock.recv(1) == b""


@contextmanager
def standalone(*arguments: str) -> Generator[str]:
    """The server as a program; gives its base URL."""
    command = [sys.executable, "-m", "tests.servers.model", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout as stdout:
        try:
            yield stdout.readline().strip()
        finally:
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(10) == 0


def test_the_program_plays_a_script_and_logs_requests(tmp_path: Path) -> None:
    script, log = tmp_path / "script.json", tmp_path / "log.jsonl"
    script.write_text(
        json.dumps(
            {
                "replies": [
                    {"text": "hello", "usage": {"input": 3, "output": 4}},
                    {"calls": [{"name": "terminal", "arguments": {"command": "ls"}}]},
                    {"fault": "rate_limited", "retry_after": 5},
                    {"fault": "stream", "quirks": ["crlf"], "reply": {"text": "odd"}},
                ],
                "rules": [{"when": "ping?", "say": {"text": "pong"}}],
                "models": ["listed"],
            }
        )
    )
    with standalone("--script", str(script), "--log", str(log)) as url:
        body: dict[str, Any] = {"model": "m", "messages": []}
        address = f"{url}/chat/completions"
        assert "pong" in ask(address, {**body, "note": "ping?"})
        assert json.loads(ask(address, body))["usage"]["total_tokens"] == 7
        assert '"tool_calls":[' in ask(address, body)
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(address, body)
        with caught.value as answer:
            assert (answer.code, answer.headers["retry-after"]) == (429, "5")
        assert "odd" in ask(address, {**body, "stream": True})
        assert "listed" in ask(f"{url}/models")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["dialect"] for line in lines] == ["chat"] * 5 + ["models"]
    assert lines[0]["json"]["note"] == "ping?"


TURNS: dict[str, tuple[str, str, list[Any], list[Any]]] = {
    "chat": (
        "/v1/chat/completions",
        "messages",
        [{"role": "user", "content": "go"}],
        [{"role": "assistant", "tool_calls": []}, {"role": "tool", "content": ""}],
    ),
    "responses": (
        "/v1/responses",
        "input",
        [{"role": "user", "content": [{"type": "input_text", "text": "go"}]}],
        [{"type": "function_call"}, {"type": "function_call_output", "output": ""}],
    ),
    "anthropic": (
        "/v1/messages",
        "messages",
        [{"role": "user", "content": "go"}],
        [
            {"role": "assistant", "content": [{"type": "tool_use"}]},
            {"role": "user", "content": [{"type": "tool_result"}]},
        ],
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        "contents",
        [{"role": "user", "parts": [{"text": "go"}]}],
        [
            {"role": "model", "parts": [{"functionCall": {}}]},
            {"role": "user", "parts": [{"functionResponse": {}}]},
        ],
    ),
}


def test_echo_tools_calls_so_often_and_then_is_done() -> None:
    with standalone("--echo-tools", "2") as url:
        root = url.removesuffix("/v1")
        for path, key, user, step in TURNS.values():
            turn = [*user, *step, *step]
            for history in (user, [*user, *step], [*turn, *user]):
                assert "terminal" in ask(root + path, {"model": "m", key: history})
            for history in (turn, [*turn, *user, *step, *step]):
                assert "done" in ask(root + path, {"model": "m", key: history})
