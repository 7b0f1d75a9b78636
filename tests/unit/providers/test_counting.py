"""Numbers of tokens, as vendors give them."""

import math

import pytest

from hermes_agent.providers.wires.reading import count


@pytest.mark.parametrize("said", [None, "12", -3, math.nan, [], {}])
def test_what_is_no_number_of_tokens_counts_as_none(said: object) -> None:
    assert count(said) == 0


@pytest.mark.parametrize("said", [2**62, 2**64, 1e300, math.inf])
def test_a_million_absurd_numbers_can_still_be_summed_by_the_store(said: float) -> None:
    assert 0 < count(said) * 1_000_000 < 2**63
