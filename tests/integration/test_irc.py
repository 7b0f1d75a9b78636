"""IRC: TLS and nicks against a real ngIRCd, accounts against a server that has them."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.chats import Post
from hermes_agent.platforms.base import Platform, PlatformRefused, PlatformSettings
from hermes_agent.platforms.table import create
from tests.contract.platforms.door import RecordingDoor, until
from tests.contract.platforms.running import connected, ending
from tests.servers.irc import PROGRAM, IrcPerson, Ngircd
from tests.servers.irc_accounts import account_server

ALICE = ":alice!~alice@example.test"


def _settings(tmp_path: Path, port: int, **values: Any) -> PlatformSettings:
    given = {"server": "127.0.0.1", "port": port, "nick": "hermes", "tls": "false", **values}
    return PlatformSettings(name="irc", values=given, media_dir=tmp_path)


@asynccontextmanager
async def _ngircd(folder: Path, **words: str) -> AsyncGenerator[Ngircd]:
    if PROGRAM is None:
        pytest.skip("NOT TESTED: there is no ngircd on this machine")
    server = await asyncio.to_thread(_made, folder, words)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _made(folder: Path, words: dict[str, str]) -> Ngircd:
    folder.mkdir()
    return Ngircd(folder, **words)


@asynccontextmanager
async def _person(server: Ngircd, nick: str, *channels: str) -> AsyncGenerator[IrcPerson]:
    person = IrcPerson(server, nick)
    await person.connect(*channels)
    try:
        yield person
    finally:
        await person.close()


def _certificate(folder: Path) -> tuple[str, str]:
    if shutil.which("openssl") is None:
        pytest.skip("NOT TESTED: there is no openssl on this machine")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ("-subj", "/CN=irc.test", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", "key.pem", "-out", "cert.pem")
    subprocess.run(
        ["openssl", *words.split(), *names, *files], cwd=folder, check=True, capture_output=True
    )
    (folder / "key.pem").chmod(0o644)
    return str(folder / "cert.pem"), str(folder / "key.pem")


async def test_tls_is_spoken_to_who_is_trusted_and_to_nobody_else(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    async with _ngircd(tmp_path / "irc", certificate=certificate, key=key) as server:
        port, door = server.tls_port, RecordingDoor()
        error = await ending(_settings(tmp_path, port, tls="true"), door)
        assert isinstance(error, PlatformRefused)
        assert "not trusted" in str(error)
        trusting = _settings(tmp_path, port, tls="true", ca_file=certificate)
        async with connected(trusting, door), _person(server, "alice") as alice:
            await alice.say("hermes", "psst")
            await door.heard("psst")


async def test_a_nick_that_is_taken_is_varied_and_still_heard(tmp_path: Path) -> None:
    door = RecordingDoor()
    async with (
        _ngircd(tmp_path / "irc") as server,
        _person(server, "hermes", "#team") as other,
        connected(_settings(tmp_path, server.port, channels="#team"), door),
    ):
        await until(lambda: other.joined("#team"), "it joins")
        (nick,) = other.joined("#team")
        assert nick.startswith("hermes-")
        await other.say("#team", f"{nick}: hello")
        (heard,) = await door.heard("hello")
        assert heard.origin.chat_id == "#team"


async def test_controls_for_programs_are_ignored_and_actions_are_words(tmp_path: Path) -> None:
    door = RecordingDoor()
    async with (
        _ngircd(tmp_path / "irc") as server,
        _person(server, "alice") as alice,
        connected(_settings(tmp_path, server.port), door),
    ):
        await alice.say("hermes", "\x01VERSION\x01")
        await alice.say("hermes", "\x01DCC SEND x 1 2 3\x01")
        await alice.write("NOTICE hermes :from a machine")
        await alice.say("hermes", "\x01ACTION waves\x01")
        await door.heard("waves")
        assert alice.heard == []


async def test_an_answer_of_many_lines_is_one_message_a_line_and_all_arrive(
    tmp_path: Path,
) -> None:
    door = RecordingDoor()
    async with (
        _ngircd(tmp_path / "irc") as server,
        _person(server, "alice") as alice,
        connected(_settings(tmp_path, server.port), door) as platform,
    ):
        await alice.say("hermes", "well?")
        (heard,) = await door.heard("well?")
        text = "one\r\nQUIT :bye\nthree"
        await platform.send(heard.origin.target, Post(text=text, plain=text), "t.0")
        await until(lambda: len(alice.heard) == 3, "three lines arrive")
        assert [line.words[-1] for line in alice.heard] == ["one", "QUIT :bye", "three"]
        assert all(line.command == "PRIVMSG" for line in alice.heard)


async def test_who_is_logged_in_is_known_by_the_account_and_a_message_by_its_id(
    tmp_path: Path,
) -> None:
    door = RecordingDoor()
    async with (
        account_server("message-tags account-tag") as server,
        connected(_settings(tmp_path, server.port), door),
    ):
        for _ in range(2):
            await server.tell(f"@account=Alice;msgid=m1 {ALICE} PRIVMSG hermes :one")
        await server.tell(f"@msgid=m2 {ALICE} PRIVMSG hermes :two")
        one, two = await door.heard("one", "two")
        assert (one.key, one.origin.user_id) == ("m1", "Alice")
        assert two.origin.user_id == ALICE[1:]
    assert "CAP REQ :account-tag message-tags" in server.lines


@pytest.mark.parametrize(
    "offers", [("sasl=PLAIN,EXTERNAL account-tag",), ("account-tag sasl", "message-tags")]
)
async def test_we_log_in_before_anything_else(tmp_path: Path, offers: tuple[str, ...]) -> None:
    door = RecordingDoor()
    async with account_server(*offers) as server:
        login = {"sasl_user": "hermes", "sasl_password": "right", "channels": "#team"}
        async with connected(_settings(tmp_path, server.port, **login), door):
            await until(lambda: "JOIN #team" in server.lines, "it joins")
        assert server.logins == ["hermes"]
        assert server.lines.index("CAP END") < server.lines.index("JOIN #team")


@pytest.mark.parametrize(
    ("offers", "words", "password"),
    [
        (("sasl",), {}, "wrong"),
        (("account-tag",), {}, "right"),
        (("sasl",), {"refuses": True}, "right"),
        ((), {"cap": False}, "right"),
    ],
    ids=["wrong password", "no such login", "login refused", "nothing of the kind"],
)
async def test_a_login_that_was_asked_for_is_never_left_out(
    tmp_path: Path, offers: tuple[str, ...], words: dict[str, Any], password: str
) -> None:
    async with account_server(*offers, **words) as server:
        login = {"sasl_user": "hermes", "sasl_password": password, "channels": "#team"}
        error = await ending(_settings(tmp_path, server.port, **login), RecordingDoor())
        assert isinstance(error, PlatformRefused)
        assert "IRC_SASL" in (error.hint or "")
        await server.ended.wait()
        assert "JOIN #team" not in server.lines


async def test_a_channel_that_does_not_let_us_in_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        account_server("message-tags") as server,
        connected(_settings(tmp_path, server.port, channels="#team"), RecordingDoor()),
    ):
        await server.tell(":irc.test 473 hermes #team :Cannot join channel (+i)")
        await until(lambda: "cannot join #team" in caplog.text, "it is logged")


def test_the_adapter_shows_no_password(tmp_path: Path) -> None:
    made: Platform = create(_settings(tmp_path, 6667, password="horse", sasl_password="battery"))
    assert "horse" not in repr(vars(made))
    assert "battery" not in repr(vars(made))
