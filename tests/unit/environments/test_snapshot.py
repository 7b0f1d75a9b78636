import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hermes_agent.environments.snapshot import parse

SHELLS = [shell for shell in ("bash", "dash") if shutil.which(shell)]
VALUES = st.binary().map(lambda raw: raw.replace(b"\0", b"")) | st.text(
    "a 'ü\"$`\\\n\t\x1b\x07!{}*~#()\x7f\r"
).map(str.encode)


def left_by(shell: str, variables: dict[str, bytes], cwd: str = "/") -> bytes:
    environ = {"PATH": os.environ["PATH"], **{k: os.fsdecode(v) for k, v in variables.items()}}
    return subprocess.run(
        [shell, "-c", "pwd; export -p"], env=environ, cwd=cwd, capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize("shell", SHELLS)
@settings(deadline=None, max_examples=60)
@given(value=VALUES)
def test_every_value_comes_back_as_the_shell_had_it(shell: str, value: bytes) -> None:
    parsed = parse(left_by(shell, {"VALUE": value, "AFTER": b"after"}))
    assert parsed is not None
    cwd, variables = parsed
    assert cwd == "/"
    assert os.fsencode(variables["VALUE"]) == value
    assert variables["AFTER"] == "after"


def test_a_directory_with_a_strange_name_comes_back(tmp_path_factory: pytest.TempPathFactory):
    strange = tmp_path_factory.mktemp("odd") / "two\nlines \udcff"
    strange.mkdir()
    parsed = parse(left_by("bash", {}, str(strange)))
    assert parsed is not None
    assert parsed[0] == str(strange)


@pytest.mark.parametrize(
    "torn", [b"", b"/usr", b'/usr\ndeclare -x A="unfin', b"\n", b"bash: pwd: error\n"]
)
def test_a_torn_snapshot_is_none(torn: bytes) -> None:
    assert parse(torn) is None


def test_arrays_and_names_without_value_are_left_out() -> None:
    script = "cd /; pwd; declare -ax LIST=(a b); declare -rx FIXED=1; export EMPTY; export -p"
    data = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
    parsed = parse(data)
    assert parsed is not None
    assert "LIST" not in parsed[1]
    assert "EMPTY" not in parsed[1]
    assert parsed[1]["FIXED"] == "1"
