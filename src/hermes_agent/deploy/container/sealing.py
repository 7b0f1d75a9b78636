"""The state directory without setuid programs and devices.

Root of the container can leave a setuid file in it, which would be root's on the host too. So the
directory becomes a mount of its own on which such bits mean nothing: mount(2), MS_NOSUID, MS_NODEV.
"""

import ctypes
import errno
import os
from pathlib import Path

from hermes_agent.deploy.places import Places

BIND = 0x1000
REMOUNT = 0x20
NOSUID = 0x2
NODEV = 0x4
_DETACH = 0x2
# statvfs(3) and mount(2) number these alike; a remount that left them out would lift them.
_KEPT = os.ST_RDONLY | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RELATIME
_RELATIME = (os.ST_RELATIME, 0x200000)


def note(places: Places) -> Path:
    """The file that says so."""
    return places.roots.runtime / f"{places.name}.sealed"


def sealed(path: str) -> bool:
    """Whether setuid bits and devices are inert there."""
    flags = os.statvfs(path).f_flag
    return bool(flags & os.ST_NOSUID) and bool(flags & os.ST_NODEV)


def seal(path: str, noted: Path) -> str | None:
    """Make them so, until the machine starts anew; else why they are not.

    The way to `path` must be root's own. The file `noted` says that the mount is ours; it must lie
    where it goes when the mounts go, as /run does.
    """
    if sealed(path):
        return None
    flags = os.statvfs(path).f_flag & _KEPT
    if flags & _RELATIME[0]:
        flags = flags & ~_RELATIME[0] | _RELATIME[1]
    try:
        _mount(path, path, BIND)
        try:
            _mount(None, path, REMOUNT | BIND | NOSUID | NODEV | flags)
            noted.touch()
        except OSError:
            _unmount(path)
            raise
    except OSError as error:
        return f"Setuid files in {path} are not made inert: {error.strerror}"
    return None


def unseal(path: str, noted: Path) -> None:
    """Take our mount away again, if there is one. Raises `OSError`."""
    if not noted.exists():
        return
    try:
        _unmount(path)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOENT):
            raise  # otherwise somebody else took it away
    noted.unlink()


def _unmount(path: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(path), _DETACH) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


def _mount(source: str | None, target: str, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mount.argtypes = (*(ctypes.c_char_p,) * 3, ctypes.c_ulong, ctypes.c_char_p)
    from_ = None if source is None else os.fsencode(source)
    if libc.mount(from_, os.fsencode(target), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)
