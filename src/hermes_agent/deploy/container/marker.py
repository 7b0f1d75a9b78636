"""The file `.container-identity` in the state directory: for people, who remove it to get a fresh
container. What it says decides nothing; the container's label does."""

import os
import subprocess
import sys

import msgspec

from hermes_agent.deploy.container.inside import Job, text
from hermes_agent.deploy.container.links import MARKER
from hermes_agent.deploy.setup.account import Account
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.handles import Folder, Unreadable
from hermes_agent.deploy.setup.way import enter
from hermes_agent.deploy.spec import Specification

SECONDS = 30
_MODULE = "hermes_agent.deploy.container.inside"
_LONGEST = 600


def present(spec: Specification) -> bool:
    """Whether something is there under that name, whatever it is. Raises `SetupFailed`."""
    handle = _state(spec)
    try:
        os.stat(MARKER, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return False
    finally:
        os.close(handle)
    return True


def write(spec: Specification, account: Account, identity: str) -> None:
    """Have it written by the service user, if it is not so. Raises `SetupFailed`."""
    handle = _state(spec)
    try:
        if _says(handle, spec, identity):
            return
        job = msgspec.json.encode(Job(handle, spec.state_dir, identity))
        numbers = (account.uid, account.gid, *account.groups)
        done = subprocess.run(
            [sys.executable, "-I", "-m", _MODULE, *map(str, numbers)],
            input=job,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(handle,),
            cwd="/",
            env={},
            start_new_session=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupFailed(f"{MARKER} could not be written: {error}") from error
    finally:
        os.close(handle)
    if done.returncode != 0:
        said = " ".join(done.stdout.decode("utf-8", "replace").split())[:_LONGEST]
        raise SetupFailed(said or f"{MARKER} could not be written")


def _says(handle: int, spec: Specification, identity: str) -> bool:
    with Folder(os.dup(handle), spec.state_dir) as folder:
        try:
            return folder.read(MARKER, len(identity) + 1) == text(identity)
        except Unreadable:
            return False


def _state(spec: Specification) -> int:
    try:
        return enter(spec.state_dir, owners=frozenset((0,)))
    except FileNotFoundError as error:
        raise SetupFailed(
            f"There is no state directory {spec.state_dir}",
            hint="It is made by: hermes deploy prepare",
        ) from error
