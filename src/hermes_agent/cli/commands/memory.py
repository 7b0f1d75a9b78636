"""`hermes memory`: what the agent noted down for good."""

from typing import TYPE_CHECKING

import click

from hermes_agent.cli.owning import as_the_homes_owner
from hermes_agent.config.load import load
from hermes_agent.domain.errors import UsageError

if TYPE_CHECKING:
    from hermes_agent.knowledge.memory import MemoryFiles, Note, Target

_TITLES: "dict[Target, str]" = {"user": "About you", "memory": "About its work"}
_WHICH = click.option(
    "--about",
    "target",
    type=click.Choice(["user", "memory"]),
    help="The notes about you (user) or about its work (memory).",
)


@click.group(
    "memory",
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.pass_context
def command(context: click.Context) -> None:
    """What the agent noted down for good; every new conversation begins with it.

    The notes are two files of short entries, which you may edit as well. A conversation that goes
    on keeps the notes it began with.
    """
    if context.invoked_subcommand is None:
        context.invoke(show)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(as_json: bool) -> None:
    """Show all notes, and how full they are."""
    files = _files()
    notes: dict[Target, Note] = {
        target: files.read(target) for target in _TITLES if target in files.targets
    }
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(notes), indent=2).decode())
        return
    from hermes_agent.cli.commands.session_lines import printable
    from hermes_agent.knowledge.memory import FILES

    for target, note in notes.items():
        click.echo(f"{_TITLES[target]} ({files.folder / FILES[target]}; {note.usage})")
        for entry in note.entries:
            click.echo("  - " + printable(entry).replace("\n", "\n    "))
        if not note.entries:
            click.echo("  nothing yet")


@command.command()
@click.argument("words", nargs=-1, required=True)
@_WHICH
def add(words: tuple[str, ...], target: "Target | None") -> None:
    """Note something down."""
    as_the_homes_owner()
    _changed(_files().add(target or "user", " ".join(words)))


@command.command()
@click.argument("words", nargs=-1, required=True)
@_WHICH
def remove(words: tuple[str, ...], target: "Target | None") -> None:
    """Take away the one entry that holds these WORDS."""
    as_the_homes_owner()
    files, wanted = _files(), " ".join(words)
    targets = files.targets if target is None else (target,)
    holding: list[Target] = [each for each in targets if _holds(files, each, wanted)]
    if len(holding) > 1:
        raise UsageError(
            "Both kinds of notes hold these words.", hint="Add --about user or --about memory."
        )
    _changed(files.remove(holding[0] if holding else targets[0], wanted))


def _files() -> "MemoryFiles":
    from hermes_agent.runtime.keeping import memory_files

    files = memory_files(load())
    if files is None:
        raise UsageError(
            "The agent keeps no notes here.",
            hint="The settings are memory.memory_enabled and memory.user_profile_enabled.",
        )
    return files


def _holds(files: "MemoryFiles", target: "Target", words: str) -> bool:
    return any(words in entry for entry in files.read(target).entries)


def _changed(note: "Note") -> None:
    click.echo(f"Done; new conversations know it. {note.usage}")
