"""The log of errors."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.cli.errorlog import MAX_BYTES, ErrorLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "errors.log"


@pytest.fixture
def log(path: Path) -> Iterator[ErrorLog]:
    log = ErrorLog(path, lambda text: text.replace("hunter2", "***"))
    yield log
    log.close()


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("room", logging.ERROR, "file.py", 1, text, None, None)


def test_secrets_never_reach_the_file(log: ErrorLog, path: Path) -> None:
    log.emit(record("the password hunter2 was refused"))
    assert "room: the password *** was refused" in path.read_text()


def test_nothing_is_made_before_there_is_something_to_say(log: ErrorLog, path: Path) -> None:
    assert not path.exists()


def test_a_large_file_is_put_aside_and_two_old_ones_are_kept(log: ErrorLog, path: Path) -> None:
    for number in range(5):
        log.emit(record(f"{number} " + "x" * MAX_BYTES))
    names = sorted(p.name for p in path.parent.glob("errors.log*"))
    assert names == ["errors.log", "errors.log.1", "errors.log.2"]
    assert ": 4 x" in path.read_text()


def test_a_folder_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    ErrorLog(tmp_path / "gone" / "errors.log", str).emit(record("lost"))
    assert not (tmp_path / "gone").exists()
