"""Takes from a state directory what root of the container left in it against the host.

While the deployment lives, its seal makes such things inert; what stays behind has none.
"""

import errno
import os
import stat

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CAPABILITIES = "security.capability"


def defuse(state: str) -> int:
    """Take setuid and setgid bits and capabilities from files, and devices away; how many had some.

    No process of the container may be left. Raises `OSError`.
    """
    found = 0
    device = os.lstat(state).st_dev
    for _, folders, files, handle in os.fwalk(state, onerror=_raise):
        folders[:] = [name for name in folders if _here(name, handle, device)]
        found += sum(_defused(name, handle) for name in files)
    return found


def _here(name: str, handle: int, device: int) -> bool:
    # What is mounted there is somebody else's. Of files an overlay gives other numbers.
    about = os.stat(name, dir_fd=handle, follow_symlinks=False)
    return about.st_dev == device


def _defused(name: str, handle: int) -> bool:
    about = os.stat(name, dir_fd=handle, follow_symlinks=False)
    if stat.S_ISBLK(about.st_mode) or stat.S_ISCHR(about.st_mode):
        os.unlink(name, dir_fd=handle)
        return True
    if not stat.S_ISREG(about.st_mode):
        return False
    file = os.open(name, _FILE, dir_fd=handle)
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            return False
        loaded = bool(about.st_mode & (stat.S_ISUID | stat.S_ISGID))
        if loaded:
            os.fchmod(file, stat.S_IMODE(about.st_mode) & 0o777)
        try:
            os.removexattr(file, _CAPABILITIES)
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.ENOTSUP):
                raise
        else:
            loaded = True
        return loaded
    finally:
        os.close(file)


def _raise(error: OSError) -> None:
    raise error
