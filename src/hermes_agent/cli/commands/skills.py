"""`hermes skills`: what the agent knows how to do."""

import click

from hermes_agent.cli.commands.session_lines import printable
from hermes_agent.cli.commands.skills_installing import (
    browse_command,
    check_command,
    inspect_command,
    install_command,
    uninstall_command,
    update_command,
)
from hermes_agent.cli.commands.skills_known import installer_of, origins_of, seeded, shelf_of
from hermes_agent.cli.commands.skills_snapshot import snapshot
from hermes_agent.config.load import load
from hermes_agent.domain.errors import NotFoundError
from hermes_agent.knowledge.skills.skill import Skill


@click.group("skills", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Instructions for kinds of tasks, loaded by the agent when a task fits."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_command(as_json: bool) -> None:
    """Show all skills; those that are turned off too."""
    loaded = load()
    seeded(loaded)
    shelf = shelf_of(loaded)
    skills = sorted(shelf.all().values(), key=lambda each: (each.category, each.name))
    origins = origins_of(loaded)
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
    seeded(loaded)
    shelf = shelf_of(loaded)
    names = shelf.all()
    if name not in names:
        from difflib import get_close_matches

        near = get_close_matches(name, names, 2) or [each for each in names if name in each]
        raise NotFoundError(
            f"There is no skill {name!r}.",
            hint=f"Is it {' or '.join(near)}?" if near else "hermes skills list names them all.",
        )
    seen = shelf.view(name, file)
    click.echo(printable(seen.text))
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
    shelf = shelf_of(loaded)
    skill = Workshop(shelf, loaded.paths.skills_dir).create(name, text, category)
    click.echo(f"Made {skill.folder / 'SKILL.md'}. Write the steps there.")


@command.command("audit")
@click.argument("names", nargs=-1, metavar="NAME…")
def audit_command(names: tuple[str, ...]) -> None:
    """Look through skills for what is doubtful.

    The exit status is 1 if anything is.
    """
    from hermes_agent.knowledge.skills.scanning import remarks_on

    loaded = load()
    shelf = shelf_of(loaded)
    skills = shelf.all()
    installer = installer_of(loaded)
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


def _switch(names: tuple[str, ...], *, on: bool) -> None:
    from hermes_agent.config.edit import edit
    from hermes_agent.config.managed import require_unmanaged

    loaded = load()
    require_unmanaged(loaded.paths, doing="change skills")
    seeded(loaded)
    shelf = shelf_of(loaded)
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


for _part in (
    browse_command,
    inspect_command,
    install_command,
    check_command,
    update_command,
    uninstall_command,
    snapshot,
):
    command.add_command(_part)
