"""`hermes skills snapshot`: the skills from elsewhere as a list, to have the same ones again.

The list names each skill's source, category and the digest of its files, as the lock file does;
it holds no skill.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hermes_agent.cli.commands.skills_known import installer_of, seeded
from hermes_agent.config.load import load
from hermes_agent.domain.errors import HermesError, UsageError

if TYPE_CHECKING:
    from hermes_agent.knowledge.skills.installing import Installer

_MOST_BYTES = 1024 * 1024


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One skill of a snapshot."""

    name: str
    source: str
    digest: str
    category: str = ""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The file."""

    version: int
    skills: list[Listed]


@click.group("snapshot")
def snapshot() -> None:
    """List the skills from elsewhere, to have them again."""


@snapshot.command("export")
@click.argument("file", default="-", type=click.Path(dir_okay=False, path_type=Path))
def export_command(file: Path) -> None:
    """Write the list to FILE, or print it."""
    skills: list[Listed] = []
    for name, lock in sorted(installer_of(load()).installed.items()):
        category = str(Path(lock.place).parent)
        skills.append(
            Listed(
                name=name,
                source=lock.source,
                digest=lock.digest,
                category="" if category == "." else category,
            )
        )
    data = msgspec.json.format(msgspec.json.encode(Snapshot(version=1, skills=skills)), indent=2)
    if str(file) == "-":
        click.echo(data.decode())
        return
    try:
        file.write_bytes(data + b"\n")
    except OSError as error:
        raise HermesError(f"{file} was not written: {error.strerror}") from error
    click.echo(f"{len(skills)} skills in {file}")


@snapshot.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Also what is another version, or looks doubtful.")
def import_command(file: Path, force: bool) -> None:
    """Install the skills of a list (- for standard input).

    Each must be what it was when the list was written.
    """
    wanted = _read(file)
    loaded = load()
    seeded(loaded)
    installer = installer_of(loaded)
    failed = False
    for each in wanted:
        try:
            click.echo(f"{each.name}: {_install(installer, each, loaded.paths.skills_dir, force)}")
        except HermesError as error:
            failed = True
            click.echo(f"{each.name}: {error.message}", err=True)
    if failed:
        raise HermesError("Not everything could be installed")


def _install(installer: "Installer", each: Listed, folder: Path, force: bool) -> str:
    from hermes_agent.knowledge.skills.installing import quarantine

    there = installer.installed.get(each.name)
    if there is not None and there.digest == each.digest and not installer.changed(each.name):
        return "is there"
    with quarantine(folder) as place:
        (found,) = installer.fetch(each.source, Path(place), each.name)
        if found.digest != each.digest and not force:
            raise HermesError(f"{each.source} has another version than the list (--force takes it)")
        installer.install(found, each.source, category=each.category, force=force)
    return "installed"


def _read(file: Path) -> list[Listed]:
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(_MOST_BYTES)
        else:
            with file.open("rb") as opened:
                data = opened.read(_MOST_BYTES)
        found = msgspec.json.decode(data, type=Snapshot)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is no list of skills: {error}") from error
    if found.version != 1:
        raise UsageError(f"{file} is of version {found.version}; only 1 is known here.")
    return found.skills
