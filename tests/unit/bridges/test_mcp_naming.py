"""Names of tools: as models accept them, and no two the same."""

from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.bridges.mcp.naming import MOST, named


@given(st.text(max_size=80), st.lists(st.text(max_size=120), unique=True, max_size=30))
def test_every_tool_gets_a_name_of_its_own(server: str, tools: list[str]) -> None:
    names = named(server, tools)
    assert set(names) == set(tools)
    assert len(set(names.values())) == len(tools)
    for name in names.values():
        assert len(name) <= MOST
        assert name.isascii()
        assert name.replace("_", "").isalnum()


def test_no_tool_can_take_the_name_of_another_by_guessing_it() -> None:
    second = named("x", ["a.b", "a/b"])["a/b"]
    names = named("x", [second.removeprefix("mcp_x_"), "a.b", "a/b"])
    assert len(set(names.values())) == 3


def test_a_name_that_is_taken_is_given_to_nobody_else() -> None:
    taken = named("x", ["list_resources"])
    names = named("x", ["list_resources"], taken=taken.values())
    assert names["list_resources"] not in taken.values()
