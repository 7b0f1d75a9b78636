"""Ground to set deployments up on: everything that belongs to root lies in one folder of /tmp."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from hermes_agent.deploy import reading
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.deploy.setup.prepare import Prepared, prepare
from hermes_agent.deploy.spec import Specification

NO_ROOT = "" if os.geteuid() == 0 else "NO DEPLOYMENT IS SET UP: needs root"
USER = next((each.pw_name for each in pwd.getpwall() if each.pw_name == "games"), "nobody")
"""Some user of this machine who owns nothing."""


class Ground:
    """`folder` may be entered by everybody, as /var may."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.home = self.state / ".hermes"
        self.config = self.home / "config.yaml"
        self.roots = Roots(folder / "etc", folder / "records", folder / "run")
        account = pwd.getpwnam(USER)
        self.uid = account.pw_uid
        self.gid = account.pw_gid

    def spec(self, **keys: Any) -> Specification:
        """A specification with these keys of JSON over the usual ones."""
        import grp

        usual: dict[str, Any] = {
            "package": "/usr",
            "user": USER,
            "group": grp.getgrgid(self.gid).gr_name,
            "stateDir": str(self.state),
            "manager": "nixos",
        }
        return reading.parse(msgspec.json.encode({**usual, **keys}).decode())

    def prepare(self, spec: Specification | None = None, **keys: Any) -> Prepared:
        """Set it up."""
        spec = spec or self.spec(**keys)
        return prepare(spec, Places.of(spec, self.roots))

    def file(self, name: str, text: str, mode: int = 0o600) -> str:
        """A file of root's; its path."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def own(self, path: Path) -> Path:
        """Give something to the service user."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path

    def environment(self, name: str = "hermes-agent") -> str:
        """What the service will read."""
        return (self.roots.runtime / name / "environment").read_text()


@contextmanager
def ground() -> Generator[Ground]:
    """One that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hermes-ground-", dir="/tmp"))
    folder.chmod(0o755)
    mask = os.umask(0o022)
    try:
        yield Ground(folder)
    finally:
        os.umask(mask)
        shutil.rmtree(folder, ignore_errors=True)


def seen(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Everything below a folder: kind, mode, owner, times, content."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        about = path.lstat()
        content = (
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        )
        found[str(path.relative_to(folder))] = (
            oct(about.st_mode),
            about.st_uid,
            about.st_gid,
            about.st_mtime_ns,
            about.st_ctime_ns,
            about.st_ino,
            content,
        )
    return found
