"""The daemon's log files."""

import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hermes_agent.config.schema.safety import Logging
from hermes_agent.gateway import logs
from hermes_agent.gateway.lines import read

LOG = logging.getLogger("hermes_agent.gateway.pump")


@pytest.fixture
def home(home: Path) -> Path:
    home.mkdir(mode=0o700)
    return home


@contextmanager
def logging_to(
    home: Path, settings: Logging | None = None, *, verbose: bool = False, secret: str = "hunter2"
) -> Generator[logs.GatewayLog]:
    handler = logs.start(
        home,
        settings or Logging(),
        lambda text: text.replace(secret, "***"),
        verbose=verbose,
        environ={},
    )
    root = logging.getLogger()
    others = [each for each in root.handlers if each is not handler]
    # What pytest would report of these records cannot be sent from one process to another.
    for each in others:
        root.removeHandler(each)
    try:
        yield handler
    finally:
        for each in others:
            root.addHandler(each)
        logs.stop(handler)
        for name in ("", "hermes_agent"):
            logging.getLogger(name).setLevel(logging.WARNING if not name else logging.NOTSET)


def written(home: Path, name: str = "gateway.log") -> list[str]:
    path = home / "logs" / name
    return path.read_text().splitlines() if path.exists() else []


def test_a_record_is_one_line_with_time_level_name_and_fields(home: Path) -> None:
    with logging_to(home):
        LOG.info("sent %d parts", 2, extra={"chat": "42", "took s": 1.5, "note": 'a "b"', "no": ""})
    (line,) = written(home)
    found = read(line)
    assert found
    assert (found.level, found.name) == ("INFO", "pump")
    assert found.text == 'sent 2 parts chat=42 "took s"=1.5 note="a \\"b\\"" no=""'


def test_warnings_and_errors_stand_in_both_files(home: Path) -> None:
    with logging_to(home):
        LOG.info("fine")
        LOG.warning("hm")
        LOG.error("oh")
    assert len(written(home)) == 3
    assert [line.rpartition(" ")[2] for line in written(home, "errors.log")] == ["hm", "oh"]


def test_a_traceback_stays_in_its_line(home: Path) -> None:
    with logging_to(home):
        try:
            raise ValueError("first\nsecond")
        except ValueError:
            LOG.exception("it failed")
    (line,) = written(home)
    assert "it failed\\nTraceback" in line
    assert "ValueError: first\\nsecond" in line


def test_a_message_from_outside_can_neither_forge_a_line_nor_reach_the_terminal(
    home: Path,
) -> None:
    evil = "hi\n2026-01-01T00:00:00.000Z ERROR x: forged\r\x1b[2J\x9b31m\u202e\u2028\ud800\x00"
    with logging_to(home):
        LOG.info("said: %s", evil, extra={"who": evil})
    (line,) = written(home)
    assert line.isprintable()
    assert "\\x1b[2J\\x9b31m\\u202e\\u2028\\ud800\\x00" in line


def test_an_endless_message_is_cut(home: Path) -> None:
    with logging_to(home):
        LOG.info("x" * 10_000_000)
    (line,) = written(home)
    assert len(line) < 17_000
    assert line.endswith("more characters)")


def test_secrets_are_blanked_in_messages_fields_and_tracebacks(home: Path) -> None:
    with logging_to(home):
        LOG.info("key %s", "hunter2", extra={"url": "http://x/hunter2"})
        try:
            raise ValueError("hunter2")
        except ValueError:
            LOG.exception("hunter2")
    for name in ("gateway.log", "errors.log"):
        assert "hunter2" not in "".join(written(home, name))
        assert "***" in "".join(written(home, name))


def test_the_level_decides_about_ours_and_libraries_only_warn(home: Path) -> None:
    with logging_to(home):
        LOG.debug("no")
        LOG.info("yes")
        logging.getLogger("telegram").info("no")
        logging.getLogger("telegram").warning("yes")
    with logging_to(home, Logging(level="ERROR")):
        LOG.warning("no")
        logging.getLogger("telegram").warning("no")
    with logging_to(home, verbose=True):
        LOG.debug("yes")
    assert [line.rpartition(" ")[2] for line in written(home)] == ["yes"] * 3


def test_files_are_turned_over_at_their_size_and_so_many_old_ones_stay(home: Path) -> None:
    with logging_to(home, Logging(max_size_mb=1, backup_count=2)):
        for number in range(400):
            LOG.info("%d %s", number, "x" * 10_000)
    names = sorted(path.name for path in (home / "logs").iterdir())
    assert names == ["gateway.log", "gateway.log.1", "gateway.log.2"]
    for name in names:
        assert 0 < (home / "logs" / name).stat().st_size <= 2**20
    kept = [line.split()[3] for name in reversed(names) for line in written(home, name)]
    assert kept == [str(number) for number in range(400 - len(kept), 400)]


def test_with_no_old_files_kept_the_one_begins_anew(home: Path) -> None:
    with logging_to(home, Logging(max_size_mb=1, backup_count=0)):
        for _ in range(150):
            LOG.info("x" * 10_000)
    assert [path.name for path in (home / "logs").iterdir()] == ["gateway.log"]
    assert (home / "logs" / "gateway.log").stat().st_size <= 2**20


def test_a_file_that_was_moved_away_or_deleted_is_begun_anew(home: Path) -> None:
    with logging_to(home) as handler:
        LOG.info("one")
        logs.stop(handler)
    (home / "logs" / "gateway.log").rename(home / "logs" / "moved")
    with logging_to(home):
        LOG.info("two")
    assert len(written(home, "moved")) == len(written(home)) == 1


def test_two_processes_that_share_a_file_lose_no_line_at_its_turns(home: Path) -> None:
    program = textwrap.dedent("""
        import logging, sys
        from pathlib import Path
        from hermes_agent.config.schema.safety import Logging
        from hermes_agent.gateway import logs
        kept = logs.start(Path(sys.argv[1]), Logging(max_size_mb=1, backup_count=9), str)
        for number in range(250):
            logging.getLogger("hermes_agent").info("%s-%d %s", sys.argv[2], number, "x" * 8000)
        logs.stop(kept)
    """)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(home), name], stderr=subprocess.DEVNULL
        )
        for name in ("a", "b")
    ]
    assert [process.wait() for process in running] == [0, 0]
    found = {
        line.split()[3]
        for path in (home / "logs").iterdir()
        if path.name.startswith("gateway.log")
        for line in written(home, path.name)
    }
    assert found == {f"{name}-{number}" for name in "ab" for number in range(250)}


def test_modes_follow_the_home_and_stay_when_files_turn_over(home: Path) -> None:
    home.chmod(0o2770)
    with logging_to(home, Logging(max_size_mb=1, backup_count=1)):
        LOG.error("first")
    assert (home / "logs").stat().st_mode & 0o7777 == 0o2770
    for name in ("gateway.log", "errors.log"):
        assert (home / "logs" / name).stat().st_mode & 0o777 == 0o660
    (home / "logs" / "gateway.log").chmod(0o640)
    with logging_to(home, Logging(max_size_mb=1, backup_count=1)):
        for _ in range(150):
            LOG.info("x" * 10_000)
    for name in ("gateway.log", "gateway.log.1"):
        assert (home / "logs" / name).stat().st_mode & 0o777 == 0o640


def test_a_private_home_has_private_logs(home: Path) -> None:
    with logging_to(home):
        LOG.error("x")
    assert (home / "logs").stat().st_mode & 0o777 == 0o700
    assert (home / "logs" / "gateway.log").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_costs_the_log_only_and_the_loss_is_told_later(home: Path) -> None:
    (home / "logs").mkdir()
    log = home / "logs" / "gateway.log"
    with logging_to(home) as handler:
        log.symlink_to("/dev/full")  # not followed: the disk that takes nothing
        LOG.info("lost")
        LOG.info("lost too")
        handler.settle()
        assert handler.lost == 2
        log.unlink()
        LOG.info("kept")
    assert [line.partition(": ")[2] for line in written(home)] == [
        "kept",
        "2 log records could not be written",
    ]


def test_a_line_that_was_torn_by_a_full_disk_does_not_swallow_the_next(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from hermes_agent.gateway.logfile import LogFile
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        log = LogFile(Path(sys.argv[1]), most=0, kept=0, mode=0o600)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
        try:
            log.write("0123456789abcdef")
        except OSError:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            log.write("whole")
    """)
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "log")], check=True)
    assert (tmp_path / "log").read_text() == "0123456789\nwhole\n"


def test_a_record_that_does_not_fit_its_arguments_is_named(home: Path) -> None:
    with logging_to(home):
        LOG.info("%d", "hunter2")
    (line,) = written(home)
    assert "test_logs.py" in line
    assert "TypeError" in line
    assert "hunter2" not in line


def run_with_stderr(home: Path, stderr: int, journal: str = "") -> None:
    program = textwrap.dedent("""
        import logging, sys
        from pathlib import Path
        from hermes_agent.config.schema.safety import Logging
        from hermes_agent.gateway import logs
        kept = logs.start(Path(sys.argv[1]), Logging(), str)
        logging.getLogger("hermes_agent.gateway.pump").error("oh\\nno")
        logs.stop(kept)
    """)
    environ = {**os.environ, "JOURNAL_STREAM": journal}
    subprocess.run([sys.executable, "-c", program, str(home)], stderr=stderr, env=environ)


def test_in_the_journal_lines_carry_priorities_and_no_time_of_their_own(home: Path) -> None:
    reading, writing = os.pipe()
    about = os.fstat(writing)
    run_with_stderr(home, writing, f"{about.st_dev}:{about.st_ino}")
    os.close(writing)
    with os.fdopen(reading) as file:
        assert file.read() == "<3>pump: oh\\nno\n"


def test_standard_error_that_somebody_reads_gets_whole_lines(home: Path) -> None:
    reading, writing = os.pipe()
    run_with_stderr(home, writing, "1:1")
    os.close(writing)
    with os.fdopen(reading) as file:
        assert file.read().splitlines() == written(home)


def test_standard_error_into_a_file_is_not_a_second_log(home: Path, tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("wb") as file:
        run_with_stderr(home, file.fileno())
    assert (tmp_path / "stderr").read_bytes() == b""


def test_a_terminal_that_is_stopped_holds_up_neither_the_daemon_nor_its_log(home: Path) -> None:
    reading, writing = os.pipe()
    program = textwrap.dedent("""
        import logging, sys
        from pathlib import Path
        from hermes_agent.config.schema.safety import Logging
        from hermes_agent.gateway import logs
        kept = logs.start(Path(sys.argv[1]), Logging(), str)
        for number in range(50_000):
            logging.getLogger("hermes_agent").info("x" * 100)
        print(kept.lost, flush=True)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stderr=writing, stdout=subprocess.PIPE
    )
    os.close(writing)
    assert process.stdout
    assert int(process.stdout.readline()) > 30_000
    process.kill()
    process.communicate()
    os.close(reading)
