"""`hermes version`: first aid, so it works where nothing else does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hermes_agent.version import VERSION_LINE


def version(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hermes_agent", "version", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HOME": "/nonexistent"},
        {"HOME": "/proc"},
        {"HOME": "/dev/null"},
        {"HOME": "", "HERMES_HOME": "/dev/null/x"},
        {"HERMES_MANAGED": "true", "HERMES_HOME": "/nonexistent"},
    ],
)
def test_it_needs_no_home_and_makes_none(environ: dict[str, str]) -> None:
    assert version(environ).splitlines()[0] == VERSION_LINE
    assert not Path("/nonexistent").exists()


def test_a_home_with_a_torn_configuration_does_not_matter(home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("{torn")
    assert version({"HERMES_HOME": str(home)}).splitlines()[0] == VERSION_LINE
    assert os.listdir(home) == ["config.yaml"]


def test_the_revision_of_a_package_is_shown() -> None:
    assert "\nRevision: 4dfd138c\n" in version({"HERMES_REVISION": "4dfd138c"})
    assert json.loads(version({"HERMES_REVISION": "4dfd138c"}, "--json"))["revision"] == "4dfd138c"
    assert "Revision" not in version({})
    assert "\x1b" not in version({"HERMES_REVISION": "\x1b[31mred"})
