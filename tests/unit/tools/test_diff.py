"""The unified diff shown for an edit."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hermes_agent.tools.patching.diff import unified

LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=30)


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs GNU patch")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=LINES, after=LINES, end=st.sampled_from(["", "\n"]))
def test_gnu_patch_makes_the_new_file_of_the_old(
    tmp_path: Path, before: list[str], after: list[str], end: str
) -> None:
    old, new = "x\n" + "\n".join(before) + "\n", "x\n" + "\n".join(after) + end
    diff = unified(old, new, "file")
    if not diff:
        assert old == new
        return
    file = tmp_path / "file"
    file.write_text(old)
    done = subprocess.run(
        ["patch", "-s", "-F0", str(file)], input=diff, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert file.read_text() == new


def test_line_numbers_are_those_of_the_whole_file() -> None:
    old = "".join(f"{n}\n" for n in range(1, 1001))
    diff = unified(old, old.replace("\n500\n", "\nfive hundred\n"), "f")
    assert "@@ -497,7 +497,7 @@" in diff
    assert "-500\n+five hundred\n" in diff


def test_a_change_of_everything_in_a_large_file_is_only_counted() -> None:
    old = "".join(f"{n}\n" for n in range(20_000))
    new = "".join(f"{n}\n" for n in range(20_000, 40_000))
    assert unified(old, new, "f").endswith("@@ 20000 lines became 20000 @@\n")
