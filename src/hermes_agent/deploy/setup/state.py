"""The state directory, opened so that it is the one that was meant."""

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager

from hermes_agent.deploy.setup.account import Account
from hermes_agent.deploy.setup.errors import SetupFailed, UnsafeWay
from hermes_agent.deploy.setup.permissions import HOME, WORKSPACE, table
from hermes_agent.deploy.setup.records import Record
from hermes_agent.deploy.setup.way import LAST, Make, enter, real
from hermes_agent.deploy.spec import Specification

_ROOT = frozenset((0,))


@contextmanager
def opened(spec: Specification, account: Account, record: Record) -> Generator[int]:
    """Its handle; it is made if it is missing. Raises `SetupFailed` if it is somebody else's."""
    handle = _system(spec, account, record) if spec.scope == "system" else _own(spec)
    try:
        if spec.scope == "system":
            _give_back(handle, spec, account)
        yield handle
    finally:
        os.close(handle)


@contextmanager
def workspace_beside(spec: Specification, account: Account) -> Generator[int | None]:
    """A handle of the working directory if it lies outside of the state directory.

    It is made where root alone could have; one that is there keeps its owner and mode.
    """
    path = workspace(spec)
    if f"{path}/".startswith(f"{spec.state_dir}/"):
        yield None
        return
    handle = _beside(path, spec, account)
    try:
        yield handle
    finally:
        os.close(handle)


def workspace(spec: Specification) -> str:
    """The working directory as the host sees it: a container has volumes at places of its own."""
    path = spec.workspace
    for volume in spec.container.extra_volumes if spec.container.enable else ():
        outside, inside = (part.rstrip("/") for part in volume.split(":")[:2])
        if f"{path}/".startswith(f"{inside}/"):
            return outside + path.removeprefix(inside)
    return path


def identity(handle: int) -> tuple[int, int]:
    """Device and inode."""
    about = os.fstat(handle)
    return about.st_dev, about.st_ino


def home_identity(handle: int) -> tuple[int, int] | None:
    """Device and inode of HERMES_HOME in this state directory; None if there is none."""
    try:
        about = os.stat(HOME, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return None
    return (about.st_dev, about.st_ino) if stat.S_ISDIR(about.st_mode) else None


def _system(spec: Specification, account: Account, record: Record) -> int:
    make = Make(table().state_dir, account.uid, account.gid)
    handle = enter(spec.state_dir, owners=_ROOT, make=make)
    about = os.fstat(handle)
    if about.st_uid == account.uid:
        return handle
    try:
        # Root of the container may have taken the directory; one that was never ours it cannot.
        ours = record.state == (about.st_dev, about.st_ino) or not os.listdir(handle)  # noqa: PTH208  a handle
        if about.st_uid == 0 and ours:
            os.fchown(handle, account.uid, account.gid)
            return handle
        raise SetupFailed(
            f"{spec.state_dir} belongs to uid {about.st_uid}, not to {account.user}"
            f" (uid {account.uid}); nothing was changed",
            hint="If it is the agent's, give it to that user: chown -R --no-dereference"
            f" --from={about.st_uid} {account.user}:{account.group} {spec.state_dir}",
        )
    except BaseException:
        os.close(handle)
        raise


def _own(spec: Specification) -> int:
    handle = enter(real(spec.state_dir), owners=None, make=Make(0o700))
    about = os.fstat(handle)
    if about.st_uid != os.geteuid():
        os.close(handle)
        raise SetupFailed(
            f"{spec.state_dir} belongs to uid {about.st_uid}, not to you; nothing was changed",
            hint="Choose another stateDir.",
        )
    return handle


def _give_back(state: int, spec: Specification, account: Account) -> None:
    """Directories of the fixed set that root of the container took, back to the service user.

    A directory cannot be linked to a second place, so one that stands here on the same mount is
    the agent's; of files that is not sure.
    """
    inside = f"{spec.state_dir}/"
    paths = [name for name in table().directories if name != WORKSPACE]
    if workspace(spec).startswith(inside):
        paths.append(workspace(spec).removeprefix(inside))
    home = _mount(state)
    for path in paths:
        handle = os.dup(state)
        try:
            for part in path.split("/"):
                below = os.open(part, LAST, dir_fd=handle)
                os.close(handle)
                handle = below
                about = os.fstat(handle)
                if about.st_dev != os.fstat(state).st_dev or _mount(handle) != home:
                    break
                if about.st_uid == 0:
                    os.fchown(handle, account.uid, account.gid)
        except OSError:
            # Missing, or no directory: the service user's part says so.
            continue
        finally:
            os.close(handle)


def _mount(handle: int) -> str:
    """The number of the mount that it lies on: a bind mount has the same device."""
    with open(f"/proc/self/fdinfo/{handle}") as file:  # noqa: PTH123  no path to compute with
        return next((line for line in file if line.startswith("mnt_id:")), "")


def _beside(path: str, spec: Specification, account: Account) -> int:
    try:
        if spec.scope == "user":
            return enter(real(path), owners=None, make=Make(0o700))
        make = Make(table().directories[WORKSPACE], account.uid, account.gid)
        try:
            return enter(path, owners=_ROOT, make=make)
        except UnsafeWay:
            # Somebody's own directory, which the service user works in with no rights but its own.
            return enter(path, owners=None)
    except FileNotFoundError as error:
        raise SetupFailed(
            f"The working directory {path} does not exist",
            hint=f"Make it: install -d -o {account.user} -g {account.group} -m 2770 {path}",
        ) from error
