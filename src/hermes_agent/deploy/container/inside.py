"""Writes the file with the container's identity, for people, as the service user.

Run as `python -I -m hermes_agent.deploy.container.inside UID GID GROUP…`: a `Job` as JSON on
standard input, an error on standard output.
"""

import os
import sys

import msgspec

from hermes_agent.deploy.container.links import MARKER
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.handles import Folder
from hermes_agent.deploy.setup.inside import become
from hermes_agent.domain.errors import HermesError

MODE = 0o640


class Job(msgspec.Struct, frozen=True):
    """`state` is the handle of the state directory."""

    state: int
    state_dir: str
    identity: str


def text(identity: str) -> bytes:
    """What the file says."""
    return f"{identity}\n".encode()


def main(argv: list[str]) -> int:
    """The process's whole life; returns its exit status."""
    try:
        uid, gid, *groups = map(int, argv)
        become(uid, gid, groups)
        os.umask(0o007)
        job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
        with Folder(os.dup(job.state), job.state_dir) as folder:
            folder.replace(MARKER, text(job.identity), MODE)
    except HermesError as error:
        sys.stdout.write(error.message)
        return 1
    except (OSError, msgspec.DecodeError, ValueError) as error:
        sys.stdout.write(str(SetupFailed(f"{MARKER} could not be written: {error}")))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
