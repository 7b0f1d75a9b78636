"""Logging in at MCP servers; the authorization server is one of the protocol's library."""

import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.acceptance.hermes import Hermes
from tests.acceptance.mcp_house import connect, free_port, results, search, served, use, wait
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply


class Locked:
    """The server, and how it behaves."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/mcp"

    def set(self, **wanted: str | int) -> None:
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/control?{query}").close()

    def grants(self) -> dict[str, int]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/grants") as answer:
            return json.load(answer)


@pytest.fixture
def locked() -> Generator[Locked]:
    port = free_port()
    with served("mcp_login.py", str(port), port=port):
        yield Locked(port)


def where_it_leads(address: str) -> str:
    """Where the authorization server sends a browser back to."""
    parts = urlsplit(address)
    asking = http.client.HTTPConnection(parts.netloc, timeout=30)
    asking.request("GET", f"{parts.path}?{parts.query}")
    location = asking.getresponse().getheader("location")
    asking.close()
    assert location
    return location


def visit(address: str) -> str:
    try:
        with urllib.request.urlopen(address) as page:
            return page.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


class Login:
    """`hermes mcp login demo`, which waits for a person."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.said = ""
        assert process.stdout is not None
        while "http" not in self.said or "Waiting" not in self.said:
            line = process.stdout.readline().decode()
            assert line, process.communicate()[1].decode()
            self.said += line
        self.address = next(word for word in self.said.split() if word.startswith("http"))

    def type(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())
        self._process.stdin.flush()

    def ended(self) -> tuple[int, str, str]:
        out, err = self._process.communicate(timeout=60)
        return self._process.returncode, out.decode(), err.decode()


def login(hermes: Hermes) -> Generator[Login]:
    process = subprocess.Popen(
        (sys.executable, "-m", "hermes_agent", "mcp", "login", "demo", "--no-browser"),
        cwd=hermes.folder,
        env=hermes.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield Login(process)
    finally:
        process.kill()
        process.communicate()


def log_in(hermes: Hermes) -> None:
    for going_on in login(hermes):
        visit(where_it_leads(going_on.address))
        status, out, err = going_on.ended()
        assert status == 0, err
        assert "1 tools" in out


def tokens(hermes: Hermes) -> dict[str, Any]:
    return json.loads((hermes.home / "mcp-tokens" / "demo.json").read_text())


def test_a_login_in_a_browser_lets_the_agent_use_the_server(
    hermes: Hermes, server: ModelServer, locked: Locked
) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    log_in(hermes)
    folder = hermes.home / "mcp-tokens"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = sorted(path.name for path in folder.iterdir() if path.suffix == ".json")
    assert files == ["demo.client.json", "demo.json"]
    assert all((folder / name).stat().st_mode & 0o777 == 0o600 for name in files)
    server.say(use("mcp_demo_add", a=2, b=3), Reply(text="Five."))
    assert hermes.run("-q", "go").out == "Five.\n"
    assert results(server)[0]["result"] == {"result": 5}
    assert locked.grants() == {"code": 1, "refresh": 0, "register": 1}


def test_without_a_browser_here_the_last_address_is_pasted(hermes: Hermes, locked: Locked) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    for going_on in login(hermes):
        going_on.type(where_it_leads(going_on.address))
        status, out, _ = going_on.ended()
        assert (status, "logged in" in out) == (0, True)


def test_a_consent_that_is_denied_is_said_and_nothing_is_kept(
    hermes: Hermes, locked: Locked
) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    locked.set(consent="deny")
    for going_on in login(hermes):
        visit(where_it_leads(going_on.address))
        status, _, err = going_on.ended()
        assert status == 1
        assert "access_denied (I said no)" in err
        assert "Traceback" not in err
    assert not (hermes.home / "mcp-tokens" / "demo.json").exists()


def test_an_answer_that_belongs_to_another_login_is_not_taken(
    hermes: Hermes, locked: Locked
) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    locked.set(consent="badstate")
    for going_on in login(hermes):
        back = where_it_leads(going_on.address)
        assert "another login" in visit(back)
        going_on.type(back)
        status, _, err = going_on.ended()
        assert status == 1
        assert "another login" in err
    assert not (hermes.home / "mcp-tokens" / "demo.json").exists()


def test_without_a_login_the_agent_says_what_to_run(
    hermes: Hermes, server: ModelServer, locked: Locked
) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    server.say(search(""), Reply(text="Well."))
    assert hermes.run("-q", "go").out == "Well.\n"
    assert "hermes mcp login demo" in results(server)[0]["not_connected"]["demo"]


def test_a_login_renews_itself(hermes: Hermes, server: ModelServer, locked: Locked) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    locked.set(lifetime=1)
    log_in(hermes)
    before = tokens(hermes)
    wait(lambda: time.time() > before["expires_at"] + 1, "the token's end")
    locked.set(lifetime=3600)
    server.say(use("mcp_demo_add", a=2, b=3), Reply(text="Five."))
    hermes.run("-q", "go")
    assert results(server)[0]["result"] == {"result": 5}
    assert tokens(hermes)["refresh_token"] != before["refresh_token"]
    assert locked.grants()["refresh"] == 1


def test_a_login_that_the_server_ended_early_renews_itself(
    hermes: Hermes, server: ModelServer, locked: Locked
) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    log_in(hermes)
    locked.set(access=1)
    server.say(use("mcp_demo_add", a=2, b=3), Reply(text="Five."))
    hermes.run("-q", "go")
    assert results(server)[0]["result"] == {"result": 5}
    assert locked.grants()["refresh"] == 1


def test_a_login_that_was_revoked_is_said_and_no_token_is_shown(
    hermes: Hermes, server: ModelServer, locked: Locked
) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    log_in(hermes)
    kept = tokens(hermes)
    locked.set(access=1, revoke=1)
    server.say(search(""), Reply(text="Well."))
    ran = hermes.run("-q", "go")
    said = results(server)[0]["not_connected"]["demo"]
    assert said == "its login has ended. Log in: hermes mcp login demo"
    logs = "".join(
        path.read_text("utf-8", "replace") for path in (hermes.home / "logs").glob("*.log")
    )
    for secret in (kept["access_token"], kept["refresh_token"]):
        assert secret not in ran.out + ran.err + logs


def test_a_login_is_used_for_the_address_that_it_was_made_for_only(
    hermes: Hermes, server: ModelServer, locked: Locked
) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    log_in(hermes)
    connect(hermes, url=locked.url.replace("127.0.0.1", "localhost"), auth="oauth")
    server.say(search(""), Reply(text="Well."))
    hermes.run("-q", "go")
    assert "it wants a login" in results(server)[0]["not_connected"]["demo"]


def test_a_logout_forgets_the_login(hermes: Hermes, locked: Locked) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    log_in(hermes)
    assert "logged out" in hermes.run("mcp", "logout", "demo").out
    left = [path for path in (hermes.home / "mcp-tokens").iterdir() if path.suffix == ".json"]
    assert left == []
    assert "no login" in hermes.run("mcp", "logout", "demo").out


def test_only_a_server_that_wants_one_can_be_logged_in_at(hermes: Hermes) -> None:
    connect(hermes, url="http://127.0.0.1:9/mcp")
    ran = hermes.run("mcp", "login", "demo")
    assert (ran.status, "needs no login" in ran.err) == (2, True)


def test_no_tool_reads_the_logins(hermes: Hermes, server: ModelServer, locked: Locked) -> None:
    connect(hermes, url=locked.url, auth="oauth")
    log_in(hermes)
    path = str(hermes.home / "mcp-tokens" / "demo.json")
    server.say(Reply(calls=[Call("read_file", {"path": path})]), Reply(text="No."))
    hermes.run("-q", "go")
    assert tokens(hermes)["access_token"] not in json.dumps(results(server))
