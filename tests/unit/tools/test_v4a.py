"""The V4A patch format, read and applied to one text."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.tools.patching.hunks import apply
from hermes_agent.tools.patching.v4a import Add, Delete, PatchFault, Update, parse, paths_in

LINE = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=8)


def update(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", "*** Update File: f", *lines, "*** End Patch"])


def applied(text: str, patch: str) -> str:
    (change,) = parse(patch)
    assert isinstance(change, Update)
    return apply(text, change.hunks, change.path)


def generated(old: list[str], new: list[str]) -> str:
    """The patch that a careful model would write for this change."""
    lines: list[str] = []
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(3):
        lines.append("@@")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [f" {line}" for line in old[i1:i2]]
            else:
                lines += [f"-{line}" for line in old[i1:i2]]
                lines += [f"+{line}" for line in new[j1:j2]]
    return update(*lines)


def text_of(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@given(
    old=st.lists(LINE, max_size=25, unique=True), new=st.lists(LINE, max_size=25), data=st.data()
)
def test_applying_a_generated_patch_gives_the_target(
    old: list[str], new: list[str], data: st.DataObject
) -> None:
    kept = data.draw(st.lists(st.sampled_from(old), unique=True) if old else st.just([]))
    target = [line for line in old if line in kept] + new
    if old == target:
        return
    assert applied(text_of(old), generated(old, target)) == text_of(target)


@given(
    old=st.lists(st.sampled_from("abc"), max_size=20),
    new=st.lists(st.sampled_from("abc"), max_size=20),
)
def test_among_lines_that_repeat_the_result_is_right_or_refused(
    old: list[str], new: list[str]
) -> None:
    if old == new:
        return
    try:
        result = applied(text_of(old), generated(old, new))
    except PatchFault as fault:
        assert "fits" in fault.message
    else:
        assert result == text_of(new)


def test_all_kinds_of_changes_are_read() -> None:
    patch = """\
*** Begin Patch
*** Add File: new.txt
+one
+
+three
*** Delete File: gone.txt
*** Update File: here.py
*** Move to: there.py
@@ class A:
@@     def f():
 a
-b
+c
*** End Patch
"""
    add, delete, change = parse(patch)
    assert add == Add("new.txt", "one\n\nthree\n")
    assert delete == Delete("gone.txt")
    assert isinstance(change, Update)
    assert (change.path, change.move_to) == ("here.py", "there.py")
    assert change.hunks[0].anchors == ("class A:", "def f():")
    assert paths_in(patch) == ["new.txt", "gone.txt", "here.py", "there.py"]


def test_an_anchor_chooses_among_places_that_look_the_same() -> None:
    text = "def a():\n    x = 1\ndef b():\n    x = 1\n"
    changed = applied(text, update("@@ def b():", "-    x = 1", "+    x = 2"))
    assert changed == "def a():\n    x = 1\ndef b():\n    x = 2\n"


def test_without_an_anchor_places_that_look_the_same_are_refused() -> None:
    with pytest.raises(PatchFault, match="fits 2 places"):
        applied("x\ny\nx\n", update("-x", "+z"))


def test_context_stays_as_the_file_has_it_and_additions_take_its_indentation() -> None:
    text = "if a:\n\tb()  \n\tc()\n"
    changed = applied(text, update(" if a:", "     b()", "-    c()", "+    d()"))
    assert changed == "if a:\n\tb()  \n\td()\n"


def test_lines_for_the_end_of_the_file_are_only_sought_there() -> None:
    changed = applied("x\ny\nx\n", update("-x", "+z", "*** End of File"))
    assert changed == "x\ny\nz\n"


def test_a_last_line_without_an_end_stays_without() -> None:
    assert applied("a\nb", update("-b", "+c")) == "a\nc"


def test_additions_after_an_anchor_and_at_the_end() -> None:
    assert applied("a\nb\n", update("@@ a", "+new")) == "a\nnew\nb\n"
    assert applied("a\nb\n", update("@@", "+new")) == "a\nb\nnew\n"
    assert applied("", update("+new")) == "new\n"


def test_content_that_looks_like_the_format_is_content() -> None:
    changed = applied("*** End Patch\nb\n", update(" *** End Patch", "-b", "+*** Begin Patch"))
    assert changed == "*** End Patch\n*** Begin Patch\n"


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ("", "holds no change"),
        ("*** Begin Patch\nhello\n*** End Patch", "Line 2"),
        ("*** Begin Patch\n*** Add File: a\nno plus\n*** End Patch", "starts with \\+"),
        ("*** Begin Patch\n*** Update File: a\n*** End Patch", "no hunk for a"),
        ("*** Begin Patch\n*** Update File:\n@@\n*** End Patch", "names no file"),
        ("*** Begin Patch\n*** Update File: a\n@@\n a\n?b\n*** End Patch", "Line 5"),
    ],
)
def test_a_patch_that_cannot_be_read_says_where(patch: str, said: str) -> None:
    with pytest.raises(PatchFault, match=said):
        parse(patch)


def test_lines_that_are_not_there_are_shown() -> None:
    with pytest.raises(PatchFault, match="Hunk 1 of f: these lines are not there:\nnope"):
        applied("a\n", update("-nope", "+x"))
    with pytest.raises(PatchFault, match="no line reads 'def g'"):
        applied("a\n", update("@@ def g", "-a", "+x"))
