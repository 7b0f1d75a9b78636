"""The wizard behind `hermes gateway setup`: one platform at a time, written only when answered."""

import sys
from typing import NamedTuple

import click

from hermes_agent.config.edit import edit_env_file
from hermes_agent.config.load import Loaded, load
from hermes_agent.config.managed import require_unmanaged
from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import UsageError


class Question(NamedTuple):
    """One variable of `.env`. `secret` is not shown while it is typed."""

    variable: str
    text: str
    secret: bool = False
    default: str = ""


PLATFORMS: dict[str, tuple[str, tuple[Question, ...]]] = {
    "telegram": (
        "Telegram: make a bot with @BotFather and take its token.",
        (
            Question("TELEGRAM_BOT_TOKEN", "Bot token", secret=True),
            Question("TELEGRAM_ALLOWED_USERS", "Who may write to it (numeric ids, with commas)"),
        ),
    ),
    "discord": (
        "Discord: make an application, add a bot, switch the message content intent on.",
        (
            Question("DISCORD_BOT_TOKEN", "Bot token", secret=True),
            Question("DISCORD_ALLOWED_USERS", "Who may write to it (numeric ids, with commas)"),
        ),
    ),
    "matrix": (
        "Matrix: an account for the agent on any homeserver.",
        (
            Question("MATRIX_HOMESERVER", "Homeserver", default="https://matrix.org"),
            Question("MATRIX_USER_ID", "User id (@name:server)"),
            Question("MATRIX_ACCESS_TOKEN", "Access token", secret=True),
            Question("MATRIX_ALLOWED_USERS", "Who may write to it (@name:server, with commas)"),
        ),
    ),
    "email": (
        "E-mail: a mailbox of the agent's own.",
        (
            Question("EMAIL_ADDRESS", "Address"),
            Question("EMAIL_PASSWORD", "Password", secret=True),
            Question("EMAIL_IMAP_HOST", "IMAP server"),
            Question("EMAIL_SMTP_HOST", "SMTP server"),
            Question(
                "EMAIL_AUTHSERV_ID",
                "Whose word counts for a sender (your server's name in Authentication-Results)",
            ),
            Question("EMAIL_ALLOWED_USERS", "Who may write to it (addresses, with commas)"),
        ),
    ),
    "irc": (
        "IRC: a server, a nick and channels.",
        (
            Question("IRC_SERVER", "Server", default="irc.libera.chat"),
            Question("IRC_NICK", "Nick"),
            Question("IRC_CHANNELS", "Channels (with commas)"),
            Question("IRC_ALLOWED_USERS", "Who may write to it (accounts, with commas)"),
        ),
    ),
    "api": (
        "API server: an OpenAI-compatible server on this machine. Its key is made by itself.",
        (
            Question("API_SERVER_ENABLED", "Switch it on", default="true"),
            Question("API_SERVER_PORT", "Port", default="8642"),
        ),
    ),
}


def ask() -> None:
    """Choose platforms until done. Raises `ManagedError` in a managed home."""
    paths = Paths.of()
    require_unmanaged(paths, doing="set up the gateway")
    if not sys.stdin.isatty():
        raise UsageError(
            "Setup asks questions and there is no terminal.",
            hint=f"Write the variables into {paths.env_file}, such as TELEGRAM_BOT_TOKEN=…",
        )
    while True:
        loaded = load(paths)
        _show(loaded)
        name = click.prompt("Which (empty: done)", default="", show_default=False).strip().lower()
        if not name:
            break
        if name not in PLATFORMS:
            click.echo(f"There is no {name} here.")
            continue
        _ask_platform(paths, loaded, name)
    click.echo("Try it with: hermes gateway run   Keep it running: hermes gateway install")


def _show(loaded: Loaded) -> None:
    for name, (_, questions) in PLATFORMS.items():
        there = loaded.environ.get(questions[0].variable)
        click.echo(f"  {'✓' if there else ' '} {name}")


def _ask_platform(paths: Paths, loaded: Loaded, name: str) -> None:
    about, questions = PLATFORMS[name]
    click.echo(about)
    answers: dict[str, str] = {}
    for question in questions:
        known = loaded.environ.get(question.variable, "")
        kept = "kept" if question.secret and known else known or question.default
        answer = click.prompt(
            f"  {question.text}",
            default=kept,
            show_default=bool(kept),
            hide_input=question.secret,
        ).strip()
        if answer and not (question.secret and known and answer == "kept"):
            answers[question.variable] = answer
    if answers:
        edit_env_file(paths, answers, doing="set up the gateway")
        click.echo(f"Written to {paths.env_file}: {', '.join(answers)}")
