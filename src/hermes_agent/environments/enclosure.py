"""What makes one environment differ from another: how its argv is made, and its files."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from hermes_agent.domain.ports import Files
from hermes_agent.environments.options import ContainerOptions, SshOptions


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What every environment is built from.

    `cwd` is absolute, or begins with ~ where the home directory is another machine's. `variables`
    is the child environment (see `variables.child_variables`); where commands run elsewhere, that
    of our clients. `home` is HERMES_HOME, whose private files an enclosure hides. With
    `persistent`, `cd` and exported variables carry over from one foreground command to the next.
    `output_chars` bounds what is kept of a command's output. Of use to a sandbox alone:
    `private_tmp` gives it a /tmp of its own, `hidden` names further absolute paths that nothing in
    it may see, `opened` what it may see although it is secret (see `sealing`). `container` and
    `ssh` are of use to those; `write_root` confines what their file tools write.
    """

    cwd: str
    variables: Mapping[str, str]
    home: Path | None = None
    persistent: bool = True
    output_chars: int = 50_000
    private_tmp: bool = True
    hidden: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    container: ContainerOptions | None = None
    ssh: SshOptions | None = None
    write_root: str | None = None


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a program from this process."""

    argv: Sequence[str | bytes]
    cwd: str
    variables: Mapping[str, str]


class Enclosure(Protocol):
    """One kind of place: it puts something before the argv, and knows its files."""

    @property
    def name(self) -> str:
        """As in `terminal.backend`."""
        ...

    @property
    def files(self) -> Files:
        """The files as commands in here see them."""
        ...

    @property
    def terminal(self) -> str:
        """A path by which a program in here can open the pseudo terminal that it was given."""
        ...

    @property
    def fleeting(self) -> re.Pattern[str] | None:
        """What it prints, and nothing else, when no command could begin for a reason that
        passes; None where there is no such reason."""
        ...

    @property
    def scratch(self) -> str | None:
        """A private directory that this process and the commands know by the same path, or
        None when there is none (a full or read-only disk)."""
        ...

    def launch(
        self, argv: Sequence[str | bytes], *, cwd: str, variables: Mapping[str, str], pty: bool
    ) -> Launch:
        """How to start `argv` in here. Raises `EnvironmentFault` when the place is unusable."""
        ...

    def close(self) -> None:
        """Give back what the enclosure itself holds."""
        ...
