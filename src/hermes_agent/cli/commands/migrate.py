"""`hermes migrate`: an older installation's home, and what became of each part of it."""

import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--dry-run", is_flag=True, help="Say what would become of it; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(dry_run: bool, as_json: bool) -> None:
    """Take over the home of an older installation.

    Every command does so by itself when it first needs something; this one does it at once and
    says what became of each part. What is changed is copied first: state.db, cron/jobs.json.
    Everything else stays as it is.
    """
    import msgspec

    from hermes_agent.cli.commands.migrate_parts import parts
    from hermes_agent.config.load import load

    loaded = load()
    home = loaded.paths.home
    if sys.stderr.isatty():
        click.echo(f"Looking at {home} (a minute for a million messages) …", err=True)
    with _place(home, dry_run=dry_run) as place:
        found = list(parts(loaded, place))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for part in found:
        click.echo(f"{part.state:<9} {part.name:<22} {part.text}")
    if not found:
        click.echo("Nothing of an older installation is here.")
    elif dry_run:
        click.echo("Nothing was changed.")


@contextmanager
def _place(home: Path, *, dry_run: bool) -> Generator[Path]:
    """The home, or for a trial a folder with copies of what would be changed in it."""
    from hermes_agent.ledger.jobs.opening import MIRROR
    from hermes_agent.store.opening import copy_store

    if not dry_run:
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="hermes-migrate-") as folder:
        place = Path(folder)
        copy_store(home, place)
        (place / "sessions").symlink_to(home / "sessions")
        if (home / MIRROR).is_file():
            (place / MIRROR).parent.mkdir()
            shutil.copyfile(home / MIRROR, place / MIRROR)
        yield place
