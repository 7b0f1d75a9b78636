"""`hermes gateway queue`: messages that wait, and those that were given up."""

import re
from typing import TYPE_CHECKING, Literal, cast

import click

from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import UsageError

if TYPE_CHECKING:
    from hermes_agent.ledger.port import InboxRow, Ledger, OutboxRow

Box = Literal["in", "out"]
_MOST = 1_000_000

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
_ALL = click.option("--all-dead", is_flag=True, help="All that were given up.")


@click.group("queue")
def queue() -> None:
    """Messages that wait, and those that were given up.

    They wait for an answer (in:12, from somebody) or for their sending (out:7, to somebody).
    """


@queue.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are done, too.")
@click.option("--dead", is_flag=True, help="Only those that were given up.")
@click.option("--limit", type=click.IntRange(1, _MOST), default=50, show_default=True)
@_JSON
def list_(everything: bool, dead: bool, limit: int, as_json: bool) -> None:
    """What waits and what was given up, newest first."""
    ledger = _ledger()
    if ledger is None:
        inbox, outbox = (), ()
    elif dead:
        inbox, outbox = ledger.inbox("dead", limit=limit), ledger.outbox("dead", limit=limit)
    elif everything:
        inbox, outbox = ledger.inbox(limit=limit), ledger.outbox(limit=limit)
    else:
        inbox = ledger.inbox("waiting", "working", "dead", limit=limit)
        outbox = ledger.outbox("open", "waiting", "sending", "dead", limit=limit)
    if as_json:
        _print_json({"inbox": inbox, "outbox": outbox})
        return
    if not (inbox or outbox):
        click.echo("Nothing was given up." if dead else "Nothing waits.")
        return
    for row in inbox:
        click.echo(_line(f"in:{row.id}", row.state, row.accepted_at, _said(row), row.error))
    for row in outbox:
        click.echo(_line(f"out:{row.id}", row.state, row.created_at, _saying(row), row.error))
    if any(row.state == "dead" for row in (*inbox, *outbox)):
        click.echo("Try again:  hermes gateway queue retry NAME…   Forget:  … drop NAME…")


@queue.command()
@click.argument("name")
@_JSON
def show(name: str, as_json: bool) -> None:
    """One message, whole."""
    box, number = _name(name)
    ledger = _require_ledger()
    rows = ledger.inbox(limit=_MOST) if box == "in" else ledger.outbox(limit=_MOST)
    found = next((row for row in rows if row.id == number), None)
    if found is None:
        from hermes_agent.domain.errors import NotFoundError

        raise NotFoundError(f"There is no message {name}.", hint="hermes gateway queue list --all")
    if as_json:
        _print_json(found)
        return
    from hermes_agent.cli.commands.session_lines import printable

    text = _text(found)
    click.echo(f"{name}  {found.state}, {found.attempts} attempt(s)")
    if found.error:
        click.echo(f"Last error: {printable(found.error)}")
    click.echo(printable(text))


@queue.command()
@click.argument("names", nargs=-1)
@_ALL
def retry(names: tuple[str, ...], all_dead: bool) -> None:
    """Try messages again that were given up."""
    for box, number in _names(names, all_dead):
        _require_ledger().retry(box, number)
        click.echo(f"{box}:{number} waits again.")


@queue.command()
@click.argument("names", nargs=-1)
@_ALL
def drop(names: tuple[str, ...], all_dead: bool) -> None:
    """Forget messages that wait or were given up."""
    for box, number in _names(names, all_dead):
        _require_ledger().drop(box, number)
        click.echo(f"{box}:{number} is forgotten.")


@queue.command()
@click.option("--older-than", "days", type=click.FloatRange(0), default=14, show_default=True)
def prune(days: float) -> None:
    """Forget what was answered and sent more than so many days ago.

    The gateway does so by itself.
    """
    import time

    ledger = _ledger()
    gone = ledger.prune(time.time() - days * 86400) if ledger else 0
    click.echo(f"{gone} row(s) forgotten.")


def _names(names: tuple[str, ...], all_dead: bool) -> list[tuple[Box, int]]:
    if bool(names) == all_dead:
        raise UsageError("Name messages such as in:12 out:7, or say --all-dead.")
    if not all_dead:
        return [_name(name) for name in names]
    ledger = _require_ledger()
    inbox = [("in", row.id) for row in ledger.inbox("dead", limit=_MOST)]
    outbox = [("out", row.id) for row in ledger.outbox("dead", limit=_MOST)]
    return cast("list[tuple[Box, int]]", [*inbox, *outbox])


def _name(name: str) -> tuple[Box, int]:
    box, _, number = name.partition(":")
    if box not in ("in", "out") or not re.fullmatch("[0-9]{1,18}", number):
        raise UsageError(f"{name!r} is no message; they are called in:12 or out:7.")
    return box, int(number)


def _ledger() -> "Ledger | None":
    from hermes_agent.ledger.opening import open_existing_ledger

    return open_existing_ledger(Paths.of().home)


def _require_ledger() -> "Ledger":
    ledger = _ledger()
    if ledger is None:
        raise UsageError("There are no messages: the gateway has never run here.")
    return ledger


def _said(row: "InboxRow") -> str:
    origin = row.inbound.origin
    return f"{origin.platform}:{origin.chat_id} {_text(row)}"


def _saying(row: "OutboxRow") -> str:
    target = row.outgoing.target
    return f"to {target.platform}:{target.chat_id} {_text(row)}"


def _text(row: "InboxRow | OutboxRow") -> str:
    from hermes_agent.ledger.port import InboxRow

    if isinstance(row, InboxRow):
        return row.inbound.text or f"[{len(row.inbound.attachments)} attachment(s)]"
    return row.outgoing.post.plain or row.outgoing.post.text


def _line(name: str, state: str, moment: float, text: str, error: str) -> str:
    from hermes_agent.cli.commands.session_lines import ago, printable

    said = " ".join(printable(text).split())[:60]
    why = f"  ({printable(error)[:80]})" if error else ""
    return f"{name:<9} {state:<8} {ago(moment):<12} {said}{why}"


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
