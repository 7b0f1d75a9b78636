"""Commands about skills from elsewhere: look at them, install, renew and remove them."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hermes_agent.cli.commands.session_lines import printable
from hermes_agent.cli.commands.skills_known import installer_of, seeded
from hermes_agent.config.load import load
from hermes_agent.domain.errors import HermesError, NotFoundError, UsageError

if TYPE_CHECKING:
    from hermes_agent.knowledge.skills.installing import Found, Installer


@click.command("browse")
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def browse_command(source: str, as_json: bool) -> None:
    """Show what a host offers.

    SOURCE is https://HOST, or the address of its index.
    """
    from hermes_agent.knowledge.skills.sources import is_index
    from hermes_agent.knowledge.skills.wellknown import browse

    if not is_index(source):
        raise UsageError(f"{source!r} is no address of a host or an index.", hint="https://HOST")
    offered = browse(source)
    if as_json:
        _print([{"name": each.name, "description": each.description} for each in offered])
        return
    for each in offered:
        click.echo(f"{each.name:<24} {printable(each.description)[:100]}")
    click.echo(f"Install one: hermes skills install {source} --only NAME", err=True)


@click.command("inspect")
@click.argument("source")
@click.option("--only", metavar="NAME", help="One of several skills of the source.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def inspect_command(source: str, only: str | None, as_json: bool) -> None:
    """Read skills without installing them.

    SOURCE is what `install` takes. Shown are their texts, what they want of the machine and what
    was noticed about them.
    """
    from hermes_agent.knowledge.skills.installing import quarantine
    from hermes_agent.knowledge.skills.skill import FILE, read_file

    loaded = load()
    with quarantine(loaded.paths.skills_dir) as place:
        found = installer_of(loaded).fetch(source, Path(place), only)
        if as_json:
            _print([_row(each) for each in found])
            return
        for each in found:
            _announce(each)
            click.echo(f"\n{printable(read_file(each.skill.folder / FILE))}")


@click.command("install")
@click.argument("source")
@click.option("--category", default="", help="Where to put it.")
@click.option("--only", metavar="NAME", help="One of several skills of the source.")
@click.option("--force", is_flag=True, help="Also what looks doubtful, and over what is there.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def install_command(source: str, category: str, only: str | None, force: bool, yes: bool) -> None:
    """Install skills from elsewhere.

    SOURCE is a folder, an archive, a git address, or a host with an index (https://HOST). Skills
    are looked through in quarantine first. They are text that the agent follows: install only
    what you would do yourself.
    """
    from hermes_agent.knowledge.skills.installing import quarantine

    loaded = load()
    seeded(loaded)
    installer = installer_of(loaded)
    with quarantine(loaded.paths.skills_dir) as place:
        found = installer.fetch(source, Path(place), only)
        for each in found:
            _announce(each)
        if not yes and not click.confirm(f"Install {len(found)}?", default=not force):
            raise UsageError("Nothing was installed.")
        for each in found:
            target = installer.install(each, source, category=category, force=force)
            click.echo(f"Installed {target}")


@click.command("check")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check_command(names: tuple[str, ...], as_json: bool) -> None:
    """Show which have another version at their source.

    Nothing is changed. The exit status is 1 if a source could not be asked.
    """
    loaded = load()
    installer = installer_of(loaded)
    rows: list[dict[str, Any]] = []
    for name in _chosen(installer, names):
        row: dict[str, Any] = {
            "name": name,
            "source": installer.installed[name].source,
            "adds": [],
            "problem": "",
        }
        try:
            row |= _compared(installer, name, loaded.paths.skills_dir)
        except HermesError as error:
            row |= {"state": "unknown", "problem": error.message}
        rows.append(row)
    if as_json:
        _print(rows)
    for row in () if as_json else rows:
        more = row["problem"] or "; ".join(row["adds"])
        changed = " (changed here)" if installer.changed(row["name"]) else ""
        click.echo(printable(f"{row['name']}: {row['state']}{changed}{': ' if more else ''}{more}"))
    if any(row["problem"] for row in rows):
        raise click.exceptions.Exit(1)


@click.command("update")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--force", is_flag=True, help="Also what was changed here, or looks doubtful.")
def update_command(names: tuple[str, ...], force: bool) -> None:
    """Fetch installed skills anew from where they came.

    Those that were changed here stay, and so do those that want more of the machine than before.
    """
    loaded = load()
    installer = installer_of(loaded)
    failed = False
    for name in _chosen(installer, names):
        if installer.changed(name) and not force:
            click.echo(f"{name}: was changed here and stays (--force replaces it)")
            continue
        try:
            state = _update(installer, name, loaded.paths.skills_dir, force=force)
        except HermesError as error:
            failed = True
            click.echo(printable(f"{name}: {error.message}"), err=True)
            continue
        click.echo(f"{name}: {state}")
    if failed:
        raise HermesError(
            "Not everything could be updated",
            hint="hermes skills inspect SOURCE shows what is new; update NAME --force takes it.",
        )


@click.command("uninstall")
@click.argument("name")
def uninstall_command(name: str) -> None:
    """Remove a skill that was installed from outside."""
    click.echo(f"Removed {installer_of(load()).uninstall(name)}")


def _chosen(installer: "Installer", names: tuple[str, ...]) -> list[str]:
    installed = installer.installed
    missing = [name for name in names if name not in installed]
    if missing:
        raise NotFoundError(f"Not installed from outside: {', '.join(missing)}.")
    return list(names) or sorted(installed)


def _compared(installer: "Installer", name: str, folder: Path) -> dict[str, Any]:
    from hermes_agent.knowledge.skills.installing import quarantine

    with quarantine(folder) as place:
        (fresh,) = installer.fetch(installer.installed[name].source, Path(place), name)
        if not installer.is_another(fresh):
            return {"state": "up to date"}
        noticed = [remark.text for remark in fresh.remarks]
        return {"state": "another version", "adds": [*installer.added(fresh), *noticed]}


def _update(installer: "Installer", name: str, folder: Path, *, force: bool) -> str:
    from hermes_agent.knowledge.skills.installing import quarantine

    lock = installer.installed[name]
    with quarantine(folder) as place:
        (fresh,) = installer.fetch(lock.source, Path(place), name)
        if not installer.is_another(fresh) and not installer.changed(name):
            return "up to date"
        if fresh.doubtful and not force:
            raise HermesError("; ".join(remark.text for remark in fresh.remarks))
        added = installer.added(fresh)
        if added and not force:
            raise HermesError(f"the new version wants more than the old one: {'; '.join(added)}")
        installer.install(fresh, lock.source, force=True)
        return "updated"


def _announce(found: "Found") -> None:
    skill = found.skill
    click.echo(f"{skill.name} ({found.trust}): {printable(skill.description)}")
    for demand in found.demands:
        click.echo(f"  It {printable(demand)}", err=True)
    for remark in found.remarks:
        click.echo(f"  {remark.level}: {printable(remark.text)}", err=True)


def _row(found: "Found") -> dict[str, Any]:
    folder = found.skill.folder
    return {
        "name": found.skill.name,
        "description": found.skill.description,
        "trust": found.trust,
        "demands": list(found.demands),
        "remarks": [{"level": each.level, "text": each.text} for each in found.remarks],
        "files": sorted(
            os.fsencode(each.relative_to(folder)).decode(errors="backslashreplace")
            for each in folder.rglob("*")
            if each.is_file()
        ),
    }


def _print(rows: list[dict[str, Any]]) -> None:
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
