"""Answers as comments on GitHub, against a loopback server of its documented routes."""

import json
import re
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.chats import Post, Target
from hermes_agent.platforms.base import (
    Platform,
    PlatformDown,
    PlatformRefused,
    SendRefused,
)
from tests.integration.test_webhook import PULL, house, made

PLACE = Target(platform="webhook", chat_id="house/1", thread_id="octo/house#7")
POST = Post(text="**Fine**", plain="Fine")


class Comments:
    """GitHub's comments of one issue. `faults` are answered first, `(status, headers)` each;
    `cut` loses the answer of the next comment after it was stored."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.faults: list[tuple[int, dict[str, str]]] = []
        self.cut = False
        comments = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._do()

            def do_POST(self) -> None:
                self._do()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name there
                pass

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, headers, answer = comments.answer(
                    self.command, self.path, body, self.headers.get("authorization")
                )
                if status == 0:
                    self.close_connection = True
                    return
                data = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def answer(
        self, method: str, path: str, body: bytes, token: str | None
    ) -> tuple[int, dict[str, str], Any]:
        self.tokens.append(token)
        if self.faults:
            status, headers = self.faults.pop(0)
            return status, headers, {"message": "no"}
        found = re.fullmatch(r"/repos/octo/house/issues/7/comments(?:\?(.*))?", path)
        if found is None:
            return 404, {}, {"message": "Not Found"}
        if method == "GET":
            page = int(re.findall(r"\bpage=(\d+)", found[1])[-1])
            return 200, {}, self.comments[100 * page - 100 : 100 * page]
        self.comments.append({"id": len(self.comments) + 1, **json.loads(body)})
        if self.cut:
            self.cut = False
            return 0, {}, None
        return 201, {}, self.comments[-1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def github() -> Generator[Comments]:
    server = Comments()
    yield server
    server.close()


def commenting(tmp_path: Path, github: Comments) -> Platform:
    route = {"secret": "s", "deliver": "github_comment"}
    return made(tmp_path, {"house": route}, github_api=github.url, github_token="t0k3n")


async def test_an_answer_becomes_a_comment(tmp_path: Path, github: Comments) -> None:
    platform = commenting(tmp_path, github)
    assert await platform.send(PLACE, POST, "turn.0") == "1"
    await platform.close()
    assert github.comments[0]["body"].startswith("**Fine**")
    assert set(github.tokens) == {"Bearer t0k3n"}


async def test_a_comment_whose_answer_was_lost_is_not_written_again(
    tmp_path: Path, github: Comments
) -> None:
    platform = commenting(tmp_path, github)
    github.comments = [{"id": 1000 + n, "body": None} for n in range(250)]
    github.cut = True
    with pytest.raises(PlatformDown):
        await platform.send(PLACE, POST, "turn.0")
    assert await platform.send(PLACE, POST, "turn.0") == "251"
    assert await platform.send(PLACE, POST, "turn.1") == "252"
    await platform.close()
    assert len(github.comments) == 252


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (401, {}, PlatformRefused),
        (403, {}, PlatformRefused),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, PlatformDown),
        (403, {"retry-after": "7"}, PlatformDown),
        (429, {}, PlatformDown),
        (500, {}, PlatformDown),
        (404, {}, SendRefused),
        (410, {}, SendRefused),
        (422, {}, SendRefused),
        (302, {"location": "http://127.0.0.1:1/"}, SendRefused),
    ],
)
async def test_faults_of_github_say_who_can_mend_them(
    tmp_path: Path,
    github: Comments,
    status: int,
    headers: dict[str, str],
    error: type[Exception],
) -> None:
    platform = commenting(tmp_path, github)
    github.faults = [(status, headers)]
    with pytest.raises(error) as raised:
        await platform.send(PLACE, POST, "turn.0")
    await platform.close()
    assert "t0k3n" not in str(raised.value)
    if headers.get("retry-after"):
        assert isinstance(raised.value, PlatformDown)
        assert raised.value.retry_after == 7


async def test_github_out_of_reach_is_tried_again(tmp_path: Path, github: Comments) -> None:
    platform = commenting(tmp_path, github)
    github.close()
    with pytest.raises(PlatformDown):
        await platform.send(PLACE, POST, "turn.0")
    await platform.close()


@pytest.mark.parametrize(
    "thread", [None, "octo/house", "octo/../x#7", "octo/house#0", "a/b#7/../8"]
)
async def test_a_place_that_is_none_is_never_asked_for(
    tmp_path: Path, github: Comments, thread: str | None
) -> None:
    platform = commenting(tmp_path, github)
    target = Target(platform="webhook", chat_id="house/1", thread_id=thread)
    with pytest.raises(SendRefused):
        await platform.send(target, POST, "turn.0")
    await platform.close()
    assert github.tokens == []


async def test_the_call_says_where_the_comment_goes(tmp_path: Path, github: Comments) -> None:
    route = {"deliver": "github_comment"}
    async with house(tmp_path, route, github_api=github.url, github_token="t") as caller:
        assert (await caller.call(PULL)).status_code == 202
        (inbound,) = caller.door.taken
        assert inbound.origin.thread_id == "octo/house#7"
        evil = {"repository": {"full_name": "octo/house/../../user"}, "number": 7}
        assert (await caller.call(evil)).status_code == 400
        assert (await caller.call({"repository": {"full_name": "a/b"}})).status_code == 400
        await caller.platform.send(inbound.origin.target, POST, "turn.0")
    assert len(github.comments) == 1
