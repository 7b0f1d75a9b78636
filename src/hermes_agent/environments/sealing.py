"""What of the person's own files a sandbox on this machine does not show."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from hermes_agent.domain.errors import ConfigError
from hermes_agent.policy.protected import SEALED, UNSEALED

AGENT = "ssh-agent"
"""Stands for the socket of the SSH agent, among what is opened."""


class Seal(msgspec.Struct, frozen=True):
    """`hidden` are absolute paths, of files and directories, of which most are not there;
    `shown` lie in them and may be read, `opened` may be written too."""

    hidden: tuple[str, ...]
    shown: tuple[str, ...]
    opened: tuple[str, ...]


def seal(opened: Sequence[str], *, variables: Mapping[str, str], agents_home: str | None) -> Seal:
    """All that holds keys, tokens and passwords in the home directory, and the sockets of those
    who hold them, but for what `opened` names. Raises `ConfigError` for what is no path, and
    for what is hermes' own."""
    home = os.path.realpath(Path.home())
    paths = [_opened(name, agents_home) for name in opened if name != AGENT]
    hidden = [os.path.realpath(f"{home}/{name}") for name in SEALED]
    user = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    hidden += [os.path.realpath(f"{user}/{name}") for name in ("gnupg", "keyring")]
    socket = variables.get("SSH_AUTH_SOCK", "")
    if socket:
        socket = os.path.realpath(socket)
        (paths if AGENT in opened else hidden).append(socket)
    return Seal(
        tuple(path for path in hidden if not any(_inside(path, each) for each in paths)),
        tuple(os.path.realpath(f"{home}/{name}") for name in (*UNSEALED, *_public(home))),
        tuple(paths),
    )


def _opened(name: str, agents_home: str | None) -> str:
    path = os.path.expanduser(name)  # noqa: PTH111 - text
    if not os.path.isabs(path):  # noqa: PTH117 - text
        raise ConfigError(
            f"terminal.bubblewrap_open: '{name}' is no path.",
            hint=f"Write it as ~/.aws or /home/me/.aws, or {AGENT} for the SSH agent.",
        )
    path = os.path.realpath(path)
    if agents_home and (_inside(path, agents_home) or _inside(agents_home, path)):
        raise ConfigError(
            f"terminal.bubblewrap_open: {name} would show hermes' own secrets.",
            hint="Name the folder or file that commands need, and no more.",
        )
    return path


def _public(home: str) -> list[str]:
    try:
        names = os.listdir(f"{home}/.ssh")  # noqa: PTH208 - names
    except OSError:
        return []
    return [f".ssh/{name}" for name in names if name.endswith(".pub")]


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root.rstrip('/')}/")
