"""A day of traffic leaves nothing behind. The long form: bench/run --only soak."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from bench.daemon.soak import Report

PROJECT = Path(__file__).parents[2]
MESSAGES, SEED, LIVES = 450, 7, 3
ONLY_THE_MODEL_SERVER = 1


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Of a process of its own, where nothing else is counted."""
    root = tmp_path_factory.mktemp("soak")
    program = [sys.executable, "-m", "bench.daemon.soak", str(root)]
    done = subprocess.run(
        [*program, str(MESSAGES), str(SEED), str(LIVES)],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "HOME": str(root)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return msgspec.json.decode(done.stdout, type=Report)


def test_every_message_is_dealt_with_and_its_rows_are_pruned(report: Report) -> None:
    assert report.samples[-1].messages == MESSAGES
    assert report.pruned >= MESSAGES
    assert {(each.rows, each.dead) for each in report.samples + report.lives} == {(0, 0)}


def test_no_process_no_thread_and_no_task_is_left_behind(report: Report) -> None:
    assert {each.children for each in report.samples + report.lives} == {ONLY_THE_MODEL_SERVER}
    assert report.rise("threads") <= 0
    assert report.rise("tasks") <= 0


def test_no_scratch_directory_is_left_behind(report: Report) -> None:
    assert {each.folders for each in report.samples + report.lives} == {0}


def test_no_descriptor_is_left_open(report: Report) -> None:
    # A few connections to the model are kept, as many as were last needed at once.
    assert report.rise("descriptors") <= 4
    assert report.lives[-1].descriptors <= report.samples[-1].descriptors + 4


def test_no_object_is_kept_for_a_message_that_was_answered(report: Report) -> None:
    assert report.rise("objects") < MESSAGES / 2


def test_memory_does_not_grow_with_what_was_answered(report: Report) -> None:
    assert report.slope("memory") < 6  # MB per thousand messages; allocators grow in steps


def test_a_reload_leaves_nothing_of_the_life_before_it(report: Report) -> None:
    first, last = report.lives[0], report.lives[-1]
    assert last.objects - first.objects < 1000
    assert last.threads <= first.threads
    assert last.tasks <= first.tasks
