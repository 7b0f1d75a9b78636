"""Model calls are counted once, whoever makes them."""

from hermes_agent.agent.budget import TurnBudget
from hermes_agent.domain.messages import Usage


def test_calls_are_given_until_the_limit() -> None:
    budget = TurnBudget()
    assert not budget.take()
    budget.begin(2)
    assert [budget.take() for _ in range(3)] == [True, True, False]
    budget.begin(1)
    assert budget.take()


def test_a_call_of_a_sub_agent_is_one_of_everybody_above_it() -> None:
    parent = TurnBudget()
    parent.begin(5)
    child = TurnBudget(parent)
    child.begin(10)
    grandchild = TurnBudget(child)
    grandchild.begin(3)
    assert [grandchild.take() for _ in range(4)] == [True, True, True, False]
    assert (parent.left, child.left, grandchild.left) == (2, 2, 0)
    assert child.take()
    assert parent.take()
    assert not child.take()


def test_the_limit_that_was_reached_is_the_nearest_in_the_way() -> None:
    parent = TurnBudget()
    parent.begin(2)
    child = TurnBudget(parent)
    child.begin(1)
    assert child.take()
    assert child.reached == 1
    child.begin(10)
    assert child.take()
    assert not child.take()
    assert child.reached == 2


def test_what_sub_agents_used_is_collected_once() -> None:
    budget = TurnBudget()
    budget.begin(1)
    budget.charge(Usage(input=10, output=1))
    budget.charge(Usage(input=5, cost_usd=0.5))
    assert budget.collect() == Usage(input=15, output=1, cost_usd=0.5)
    assert budget.collect() == Usage()


def test_a_new_turn_owes_nothing_of_the_last() -> None:
    budget = TurnBudget()
    budget.begin(1)
    budget.charge(Usage(input=10))
    budget.begin(1)
    assert budget.collect() == Usage()
