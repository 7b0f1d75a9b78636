"""A package that root runs leads to nothing that others may change."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.deploy import reading
from hermes_agent.deploy.applying.trust import Untrusted, require_package

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="NO PACKAGE OF ROOT'S: needs root")


class Package:
    """One of root's, in a folder of root's, and somebody's folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "package"
        self.packages = self.folder / "lib" / "python3.11" / "site-packages"
        self.packages.mkdir(parents=True)
        (self.folder / "bin").mkdir()
        self.theirs = folder / "theirs"
        self.theirs.mkdir()
        os.chown(self.theirs, 65534, 65534)
        self.program("#!/bin/sh\n")

    def program(self, text: str) -> None:
        (self.folder / "bin" / "hermes").write_text(text)
        (self.folder / "bin" / "hermes").chmod(0o755)

    def require(self) -> None:
        require_package(reading.parse(json.dumps({"package": str(self.folder)})))


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    before = os.umask(0o022)
    yield Package(tmp_path)
    os.umask(before)


def test_what_is_all_of_roots_may_run(package: Package) -> None:
    (package.folder.parent / "ours").mkdir()
    text = f"# {package.theirs}\n{package.folder.parent}/ours\nimport os\nrelative\n/none\n"
    (package.packages / "ours.pth").write_text(text)
    package.program(f"#!/bin/sh\necho {package.theirs}\n")
    (package.packages / "__pycache__").mkdir()
    (package.packages / "__pycache__").chmod(0o770)
    package.require()


@pytest.mark.parametrize(
    "text", ["#!{}/python3\n", "#! {}/python3 -I\n", "#!/bin/sh\n'''exec' \"{}/python3\" \"$0\"\n"]
)
def test_an_interpreter_of_somebody_elses_is_refused(package: Package, text: str) -> None:
    (package.theirs / "python3").touch(0o755)
    package.program(text.format(package.theirs))
    with pytest.raises(Untrusted, match="theirs belongs to uid 65534"):
        package.require()


def test_somebody_elses_folder_on_pythons_path_is_refused(package: Package) -> None:
    (package.packages / "_editable.pth").write_text(f"{package.theirs}\n")
    with pytest.raises(Untrusted, match="theirs belongs to uid 65534"):
        package.require()


def test_a_file_of_somebody_elses_in_such_a_folder_is_refused(package: Package) -> None:
    os.chown(package.theirs, 0, 0)
    (package.theirs / "sitecustomize.py").touch()
    os.chown(package.theirs / "sitecustomize.py", 65534, 65534)
    (package.packages / "_editable.pth").write_text(f"{package.theirs}\n")
    with pytest.raises(Untrusted, match=r"sitecustomize\.py belongs to uid 65534"):
        package.require()


def test_an_editable_installation_by_a_finder_is_refused(package: Package) -> None:
    text = "import __editable___hermes_finder; __editable___hermes_finder.install()\n"
    (package.packages / "__editable__.hermes.pth").write_text(text)
    with pytest.raises(Untrusted, match="editable installation"):
        package.require()
