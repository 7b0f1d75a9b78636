"""How the benchmark measures."""

import sys

import pytest
from bench.measures.same_prefix import share
from bench.pacing import PacedServer
from bench.processes import run
from bench.stage import CannotMeasure, Stage
from bench.terminal import ASK_CURSOR, watch

MEGABYTE = 1_000_000


def test_a_small_programs_peak_memory_is_its_own_however_large_the_benchmark_is() -> None:
    ballast = b"x" * (100 * MEGABYTE)
    with Stage(runs=1) as stage:
        peak = run(stage, stage.bare_python).peak
        grown = run(stage, [sys.executable, "-c", "len(b'x' * 60_000_000)"]).peak
    assert peak < 50 < 60 < grown < len(ballast) / MEGABYTE


def test_a_command_that_fails_is_not_measured() -> None:
    with Stage(runs=1) as stage, pytest.raises(CannotMeasure, match="no such wonder"):
        run(stage, [sys.executable, "-c", "raise SystemExit('no such wonder')"])


def test_the_share_of_a_request_is_its_beginning_that_comes_again() -> None:
    assert share(b"abcd", b"abcdef") == 1.0
    assert share(b"abc]", b"abc,d]") == 0.75
    assert share(b"abcd", b"xabcd") == 0.0


def test_a_program_that_asks_its_terminal_for_the_cursor_gets_an_answer() -> None:
    ask = (
        "import sys; sys.stdout.write('\\x1b[6n'); sys.stdout.flush(); "
        "print(' heard', repr(sys.stdin.read(6)), flush=True)"
    )
    with Stage(runs=1) as stage:
        shown = watch(stage, [sys.executable, "-c", ask], through="terminal")
    assert ASK_CURSOR in shown.data
    assert b"heard '\\x1b[1;1R'" in shown.data


def test_the_bare_loop_shows_every_token_of_the_paced_server_after_it_was_sent() -> None:
    with Stage(runs=1) as stage, PacedServer(3, 0.001) as server:
        command = stage.floor("bare_loop", server.base_url, "go")
        shown = watch(stage, command, through="pipe")
    assert shown.data == b"w0 w1 w2 "
    assert all(shown.when(f"w{n} ".encode())[0] > at for n, at in enumerate(server.sent))


def test_a_program_that_ends_before_it_shows_what_is_waited_for_cannot_be_measured() -> None:
    with Stage(runs=1) as stage:
        shown = watch(
            stage,
            [sys.executable, "-c", "print('good-bye')"],
            through="terminal",
            until=lambda shown: b"hello" in shown.data,
        )
    with pytest.raises(CannotMeasure, match="good-bye"):
        shown.when(b"hello")
