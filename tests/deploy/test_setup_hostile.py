"""Whatever the agent plants and however it races, root touches nothing outside."""

import os

import pytest

from hermes_agent.deploy.setup import state
from tests.deploy.ground import NO_ROOT
from tests.deploy.hostile import attack

pytestmark = [
    pytest.mark.skipif(bool(NO_ROOT), reason=NO_ROOT or "as root"),
    pytest.mark.timeout(300),
]

ROUNDS = 40


def test_a_hostile_state_directory_leads_root_nowhere() -> None:
    tally = attack(ROUNDS, seed=20)
    assert tally.broken == []
    assert tally.total() == ROUNDS
    # Else nothing but first steps was attacked.
    assert tally["done"] >= ROUNDS // 6


def test_the_attack_would_find_a_set_up_that_follows_links(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "LAST", state.LAST & ~os.O_NOFOLLOW)
    assert attack(240, seed=0, until_broken=True).broken
