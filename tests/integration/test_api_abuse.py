"""Bytes that no good client sends, over plain sockets; the server answers all and stays up."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api_house import KEY, House, house
from tests.servers.script import Reply

AUTH = f"Authorization: Bearer {KEY}\r\n"
HOST = "Host: 127.0.0.1\r\n"
JSON = "Content-Type: application/json\r\n"
BODY = json.dumps({"messages": [{"role": "user", "content": "hello"}]})


async def exchange(at: House, data: bytes, *, close: bool = False, seconds: float = 10) -> bytes:
    """Send, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at.server.port)
    try:
        writer.write(data)
        await writer.drain()
        if close:
            writer.write_eof()
        async with asyncio.timeout(seconds):
            return await reader.read()
    finally:
        writer.close()


def post(body: str | bytes, headers: str = "", *, length: int | None = None) -> bytes:
    """A POST of a chat completion, the connection to be closed behind it."""
    data = body if isinstance(body, bytes) else body.encode()
    told = len(data) if length is None else length
    head = f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}{AUTH}{JSON}Connection: close\r\n"
    return f"{head}{headers}Content-Length: {told}\r\n\r\n".encode() + data


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def stays_up(at: House) -> None:
    at.model.say(Reply(text="Still here."))
    answer = await at.http.post("/v1/chat/completions", content=BODY.encode())
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (f"GET /health HTTP/1.1\r\n{HOST}{HOST}\r\n".encode(), 400),
        (f"GET /health HTTP/1.1\r\n{HOST}A\x00B: c\r\n\r\n".encode(), 400),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n", 400),
        (f"GET /health HTTP/1.1\r\n{HOST}X: ".encode() + b"y" * 40_000, 400),
        (f"GET /health HTTP/1.1\r\n{HOST}".encode() + b"X: y\r\n" * 8_000, 400),
        (f"POST /health HTTP/1.1\r\n{HOST}Content-Length: -1\r\n\r\n".encode(), 400),
        (
            f"POST /x HTTP/1.1\r\n{HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc".encode(),
            400,
        ),
        (
            f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}{AUTH}{JSON}"
            "Transfer-Encoding: chunked\r\n\r\nZZ\r\n".encode(),
            400,
        ),
    ],
)
async def test_what_is_no_http_is_answered_in_json_and_closed(
    home: Path, data: bytes, expected: int
) -> None:
    async with house(home) as at:
        answer = await exchange(at, data)
        assert status(answer) == expected
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"]
        await stays_up(at)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (post(b"\xff\xfe{}"), 400),
        (post('{"messages": [{"role": "user", "content": "\\ud800"}]}'), 400),
        (post(b'{"messages": [{"role": "user", "content": "\xed\xa0\x80"}]}'), 400),
        (post("[" * 100_000), 400),
        (post('{"messages": ' + "[" * 5_000 + "]" * 5_000 + "}"), 400),
        (post(""), 400),
        (post("null"), 400),
        (post(BODY[:-3]), 400),
        (post(BODY + "}"), 400),
        (post('{"messages": [], "temperature": 1e999}'), 400),
        (post(BODY, AUTH), 400),
        (post(BODY, "Idempotency-Key: a\r\nIdempotency-Key: b\r\n"), 400),
        (post(BODY, "Idempotency-Key: \r\n"), 400),
        (post(BODY, f"Idempotency-Key: {'k' * 300}\r\n"), 400),
        (post(BODY, "X-Hermes-Session-Key: a\r\nX-Hermes-Session-Id: a\r\n"), 400),
        (post(BODY).replace(JSON.encode(), b"Content-Type: text/plain\r\n"), 415),
        (post("x" * 2_000_000), 413),
        (post("", length=10**12, headers="Expect: 100-continue\r\n"), 413),
        (post("", length=10**30, headers="Expect: 100-continue\r\n"), 400),
        (post(BODY).replace(b"/v1/chat", b"/v1/%ff"), 404),
        (post(BODY).replace(b"/v1/chat/completions", b"/v1/responses/%ff"), 400),
        (post(BODY).replace(b"/v1/chat/completions", b"/v1/../v1/models"), 404),
        (post(BODY).replace(b"POST", b"BREW"), 405),
    ],
)
async def test_bad_requests_are_refused_before_a_model_hears_of_them(
    home: Path, data: bytes, expected: int
) -> None:
    async with house(home) as at:
        answer = await exchange(at, data)
        assert status(answer) == expected, answer[:400]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"]
        assert at.model.model_requests == []
        await stays_up(at)


async def test_an_endless_body_in_chunks_is_cut_off(home: Path) -> None:
    async with house(home) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.server.port)
        head = f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}{AUTH}{JSON}"
        writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        sent = 0

        async def pour() -> None:
            nonlocal sent
            while sent < 64 * 1024 * 1024:
                writer.write(chunk)
                await writer.drain()
                sent += 0x10000

        pouring = asyncio.create_task(pour())
        async with asyncio.timeout(15):
            answer = await reader.read(4096)
        assert status(answer) == 413
        with pytest.raises(ConnectionError):
            await pouring
        assert sent < 32 * 1024 * 1024
        writer.close()
        await stays_up(at)


async def test_a_body_that_breaks_off_leaves_nothing_behind(home: Path) -> None:
    async with house(home) as at:
        answer = await exchange(at, post(BODY, length=1000), close=True)
        assert answer == b""
        assert at.model.model_requests == []
        await stays_up(at)


async def test_who_sends_too_slowly_is_told_so_and_closed(home: Path) -> None:
    async with house(home, header_time=0.2, body_time=0.2) as at:
        silent = await exchange(at, b"")
        head = await exchange(at, b"GET /health HTTP/1.1\r\nHost: 127")
        body = await exchange(at, post(BODY, length=1000))
        assert [status(each) for each in (silent, head, body)] == [408, 408, 408]
        kept = f"GET /health HTTP/1.1\r\n{HOST}\r\nGET /hea".encode()
        second = await exchange(at, kept)
        assert second.count(b"HTTP/1.1 200") == 1
        assert second.count(b"HTTP/1.1 408") == 1
        await stays_up(at)


async def test_who_does_not_read_is_cut_off_and_the_turn_ends(home: Path) -> None:
    async with house(home, write_time=0.3) as at:
        at.model.say(Reply(text="word " * 1_000_000, chunks=60_000))
        # Nobody reads here: after 1 KiB the stream's own buffer is full and the rest stays outside.
        _, writer = await asyncio.open_connection("127.0.0.1", at.server.port, limit=1024)
        body = json.dumps({"messages": [{"role": "user", "content": "go"}], "stream": True})
        writer.write(post(body))
        request = await asyncio.to_thread(at.model.wait_for_model_requests, 1)
        assert await asyncio.to_thread(request[0].done.wait, 10)
        writer.close()
        await stays_up(at)


async def test_requests_in_one_breath_are_answered_in_order(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="first"), Reply(text="second"))
        one = post(BODY).replace(b"Connection: close\r\n", b"")
        answer = await exchange(at, one + post(BODY))
        assert answer.count(b"HTTP/1.1 200") == 2
        assert answer.index(b"first") < answer.index(b"second")


async def test_http_1_0_is_spoken(home: Path) -> None:
    async with house(home) as at:
        assert status(await exchange(at, b"GET /health HTTP/1.0\r\n\r\n")) == 200
        at.model.say(Reply(text="old but whole"))
        old = post(BODY).replace(b"HTTP/1.1", b"HTTP/1.0")
        answer = await exchange(at, old)
        assert status(answer) == 200
        assert b"old but whole" in answer


async def test_more_connections_than_are_allowed_are_turned_away(home: Path) -> None:
    async with house(home, max_connections=3) as at:
        opened = [await asyncio.open_connection("127.0.0.1", at.server.port) for _ in range(3)]
        answer = await exchange(at, b"")
        assert status(answer) == 503
        for _, writer in opened:
            writer.close()
            await writer.wait_closed()

        async def fits() -> bool:
            return status(await exchange(at, b"GET /health HTTP/1.0\r\n\r\n")) == 200

        async with asyncio.timeout(10):
            while not await fits():
                pass


async def test_an_upgrade_to_another_protocol_is_not_taken_up(home: Path) -> None:
    async with house(home) as at:
        upgrade = "Connection: Upgrade, close\r\nUpgrade: websocket\r\n"
        answer = await exchange(at, f"GET /health HTTP/1.1\r\n{HOST}{upgrade}\r\n".encode())
        assert status(answer) == 200


async def test_clients_that_vanish_leave_no_turn_running(home: Path) -> None:
    async with house(home) as at:
        at.model.always(Reply(text="x"))

        async def vanish() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", at.server.port)
            writer.write(post(BODY))
            await writer.drain()
            transport: Any = writer.transport
            transport.abort()

        for _ in range(10):
            await asyncio.gather(*(vanish() for _ in range(20)))
        async with asyncio.timeout(20):
            while True:
                answer = await at.http.get("/metrics")
                if "hermes_api_turns 0\n" in answer.text:
                    break
        for session in at.store.list():
            roles = [message.role for message in at.store.history(session.id)]
            assert roles in (["user"], ["user", "assistant"])
        await stays_up(at)
