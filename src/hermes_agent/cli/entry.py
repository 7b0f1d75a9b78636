"""The programs' entry points: errors become a sentence on stderr and an exit status."""

import contextlib
import errno
import gc
import io
import os
import sys
from collections.abc import Sequence

from hermes_agent.version import VERSION_LINE

_DEPLOYMENTS = "/etc/hermes-agent/homes"
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def main(argv: Sequence[str] | None = None) -> None:
    """`hermes`."""
    sys.exit(run(list(sys.argv[1:] if argv is None else argv)))


def agent_main() -> None:
    """`hermes-agent`: one task, one answer. The same as `hermes chat` with the task as words."""
    sys.exit(run(["chat", *sys.argv[1:]]))


def run(argv: list[str]) -> int:
    """Run one command; returns the exit status.

    0 done; 1 it failed; 2 wrong usage; 78 the configuration cannot be used; 130 interrupted.
    """
    _fill_missing_streams()
    try:
        status = _run(argv)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader went away, as `head` does; nothing is left to say it to.
        _discard_output()
        return 141
    except OSError as error:
        reason = error.strerror or str(error)
        _discard_output()
        # Files that we open have a name in their errors, and the store has errors of its own.
        if error.errno in _UNWRITABLE and not error.filename:
            reason = f"Standard output cannot be written to: {reason}."
        elif error.filename:
            reason = f"{error.filename}: {reason}."
        sys.stderr.write(f"hermes: {reason}\n")
        return 1


def _run(argv: list[str]) -> int:
    if argv in (["--version"], ["-V"]):
        print(VERSION_LINE)  # noqa: T201  before click: the most frequent call of scripts
        return 0
    # Most commands end before a collection would pay; imports alone would trigger a dozen.
    gc.disable()
    refused = _refused_entry(argv) if _has_deployments() else None
    if refused is not None:
        return refused
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale without our signs is no error
    import click

    from hermes_agent.cli.root import root
    from hermes_agent.domain.errors import HermesError

    try:
        status = root.main(args=argv, prog_name="hermes", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return 130
    except HermesError as error:
        click.echo(f"hermes: {error.message}", err=True)
        if error.hint:
            click.echo(f"  {error.hint}", err=True)
        return error.exit_code


def _has_deployments() -> bool:
    try:
        os.stat(_DEPLOYMENTS)  # noqa: PTH116  pathlib costs more than all the rest of --help
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # what is wrong with it is said by who reads it
    return True


def _refused_entry(argv: list[str]) -> int | None:
    """Go over to the user of the deployment that is meant; None if that is who runs this."""
    from hermes_agent.deploy.host.crossing import detour
    from hermes_agent.domain.errors import HermesError

    try:
        detour(argv)
    except HermesError as error:
        hint = f"  {error.hint}\n" if error.hint else ""
        sys.stderr.write(f"hermes: {error.message}\n{hint}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return None


def _fill_missing_streams() -> None:
    """A closed standard stream becomes /dev/null (stdout: /dev/full, so that it is noticed).

    Otherwise the next file that is opened, such as the database, would take its number.
    """
    for number, name, path, mode in (
        (0, "stdin", os.devnull, "r"),
        (1, "stdout", "/dev/full", "w"),
        (2, "stderr", os.devnull, "w"),
    ):
        if getattr(sys, name) is None:
            try:
                descriptor = os.open(path, os.O_RDWR)
            except OSError:
                descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _discard_output() -> None:
    """What is still buffered goes nowhere, or leaving would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
