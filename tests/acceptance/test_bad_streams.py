"""Odd standard streams, environments and questions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.hermes import LIMIT, Hermes, Ran
from tests.acceptance.test_interruption import assert_whole
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


def shell(hermes: Hermes, line: str, **variables: str) -> Ran:
    """Run a line of bash in which $H is hermes."""
    program = f"{sys.executable} -m hermes_agent"
    return Ran(
        subprocess.run(
            [shutil.which("bash") or "bash", "-c", line],
            cwd=hermes.folder,
            env=hermes.environ | {"H": program} | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
    )


def test_without_standard_input_a_question_is_answered(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="fine"))
    ran = shell(hermes, "$H -q hi <&-")
    assert (ran.status, ran.out, ran.err) == (0, "fine\n", "")


def test_without_standard_error_a_question_is_answered(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(calls=[Call("terminal", {"command": "true"})]), Reply(text="fine"))
    ran = shell(hermes, "$H -q hi 2>&-")
    assert (ran.status, ran.out) == (0, "fine\n")


@needs_full
@pytest.mark.parametrize(
    "line",
    [
        "$H -q hi >&-",
        "$H -q hi <&- >&-",
        "$H -q hi >/dev/full",
        "$H --json -q hi >/dev/full",
        "$H -Q -q hi >/dev/full",
        "$H --version >/dev/full",
        "$H --help >/dev/full",
        "$H config >/dev/full",
        "$H sessions list --json >/dev/full",
    ],
)
def test_an_output_that_takes_nothing_is_an_error(
    hermes: Hermes, server: ModelServer, line: str
) -> None:
    server.always(Reply(text="fine"))
    ran = shell(hermes, line)
    assert ran.status == 1
    assert ran.err.startswith("hermes: Standard output cannot be written to")
    assert len(ran.err.splitlines()) == 1


@needs_full
def test_an_output_that_breaks_in_a_turn_leaves_a_whole_history(
    hermes: Hermes, server: ModelServer
) -> None:
    calls = [Call("terminal", {"command": "touch ran"})]
    server.say(Reply(text="I begin.", calls=calls), Reply(text="Again."))
    assert shell(hermes, "$H -q one >/dev/full").status == 1
    assert hermes.run("-c", "-q", "two").status == 0
    assert_whole(hermes.messages())


def test_a_reader_that_left_is_no_error_message(hermes: Hermes, server: ModelServer) -> None:
    ran = shell(hermes, "$H config show --all | true; exit ${PIPESTATUS[0]}")
    assert ran.status != 0
    assert ran.err == ""


def test_without_any_environment_the_version_and_an_answer_come(
    hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="fine"))
    assert shell(hermes, "env -i $H --version").status == 0
    assert shell(hermes, "env -i $H version").status == 0
    assert shell(hermes, 'env -i HERMES_HOME="$HERMES_HOME" $H -q hi').out == "fine\n"


def test_a_home_that_cannot_be_made_is_named_and_does_not_hide_the_version(
    hermes: Hermes,
) -> None:
    nowhere = {"HOME": "/proc", "HERMES_HOME": ""}
    assert hermes.run("--version", **nowhere).status == 0
    assert hermes.run("version", **nowhere).status == 0
    assert hermes.run("status", **nowhere).status == 0
    ran = hermes.run("-q", "hi", **nowhere)
    assert ran.status == 1
    assert "Cannot make the folder /proc/.hermes" in ran.err


def test_a_folder_that_was_deleted_is_named(hermes: Hermes) -> None:
    ran = shell(hermes, "mkdir d; cd d; rmdir ../d; $H -q hi")
    assert ran.status == 1
    assert "current directory does not exist" in ran.err
    assert shell(hermes, "mkdir d; cd d; rmdir ../d; $H status && $H version").status == 0


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_an_ascii_locale_still_answers(hermes: Hermes, server: ModelServer, locale: str) -> None:
    server.say(Reply(text="Grüß Gott 🌍"))
    ran = hermes.run("-q", "hi", LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", TERM="")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("Gr") and ran.out.endswith("\n")


def test_a_question_of_a_megabyte_arrives_whole(hermes: Hermes, server: ModelServer) -> None:
    hermes.configure("  context_length: 1000000\n")
    server.say(Reply(text="long"))
    assert hermes.run(given="x" * 2**20).out == "long\n"
    assert server.model_requests[0].json["messages"][-1]["content"] == "x" * 2**20
    assert hermes.messages()[0]["content"] == "x" * 2**20


def test_the_longest_argument_that_the_kernel_passes_arrives_whole(
    hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="long"))
    text = "y" * (os.sysconf("SC_PAGE_SIZE") * 32 - 1)
    assert hermes.run("-q", text).status == 0
    assert server.model_requests[0].json["messages"][-1]["content"] == text


@pytest.mark.parametrize("given", [b"a\0b", b"caf\xe9 \xff\xfe", b"\xed\xa0\x80"])
def test_bytes_that_are_no_text_are_replaced(
    hermes: Hermes, server: ModelServer, given: bytes
) -> None:
    server.say(Reply(text="fine"), Reply(text="fine"))
    assert hermes.run(given=given).status == 0
    assert hermes.run("-c", "-q", "again").status == 0
    assert "�" in server.model_requests[1].json["messages"][1]["content"]


def test_arguments_that_are_no_text_are_replaced(hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="fine"))
    ran = shell(hermes, "$H -q $'caf\\xe9'")
    assert (ran.status, ran.err) == (0, "")
    assert server.model_requests[0].json["messages"][-1]["content"].startswith("caf")
