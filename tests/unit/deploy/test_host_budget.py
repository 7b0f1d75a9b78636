"""What the host command costs where there is no deployment: one look at a folder."""

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
from hermes_agent.cli.entry import run
run({words})
print([name for name in sys.modules if name.startswith("hermes_agent.deploy")], file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["config", "path"]])
def test_without_a_deployment_nothing_of_it_is_imported(words: list[str]) -> None:
    if Path("/etc/hermes-agent/homes").exists():
        pytest.skip("THE COST WITHOUT A DEPLOYMENT IS NOT TESTED: this machine has one")
    code = CODE.format(words=words)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_with_one_neither_click_nor_msgspec_is_imported_before_it_is_left() -> None:
    code = (
        "import sys, hermes_agent.cli.entry, hermes_agent.deploy.host.crossing as c\n"
        "c.registry.deployments()\n"
        "print({'click', 'msgspec', 'pathlib', 'subprocess', 'asyncio'} & set(sys.modules))"
    )
    bare = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert bare.stdout.strip() == "set()"
