"""`hermes skills`: what the agent knows how to do."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hermes_agent.config.load import Loaded, load
from hermes_agent.domain.errors import HermesError, NotFoundError, UsageError
from hermes_agent.knowledge.skills.shelf import Shelf
from hermes_agent.knowledge.skills.skill import Skill

if TYPE_CHECKING:
    from hermes_agent.knowledge.skills.installing import Installer


@click.group("skills", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Instructions for kinds of tasks, loaded by the agent when a task fits."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_command(as_json: bool) -> None:
    """Show all skills; those that are turned off too."""
    loaded = load()
    _seed(loaded)
    shelf = _shelf(loaded)
    skills = sorted(shelf.all().values(), key=lambda each: (each.category, each.name))
    origins = _origins(loaded)
    off = set(loaded.config.skills.disabled)
    if as_json:
        import json

        rows = [
            {
                "name": each.name,
                "category": each.category,
                "description": each.description,
                "source": origins.get(each.name, "local"),
                "enabled": each.name not in off,
                "folder": str(each.folder),
            }
            for each in skills
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print(skills, off, origins)
    for problem in shelf.problems:
        click.echo(f"Left out: {problem}", err=True)


@command.command("view")
@click.argument("name")
@click.argument("file", default="")
def view_command(name: str, file: str) -> None:
    """Show a skill as the agent reads it, or one of its files."""
    loaded = load()
    _seed(loaded)
    shelf = _shelf(loaded)
    names = shelf.all()
    if name not in names:
        from difflib import get_close_matches

        near = get_close_matches(name, names, 2) or [each for each in names if name in each]
        raise NotFoundError(
            f"There is no skill {name!r}.",
            hint=f"Is it {' or '.join(near)}?" if near else "hermes skills list names them all.",
        )
    seen = shelf.view(name, file)
    click.echo(seen.text)
    if seen.files and not file:
        click.echo(f"\nFiles: {', '.join(seen.files)}", err=True)


@command.command("enable")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
def enable_command(names: tuple[str, ...]) -> None:
    """Offer skills again."""
    _switch(names, on=True)


@command.command("disable")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
def disable_command(names: tuple[str, ...]) -> None:
    """Offer skills no more; they stay where they are."""
    _switch(names, on=False)


@command.command("new")
@click.argument("name")
@click.option("--description", default="What it is for, and when to use it.")
@click.option("--category", default="")
def new_command(name: str, description: str, category: str) -> None:
    """Begin a skill of your own."""
    from hermes_agent.knowledge.skills.editing import Workshop

    loaded = load()
    import json

    text = f"---\nname: {name}\ndescription: {json.dumps(description)}\n---\n\n1. First step.\n"
    shelf = _shelf(loaded)
    skill = Workshop(shelf, loaded.paths.skills_dir).create(name, text, category)
    click.echo(f"Made {skill.folder / 'SKILL.md'}. Write the steps there.")


@command.command("browse")
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def browse_command(source: str, as_json: bool) -> None:
    """Show what a host offers.

    SOURCE is https://HOST, or the address of its index.
    """
    from hermes_agent.cli.commands.session_lines import printable
    from hermes_agent.knowledge.skills.sources import is_index
    from hermes_agent.knowledge.skills.wellknown import browse

    if not is_index(source):
        raise UsageError(f"{source!r} is no address of a host or an index.", hint="https://HOST")
    offered = browse(source)
    if as_json:
        import json

        rows = [{"name": each.name, "description": each.description} for each in offered]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for each in offered:
        click.echo(f"{each.name:<24} {printable(each.description)[:100]}")
    click.echo(f"Install one: hermes skills install {source} --only NAME", err=True)


@command.command("install")
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
    from hermes_agent.cli.commands.session_lines import printable
    from hermes_agent.knowledge.skills.installing import quarantine

    loaded = load()
    _seed(loaded)
    installer = _installer(loaded)
    with quarantine(loaded.paths.skills_dir) as place:
        found = installer.fetch(source, Path(place), only)
        for each in found:
            click.echo(f"{each.skill.name} ({each.trust}): {printable(each.skill.description)}")
            for remark in each.remarks:
                click.echo(f"  {remark.level}: {printable(remark.text)}", err=True)
        if not yes and not click.confirm(f"Install {len(found)}?", default=not force):
            raise UsageError("Nothing was installed.")
        for each in found:
            target = installer.install(each, source, category=category, force=force)
            click.echo(f"Installed {target}")


@command.command("update")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--force", is_flag=True, help="Also what was changed here, or looks doubtful.")
def update_command(names: tuple[str, ...], force: bool) -> None:
    """Fetch installed skills anew from where they came.

    Those that were changed here stay.
    """
    from hermes_agent.knowledge.skills.installing import quarantine

    loaded = load()
    installer = _installer(loaded)
    installed = installer.installed
    missing = [name for name in names if name not in installed]
    if missing:
        raise NotFoundError(f"Not installed from outside: {', '.join(missing)}.")
    failed = False
    for name in names or sorted(installed):
        lock = installed[name]
        if installer.changed(name) and not force:
            click.echo(f"{name}: was changed here and stays (--force replaces it)")
            continue
        try:
            with quarantine(loaded.paths.skills_dir) as place:
                (fresh,) = installer.fetch(lock.source, Path(place), name)
                if fresh.doubtful and not force:
                    raise HermesError("; ".join(remark.text for remark in fresh.remarks))
                category = str(Path(lock.place).parent)
                category = "" if category == "." else category
                installer.install(fresh, lock.source, category=category, force=True)
        except HermesError as error:
            failed = True
            click.echo(f"{name}: {error.message}", err=True)
            continue
        click.echo(f"{name}: up to date")
    if failed:
        raise HermesError("Not everything could be updated")


@command.command("uninstall")
@click.argument("name")
def uninstall_command(name: str) -> None:
    """Remove a skill that was installed from outside."""
    click.echo(f"Removed {_installer(load()).uninstall(name)}")


@command.command("audit")
@click.argument("names", nargs=-1, metavar="NAME…")
def audit_command(names: tuple[str, ...]) -> None:
    """Look through skills for what is doubtful.

    The exit status is 1 if anything is.
    """
    from hermes_agent.knowledge.skills.scanning import remarks_on

    loaded = load()
    shelf = _shelf(loaded)
    skills = shelf.all()
    installer = _installer(loaded)
    installed = installer.installed
    doubtful = 0
    for name in names or sorted(skills):
        remarks = [each.text for each in remarks_on(shelf.get(name).folder)]
        if name in installed and installer.changed(name):
            remarks.append("it is no longer what was installed")
        for remark in remarks:
            click.echo(f"{name}: {remark}")
        doubtful += bool(remarks)
    for problem in shelf.problems:
        click.echo(problem)
    click.echo(f"{len(names or skills)} skills, {doubtful} doubtful.")
    if doubtful or shelf.problems:
        raise click.exceptions.Exit(1)


def _shelf(loaded: Loaded) -> Shelf:
    others = [Path(each).expanduser() for each in loaded.config.skills.external_dirs]
    return Shelf((loaded.paths.skills_dir, *others))


def _seed(loaded: Loaded) -> None:
    from hermes_agent.knowledge.skills.bundled import seed, source

    seed(source(loaded.environ), loaded.paths.skills_dir)


def _origins(loaded: Loaded) -> dict[str, str]:
    from hermes_agent.knowledge.skills.bundled import bundled_names

    found = dict.fromkeys(bundled_names(loaded.paths.skills_dir), "builtin")
    return found | dict.fromkeys(_installer(loaded).installed, "hub")


def _installer(loaded: Loaded) -> "Installer":
    from hermes_agent.knowledge.skills.installing import Installer

    return Installer(loaded.paths.skills_dir, loaded.config.skills.trusted_sources)


def _switch(names: tuple[str, ...], *, on: bool) -> None:
    from hermes_agent.config.edit import edit
    from hermes_agent.config.managed import require_unmanaged

    loaded = load()
    require_unmanaged(loaded.paths, doing="change skills")
    _seed(loaded)
    shelf = _shelf(loaded)
    for name in names:
        shelf.get(name)
    before = list(loaded.config.skills.disabled)
    rest = [name for name in before if name not in names]
    after = rest if on else [*rest, *names]
    edit(loaded.paths, {"skills.disabled": after}, doing="change skills")
    click.echo(f"{', '.join(names)}: {'enabled' if on else 'disabled'}. New sessions will see it.")


def _print(skills: list[Skill], off: set[str], origins: dict[str, str]) -> None:
    category = None
    width = max((len(each.name) for each in skills), default=0)
    for each in skills:
        if each.category != category:
            category = each.category
            click.echo(category or "(no category)")
        state = " (off)" if each.name in off else ""
        origin = origins.get(each.name, "local")
        click.echo(f"  {each.name:{width}}  {origin:7}{state}  {each.description[:70]}")
