"""The programs' entry points: errors become a sentence on stderr and an exit status."""

import gc
import io
import sys
from collections.abc import Sequence

from hermes_agent.version import VERSION_LINE


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
    if argv in (["--version"], ["-V"]):
        print(VERSION_LINE)  # noqa: T201  before click: the most frequent call of scripts
        return 0
    # Most commands end before a collection would pay; imports alone would trigger a dozen.
    gc.disable()
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
    except BrokenPipeError:
        # The reader went away, as `head` does; nothing is left to say it to.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
