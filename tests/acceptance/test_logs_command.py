"""`hermes logs`."""

import fcntl
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from hermes_agent.gateway.lines import write
from hermes_agent.gateway.logfile import LogFile
from tests.acceptance.hermes import Hermes

NOW = time.time()


@pytest.fixture
def hermes(home: Path, tmp_path: Path) -> Hermes:
    hermes = Hermes(home, tmp_path, "http://127.0.0.1:9")
    (home / "logs").mkdir()
    return hermes


def log(hermes: Hermes, name: str = "gateway.log", *, most: int = 0) -> Callable[..., None]:
    file = LogFile(hermes.home / "logs" / name, most=most, kept=3, mode=0o600)

    def add(text: str, level: str = "INFO", at: float = NOW) -> None:
        file.write(write(at, level, "pump", text))
        file.close()

    return add


def texts(out: str) -> list[str]:
    return [line.partition("pump: ")[2] for line in out.splitlines()]


def test_the_last_records_are_shown_newest_last(hermes: Hermes) -> None:
    add = log(hermes)
    for number in range(60):
        add(str(number))
    assert texts(hermes.run("logs").out) == [str(number) for number in range(10, 60)]
    assert texts(hermes.run("logs", "-n", "2").out) == ["58", "59"]


def test_files_that_were_turned_over_are_read_too(hermes: Hermes) -> None:
    add = log(hermes, most=1000)
    for number in range(40):
        add(str(number))
    assert (hermes.home / "logs" / "gateway.log.1").exists()
    assert texts(hermes.run("logs", "-n", "30").out) == [str(number) for number in range(10, 40)]


def test_records_are_chosen_by_level_time_and_words(hermes: Hermes) -> None:
    add = log(hermes)
    add("old", "ERROR", NOW - 7200)
    add("quiet", "DEBUG")
    add("Hm", "WARNING")
    add("oh", "ERROR")
    assert texts(hermes.run("logs", "--level", "warning").out) == ["old", "Hm", "oh"]
    assert texts(hermes.run("logs", "--since", "1h").out) == ["quiet", "Hm", "oh"]
    assert texts(hermes.run("logs", "--grep", "h[m]").out) == ["Hm"]
    assert texts(hermes.run("logs", "--since", "30m", "--level", "error").out) == ["oh"]


def test_errors_of_commands_are_read_with_their_tracebacks(hermes: Hermes) -> None:
    (hermes.home / "logs" / "errors.log").write_text(
        "2026-03-14 15:09:26,535 ERROR hermes: it failed\n"
        "Traceback (most recent call last):\n"
        "ValueError: \x1b[2Jboo\n"
        "2026-03-14 15:09:27,000 WARNING hermes: hm\n"
    )
    ran = hermes.run("logs", "--errors", "--level", "error")
    assert ran.out.splitlines() == [
        "2026-03-14 15:09:26,535 ERROR hermes: it failed",
        "Traceback (most recent call last):",
        "ValueError: \\x1b[2Jboo",
    ]


def test_without_a_log_it_says_where_it_looked(hermes: Hermes) -> None:
    ran = hermes.run("logs")
    assert (ran.status, ran.out) == (0, "")
    assert str(hermes.home / "logs" / "gateway.log") in ran.err


@pytest.mark.parametrize("wrong", [["--since", "soon"], ["--grep", "("], ["-n", "-1"]])
def test_a_wish_that_makes_no_sense_is_wrong_usage(hermes: Hermes, wrong: list[str]) -> None:
    assert hermes.run("logs", *wrong).status == 2


def test_a_log_that_may_not_be_read_is_named(hermes: Hermes) -> None:
    (hermes.home / "logs" / "gateway.log").mkdir()
    ran = hermes.run("logs")
    assert ran.status == 1
    assert "gateway.log" in ran.err


def next_text(out: IO[bytes]) -> str:
    return out.readline().decode().strip().partition("pump: ")[2]


def test_following_goes_on_over_turns_of_the_file_and_ends_quietly(hermes: Hermes) -> None:
    add = log(hermes, most=1000)
    add("before")
    with hermes.started("logs", "-f") as running:
        assert running.stdout
        assert running.stderr
        assert next_text(running.stdout) == "before"
        for number in range(40):
            add(str(number))
            assert next_text(running.stdout) == str(number)
        running.send_signal(signal.SIGINT)
        assert running.wait() == 0
        assert running.stderr.read() == b""


def test_following_waits_for_a_log_that_is_not_there_yet(hermes: Hermes) -> None:
    with hermes.started("logs", "-f") as running:
        assert running.stdout
        log(hermes)("first")
        assert next_text(running.stdout) == "first"


def test_a_reader_that_leaves_is_no_error(hermes: Hermes) -> None:
    add = log(hermes)
    for _ in range(2000):
        add("x" * 200)
    with hermes.started("logs", "-n", "2000") as running:
        assert running.stdout
        fcntl.fcntl(running.stdout, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGESIZE"))
        running.stdout.readline()
        running.stdout.close()
        assert running.wait() in (1, 141)
        assert running.stderr
        assert running.stderr.read() == b""
        running.stdout = None
