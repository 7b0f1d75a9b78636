"""The wizard behind `hermes gateway setup`: one platform at a time, written only when answered."""

import re
import sys
from typing import NamedTuple

import click

from hermes_agent.config.edit import edit_env_file
from hermes_agent.config.load import Loaded, load
from hermes_agent.config.managed import require_unmanaged
from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import UsageError


class Question(NamedTuple):
    """One variable of `.env`. `secret` is not shown while it is typed. `word` is the regular
    expression of each word of an answer, `kind` says in words what it is."""

    variable: str
    text: str
    secret: bool = False
    default: str = ""
    word: str = r"\S+"
    kind: str = ""


def _people(variable: str, kind: str, word: str) -> Question:
    text = f"Who may write to it ({kind}s, with commas; empty: by code)"
    return Question(variable, text, word=word, kind=kind)


MATRIX_ID = r"@[^:\s]+:\S+"
ADDRESS = r"[^@\s]+@[^@\s]+"
PLATFORMS: dict[str, tuple[str, tuple[Question, ...]]] = {
    "telegram": (
        "Telegram: make a bot with @BotFather and take its token.",
        (
            Question("TELEGRAM_BOT_TOKEN", "Bot token", secret=True),
            _people("TELEGRAM_ALLOWED_USERS", "numeric id", r"[0-9]+"),
        ),
    ),
    "discord": (
        "Discord: make an application, add a bot, switch the message content intent on.",
        (
            Question("DISCORD_BOT_TOKEN", "Bot token", secret=True),
            _people("DISCORD_ALLOWED_USERS", "numeric id", r"[0-9]+"),
        ),
    ),
    "matrix": (
        "Matrix: an account for the agent on any homeserver.",
        (
            Question(
                "MATRIX_HOMESERVER",
                "Homeserver",
                default="https://matrix.org",
                word=r"https?://\S+",
                kind="address such as https://matrix.org",
            ),
            Question("MATRIX_USER_ID", "User id", word=MATRIX_ID, kind="@name:server"),
            Question("MATRIX_ACCESS_TOKEN", "Access token", secret=True),
            _people("MATRIX_ALLOWED_USERS", "@name:server id", MATRIX_ID),
        ),
    ),
    "email": (
        "E-mail: a mailbox of the agent's own.",
        (
            Question("EMAIL_ADDRESS", "Address", word=ADDRESS, kind="mail address"),
            Question("EMAIL_PASSWORD", "Password", secret=True),
            Question("EMAIL_IMAP_HOST", "IMAP server"),
            Question("EMAIL_SMTP_HOST", "SMTP server"),
            Question(
                "EMAIL_AUTHSERV_ID",
                "Whose word counts for a sender (your server's name in Authentication-Results)",
            ),
            _people("EMAIL_ALLOWED_USERS", "mail address", ADDRESS),
        ),
    ),
    "irc": (
        "IRC: a server, a nick and channels.",
        (
            Question("IRC_SERVER", "Server", default="irc.libera.chat"),
            Question("IRC_NICK", "Nick"),
            Question("IRC_CHANNELS", "Channels (with commas)"),
            _people("IRC_ALLOWED_USERS", "account", r"\S+"),
        ),
    ),
    "api": (
        "API server: an OpenAI-compatible server on this machine. Its key is made by itself.",
        (
            Question(
                "API_SERVER_ENABLED",
                "Switch it on",
                default="true",
                word="true|false",
                kind="true or false",
            ),
            Question(
                "API_SERVER_PORT", "Port", default="8642", word=r"[0-9]{1,5}", kind="port number"
            ),
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
            click.echo(f"There is no {name} here; type one of the names above.")
            continue
        _ask_platform(paths, loaded, name)
    if _runs(paths):
        click.echo("A gateway runs already. Have it connect: hermes gateway restart")
    else:
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
        answer = _answer(question, kept)
        if answer and not (question.secret and known and answer == "kept"):
            answers[question.variable] = answer
    if answers:
        edit_env_file(paths, answers, doing="set up the gateway")
        click.echo(f"Written to {paths.env_file}: {', '.join(answers)}")
    whom = next((each.variable for each in questions if each.variable.endswith("_USERS")), None)
    if whom and not (answers.get(whom) or loaded.environ.get(whom)):
        click.echo("Nobody is let in yet. Who writes to it gets a code; on this machine, let them")
        click.echo(f"in with: hermes pairing approve {name} CODE")


def _answer(question: Question, kept: str) -> str:
    """What was typed, asked for again until it is of the kind that is wanted."""
    while True:
        typed: str = click.prompt(
            f"  {question.text}",
            default=kept,
            show_default=bool(kept),
            hide_input=question.secret,
        )
        answer = typed.strip()
        words = [answer] if question.secret else re.split(r"[,\s]+", answer)
        wrong = [word for word in words if word and not re.fullmatch(question.word, word)]
        if not wrong or answer == kept:
            return answer
        click.echo(f"  {wrong[0]!r} is not what is wanted: {question.kind or 'a word'}.")


def _runs(paths: Paths) -> bool:
    from hermes_agent.gateway.lock import LockUnusable, holder

    try:
        return holder(paths.home) is not None
    except LockUnusable:
        return False
