"""`hermes sessions`: past conversations, without a model."""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from hermes_agent.config.paths import hermes_home
from hermes_agent.domain.errors import HermesError, NotFoundError, UsageError

if TYPE_CHECKING:
    from hermes_agent.store.port import SessionStore

_DAY = 86400.0
_MOST = 1_000_000
_NONE_YET = "No sessions yet."
_ROLES = click.Choice(["user", "assistant", "tool"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List, search, export and tidy past conversations.

    SESSION is an id, the unique beginning of one, or a title.
    """


@contextmanager
def _store() -> Generator["SessionStore | None"]:
    """The store, or None where nothing was ever said; asking does not make one."""
    from hermes_agent.store.opening import open_existing_store

    store = open_existing_store(hermes_home())
    try:
        yield store
    finally:
        if store is not None:
            store.close()


@contextmanager
def _store_with_sessions() -> Generator["SessionStore"]:
    with _store() as store:
        if store is None:
            raise NotFoundError(_NONE_YET, hint="A conversation begins with: hermes")
        yield store


@command.command("list")
@click.option("--source", help="Only of this source: cli, telegram, cron, …")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, _MOST))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_(source: str | None, limit: int, as_json: bool) -> None:
    """The latest sessions, last active first."""
    from hermes_agent.cli.commands.session_lines import session_table
    from hermes_agent.store.records import Filters

    with _store() as store:
        found = store.list(Filters(source=source, led=True), limit=limit) if store else ()
    if as_json:
        _print_json(found)
    elif found:
        click.echo("\n".join(session_table(found)))
    else:
        click.echo(f"No sessions of source {source}." if source else _NONE_YET)


@command.command()
@click.argument("session")
@click.option("--json", "as_json", is_flag=True, help="Print the session as JSON.")
def show(session: str, as_json: bool) -> None:
    """What was said in a session."""
    from hermes_agent.cli.commands.session_lines import transcript

    with _store_with_sessions() as store:
        found = store.resolve(session)
        if as_json:
            _print_json(store.export_session(found.id))
            return
        history = store.history(found.id)
    for line in transcript(found, history):
        click.echo(line)


@command.command()
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--source", help="Only of this source.")
@click.option("--session-id", metavar="SESSION", help="Only this session.")
def export(out: Path, source: str | None, session_id: str | None) -> None:
    """Write sessions as JSON lines.

    One a session, to OUT; - is standard output.
    """
    import msgspec

    from hermes_agent.store.records import Filters

    with _store_with_sessions() as store:
        if session_id is not None:
            found = iter([store.export_session(store.resolve(session_id).id)])
        else:
            found = store.export(Filters(source=source))
        count = 0
        with _export_file(out) as file:
            for session in found:
                file.write(msgspec.json.encode(session) + b"\n")
                count += 1
    if str(out) != "-":
        click.echo(f"Exported {_counted(count, 'session')} to {out}.")


@contextmanager
def _export_file(out: Path) -> Generator[IO[bytes]]:
    """Where to write: complete or absent, and only for the owner's eyes. Pipes as they are."""
    if str(out) == "-":
        yield sys.stdout.buffer
        return
    try:
        if out.exists() and not out.is_file():
            with out.open("wb") as file:
                yield file
            return
        partial = out.with_name(f".{out.name}.{os.getpid()}.part")
        try:
            with os.fdopen(
                os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
            ) as file:
                yield file
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise HermesError(
            f"{out} cannot be written: {error.strerror}.",
            hint="Name another file, or - for stdout.",
        ) from error


@command.command()
@click.argument("session")
@click.argument("title", nargs=-1, required=True)
def rename(session: str, title: tuple[str, ...]) -> None:
    """Give a session a title (an empty one takes it away)."""
    from hermes_agent.cli.commands.session_lines import printable

    with _store_with_sessions() as store:
        found = store.resolve(session)
        given = store.rename(found.id, " ".join(title))
    click.echo(
        f"{found.id} is now {printable(given)!r}." if given else f"{found.id} has no title now."
    )


@command.command()
@click.argument("session")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(session: str, yes: bool) -> None:
    """Remove a session and all its messages."""
    with _store_with_sessions() as store:
        found = store.resolve(session)
        name = f"{found.id} ({found.title})" if found.title else found.id
        _confirm(f"Delete {name} with {_counted(found.message_count, 'message')}?", yes)
        from hermes_agent.sessions.locks import SessionLocks

        locks = SessionLocks(hermes_home() / "sessions")
        locks.take(found.id)
        try:
            store.delete(found.id)
        finally:
            locks.release(found.id)
    click.echo(f"Deleted {name}.")


@command.command()
@click.option(
    "--older-than",
    metavar="DAYS",
    default=90,
    show_default=True,
    type=click.IntRange(0, _MOST),
    help="Ended longer ago than this.",
)
@click.option("--source", help="Only of this source.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def prune(older_than: int, source: str | None, yes: bool) -> None:
    """Remove old sessions. Those that have not ended stay."""
    before = time.time() - older_than * _DAY
    with _store() as store:
        count = store.prunable(ended_before=before, source=source) if store else 0
        if store is None or not count:
            click.echo(f"No session ended more than {_counted(older_than, 'day')} ago.")
            return
        _confirm(
            f"Delete {_counted(count, 'session')} that ended more than {older_than} days ago?", yes
        )
        removed = store.prune(ended_before=before, source=source)
    click.echo(f"Deleted {_counted(removed, 'session')}.")


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "This needs a yes, and there is no terminal to ask on.", hint="Add -y to go ahead."
        )
    click.confirm(question, abort=True)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def stats(as_json: bool) -> None:
    """How much is stored."""
    from hermes_agent.cli.commands.session_lines import stats_lines
    from hermes_agent.store.records import Stats

    with _store() as store:
        figures = (
            store.stats()
            if store
            else Stats(sessions=0, messages=0, by_source={}, bytes=0, oldest=None, newest=None)
        )
    if as_json:
        _print_json(figures)
    else:
        click.echo("\n".join(stats_lines(figures)))


@command.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--role", "roles", multiple=True, type=_ROLES, help="Only what this role said.")
@click.option("--source", help="Only of this source.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, _MOST))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def search(
    query: tuple[str, ...], roles: tuple[str, ...], source: str | None, limit: int, as_json: bool
) -> None:
    """Find words in all messages.

    "A phrase" in quotes, AND, OR, NOT and word* work.
    """
    from hermes_agent.cli.commands.session_lines import hit_lines
    from hermes_agent.domain.messages import Role

    known: tuple[Role, ...] = ("user", "assistant", "tool")
    wanted: tuple[Role, ...] = tuple(role for role in known if role in roles)
    with _store() as store:
        hits = (
            store.search(" ".join(query), roles=wanted, source=source, limit=limit) if store else ()
        )
    if as_json:
        _print_json(hits)
    elif hits:
        click.echo("\n".join(line for hit in hits for line in hit_lines(hit)))
    else:
        click.echo("Nothing found." if store else _NONE_YET)


@command.command()
@click.option("--source", help="Only of this source.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, _MOST))
def browse(source: str | None, limit: int) -> None:
    """Pick a session and go on with it."""
    from hermes_agent.cli.commands.session_lines import session_table
    from hermes_agent.store.records import Filters

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "browse needs a terminal.", hint="hermes sessions list prints the sessions."
        )
    with _store_with_sessions() as store:
        found = store.list(Filters(source=source, with_messages=True, led=True), limit=limit)
    if not found:
        raise NotFoundError(_NONE_YET, hint="A conversation begins with: hermes")
    click.echo("\n".join(session_table(found, numbered=True)))
    number = click.prompt("Go on with number (empty: none)", default="", show_default=False)
    if not number.strip():
        return
    if not number.strip().isdecimal() or not 1 <= int(number) <= len(found):
        raise UsageError(f"{number!r} is not a number from 1 to {len(found)}.")
    _resume(found[int(number) - 1].id)


def _resume(session_id: str) -> None:
    """Become `hermes --resume`, as if it had been typed."""
    import shutil

    program = sys.argv[0] if os.access(sys.argv[0], os.X_OK) else shutil.which("hermes")
    if program is None:
        raise NotFoundError(
            "The program hermes is not on PATH.", hint=f"Start it with: --resume {session_id}"
        )
    sys.stdout.flush()
    os.execv(program, [program, "--resume", session_id])  # noqa: S606  no shell is meant


def _print_json(value: object) -> None:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    click.echo(text.decode())


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
