"""`hermes pairing`: who knocked, who may talk."""

from typing import TYPE_CHECKING, cast

import click

from hermes_agent.cli.owning import as_the_homes_owner
from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import UsageError

if TYPE_CHECKING:
    from hermes_agent.policy.admission.pairing import PairingBook
    from hermes_agent.policy.admission.people import Role

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


def _platforms(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    from hermes_agent.platforms.table import PLATFORMS

    return [name for name in PLATFORMS if name.startswith(begun.lower())]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Let people in who knocked, and see them out.

    A stranger who writes to the agent in private gets a code. Approve it, and they may talk. The
    gateway sees every change at once.
    """


@command.command("list")
@_JSON
def list_(as_json: bool) -> None:
    """Who is paired, who waits with a code, who knocked."""
    book = _book()
    waiting, paired, strangers = book.waiting(), book.paired(), book.strangers()
    named = {(each.platform, each.user_id) for each in (*waiting, *paired)}
    strangers = [each for each in strangers if (each.platform, each.user_id) not in named]
    if as_json:
        _print_json({"waiting": waiting, "paired": paired, "strangers": strangers})
        return
    from hermes_agent.cli.commands.session_lines import ago, printable

    if not (waiting or paired or strangers):
        click.echo("Nobody is paired, and nobody knocked.")
    if waiting:
        click.echo("Waiting (each code is good for an hour):")
        for each in waiting:
            who = printable(f"{each.user_name} ({each.user_id})")
            click.echo(f"  {each.platform:<10} {printable(each.code)}  {who}, asked", nl=False)
            click.echo(f" {ago(each.created_at)}")
        click.echo("  Let in:  hermes pairing approve PLATFORM CODE")
    if paired:
        click.echo("Paired:")
        for each in paired:
            who = printable(f"{each.user_name} ({each.user_id})")
            click.echo(f"  {each.platform:<10} {each.role:<6} {who}, {ago(each.approved_at)}")
    if strangers:
        click.echo("Strangers, by id:")
        for each in strangers:
            click.echo(
                f"  {printable(each.platform):<10} {printable(each.user_id)}, {ago(each.seen_at)}"
            )


@command.command()
@click.argument("platform", shell_complete=_platforms)
@click.argument("code")
@click.option(
    "--role",
    type=click.Choice(["owner", "user", "guest"]),
    default="user",
    show_default=True,
    help="owner may approve commands and administer; a guest gets no tools on this machine.",
)
@click.option("--owner", is_flag=True, help="The same as --role owner.")
@_JSON
def approve(platform: str, code: str, role: str, owner: bool, as_json: bool) -> None:
    """Let in whoever was given CODE on PLATFORM.

    Whoever is the only one that may talk, guests left out, is the owner whatever the role here.
    """
    as_the_homes_owner()
    _require_platform(platform.lower())
    paired = _book().approve(platform.lower(), code, cast("Role", "owner" if owner else role))
    if as_json:
        _print_json(paired)
        return
    from hermes_agent.cli.commands.session_lines import printable

    who = printable(f"{paired.user_name} ({paired.user_id})".strip())
    click.echo(f"{who} may talk on {paired.platform} as {paired.role}.")


@command.command()
@click.argument("platform", shell_complete=_platforms)
@click.argument("user")
@_JSON
def revoke(platform: str, user: str, as_json: bool) -> None:
    """Take back the pairing of the id USER on PLATFORM."""
    as_the_homes_owner()
    gone = _book().revoke(platform.lower(), user)
    if as_json:
        _print_json(gone)
        return
    from hermes_agent.cli.commands.session_lines import printable

    click.echo(f"{printable(gone.user_id)} is not paired on {gone.platform} any more.")
    click.echo("An allow-list that names the id still lets it in.")


@command.command("clear-pending")
@_JSON
def clear_pending(as_json: bool) -> None:
    """Forget all codes that wait."""
    as_the_homes_owner()
    count = _book().clear_pending()
    if as_json:
        _print_json({"cleared": count})
    else:
        click.echo(f"{count} {'code' if count == 1 else 'codes'} forgotten.")


def _require_platform(name: str) -> None:
    """A misspelt one must not count as a wrong code."""
    from hermes_agent.platforms.table import PLATFORMS

    if name not in PLATFORMS:
        raise UsageError(
            f"There is no platform called {name!r}.", hint=f"There are: {', '.join(PLATFORMS)}."
        )


def _book() -> "PairingBook":
    from hermes_agent.policy.admission.files import PairingFiles
    from hermes_agent.policy.admission.pairing import PairingBook

    return PairingBook(PairingFiles(Paths.of().home / "pairing"))


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
