"""The ladder of matchers behind mode=replace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.tools.patching.find import replace
from hermes_agent.tools.patching.v4a import PatchFault

CODE = """\
class Shop:
    def price(self, item):
        if item in self.sale:
            return self.half(item)
        return self.full(item)

    def half(self, item):
        return self.full(item) / 2
"""

WORDS = st.text("ab \n", max_size=12)


@given(before=WORDS, after=WORDS, new=WORDS)
def test_an_exact_match_changes_that_place_and_nothing_else(
    before: str, after: str, new: str
) -> None:
    replaced = replace(f"{before}OLD{after}", "OLD", new)
    assert replaced.text == before + new + after
    assert replaced.matcher == "exact"


@pytest.mark.parametrize(
    ("matcher", "old", "new", "now"),
    [
        (
            "trailing spaces",
            "        return self.full(item)  \n\n    def half",
            "        return 1\n\n    def half",
            None,
        ),
        (
            "shifted indentation",
            "if item in self.sale:\n    return self.half(item)\n",
            "if item in self.sale:\n    if item:\n        return 0\n",
            "        if item in self.sale:\n            if item:\n                return 0\n",
        ),
        (
            "indentation",
            "  if item in self.sale:\n    return self.half(item)\n",
            "  if item in self.sale:\n    return 0\n",
            "        if item in self.sale:\n            return 0\n",
        ),
        (
            "white space",
            "    def price( self,item ):\n",
            "    def price(self):\n",
            "    def price(self):\n",
        ),
        (
            "escapes",
            "return self.half(item)\\n        return self.full(item)",
            "return 0\\n        return 1",
            "            return 0\n        return 1\n",
        ),
        (
            "similar middle",
            "        if item in self.sale:\n            return self.halve(item)\n"
            "        return self.full(item)\n",
            "        return 0\n",
            "    def price(self, item):\n        return 0\n\n",
        ),
    ],
)
def test_forgiving_matches_keep_the_files_indentation(
    matcher: str, old: str, new: str, now: str | None
) -> None:
    if matcher == "trailing spaces":
        old, new = old.replace("def half", "def half(self, item):"), new + "(self, item):"
        now = "        return 1\n\n    def half(self, item):\n        return self.full(item) / 2\n"
    replaced = replace(CODE, old, new)
    assert replaced.matcher == matcher
    assert now is not None
    assert now in replaced.text
    untouched = CODE.split("\n")[0]
    assert replaced.text.startswith(untouched)


def test_typographic_quotes_and_dashes_match_plain_ones() -> None:
    replaced = replace("say “hello” – now\nbye\n", 'say "hello" - now', "say it")
    assert replaced.text == "say it\nbye\n"
    assert replaced.matcher == "typography"


def test_spaces_for_tabs_are_brought_back_to_tabs() -> None:
    text = "def f():\n\tif x:\n\t\treturn 1\n"
    new = "    if y:\n        return 2\n            # deeper\n"
    replaced = replace(text, "    if x:\n        return 1\n", new)
    assert replaced.text == "def f():\n\tif y:\n\t\treturn 2\n\t\t    # deeper\n"


@given(
    names=st.lists(
        st.text("abcdefgh", min_size=3, max_size=6), min_size=2, max_size=6, unique=True
    ),
    depth=st.integers(1, 4),
)
def test_a_block_written_at_the_margin_goes_where_it_belongs(names: list[str], depth: int) -> None:
    margin = "    " * depth
    block = [f"{name}:" if i % 2 == 0 else f"    {name}()" for i, name in enumerate(names)]
    text = "start\n" + "".join(f"{margin}{line}\n" for line in block) + "end\n"
    new = [line.upper() for line in block]
    replaced = replace(text, "\n".join(block) + "\n", "\n".join(new) + "\n")
    assert replaced.text == "start\n" + "".join(f"{margin}{line}\n" for line in new) + "end\n"


def test_two_places_are_refused_with_their_lines_unless_all_are_wanted() -> None:
    with pytest.raises(PatchFault, match=r"2 times \(lines 1, 3\)"):
        replace("a\nb\na\n", "a", "c")
    assert replace("a\nb\na\n", "a", "c", every=True).text == "c\nb\nc\n"


def test_a_forgiving_matcher_also_wants_one_place_only() -> None:
    with pytest.raises(PatchFault, match="2 times"):
        replace("  x = 1\n    x = 1\n", "x  =  1\n", "y\n")


def test_what_is_not_there_names_the_closest_line() -> None:
    with pytest.raises(PatchFault, match=r"closest is line 4: return self\.half"):
        replace(CODE, "return self.halves(item)\nelse", "")


@pytest.mark.parametrize(("old", "new"), [("", "x"), ("\n", "x"), ("a", "a")])
def test_what_means_nothing_is_refused(old: str, new: str) -> None:
    with pytest.raises(PatchFault):
        replace("a\n", old, new)


@given(text=st.text("ab \t\n", max_size=30), old=st.text("ab \t\n", min_size=1, max_size=8))
def test_whatever_is_asked_the_answer_is_a_text_or_a_fault(text: str, old: str) -> None:
    try:
        replaced = replace(text, old, "NEW")
    except PatchFault:
        return
    assert replaced.count == 1
    assert "NEW" in replaced.text
