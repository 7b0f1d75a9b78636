"""Killed at random instants, the daemon loses no message and does nothing twice.

The long form: python -m tests.crash --rounds 300
"""

from pathlib import Path

import pytest

from tests.crash.harness import Harness


@pytest.mark.parametrize(
    ("honours_keys", "streaming"), [(True, True), (False, False)], ids=["grows", "whole"]
)
def test_kill_9_at_any_instant_loses_nothing(
    tmp_path: Path, honours_keys: bool, streaming: bool
) -> None:
    harness = Harness(tmp_path, seed=7, honours_keys=honours_keys, streaming=streaming)
    outcome = harness.run(6)
    assert outcome.faults == [], outcome.table()
    assert outcome.rounds == 6
    assert outcome.tool_runs > 0


def test_kill_9_while_conversations_are_shortened_loses_nothing(tmp_path: Path) -> None:
    harness = Harness(tmp_path, seed=11, honours_keys=True, streaming=True, narrow=True)
    outcome = harness.run(12)
    assert outcome.faults == [], outcome.table()
    assert outcome.shortened > 0, outcome.table()
