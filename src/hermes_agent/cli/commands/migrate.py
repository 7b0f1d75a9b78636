"""`hermes migrate`: an older installation's home, and what became of each part of it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

if TYPE_CHECKING:
    from hermes_agent.config.load import Loaded

State = Literal["used", "in part", "not used"]

_UNUSED = {
    "gateway.json": "what it says belongs into config.yaml and .env",
    "honcho.json": "there is no Honcho here",
    "hooks": "hooks are not run",
    "plugins": "plugins are not loaded",
    "skins": "skins are not read",
    "checkpoints": "nothing is rolled back from them",
    "processes.json": "those processes are not followed any more",
    "response_store.db": "the API server has a table of its own",
    "whatsapp": "there is no WhatsApp here",
    "channel_directory.json": "chats are found anew",
    "sticker_cache.json": "stickers are not described from it",
}
"""Documented parts of a home that this program leaves where they are, and why."""


class Part(msgspec.Struct, frozen=True):
    """One part of the home: what it is, what becomes of it, and what is worth knowing."""

    name: str
    state: State
    text: str


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(as_json: bool) -> None:
    """Take over the home of an older installation.

    Every command does so by itself when it first needs something; this one does it at once and
    says what became of each part. What is changed is copied first: state.db, cron/jobs.json.
    Everything else stays as it is.
    """
    from hermes_agent.config.load import load

    loaded = load()
    if sys.stderr.isatty():
        click.echo(f"Looking at {loaded.paths.home} (a minute for a million messages) …", err=True)
    parts = list(_parts(loaded))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(parts), indent=2).decode())
        return
    for part in parts:
        click.echo(f"{part.state:<9} {part.name:<22} {part.text}")
    if not parts:
        click.echo("Nothing of an older installation is here.")


def _parts(loaded: "Loaded") -> Iterator[Part]:
    home = loaded.paths.home
    yield from _settings(loaded)
    yield from _conversations(home)
    yield from _jobs(loaded)
    yield from _kept(loaded)
    yield from _people(loaded)
    for name, why in _UNUSED.items():
        if (home / name).exists():
            yield Part(name, "not used", why)


def _settings(loaded: "Loaded") -> Iterator[Part]:
    if loaded.paths.config_file.exists():
        count = len(loaded.warnings)
        text = f"{_count(count, 'warning')}; hermes config check has them" if count else "whole"
        yield Part("config.yaml", "in part" if count else "used", text)
    if loaded.paths.env_file.exists():
        yield Part(".env", "used", _count(len(loaded.env_file), "variable"))
    if (loaded.paths.home / "SOUL.md").exists():
        yield Part("SOUL.md", "used", "the persona")


def _conversations(home: Path) -> Iterator[Part]:
    from hermes_agent.cli.commands.session_lines import printable
    from hermes_agent.store.opening import DATABASE, open_existing_store

    store = open_existing_store(home)
    if store is None:
        return
    try:
        stats, old = store.stats(), store.old_home()
    finally:
        store.close()
    copies = sorted(home.glob(f"{DATABASE}.before-*"))
    kept = f"; as it was: {copies[0].name}" if copies else ""
    yield Part(
        DATABASE,
        "used",
        f"{_count(stats.sessions, 'conversation')}, {_count(stats.messages, 'message')}{kept}",
    )
    for what, name in (("transcript", "sessions/"), ("chat", "sessions/sessions.json")):
        found = [each for each in old if each.what == what]
        problems = [each for each in found if each.problem]
        if found:
            state: State = "in part" if problems else "used"
            yield Part(name, state, f"{_count(len(found), what)}, {len(problems)} not whole")
        for each in problems:
            yield Part(f"  {printable(each.name)}", "in part", printable(each.problem))


def _jobs(loaded: "Loaded") -> Iterator[Part]:
    from hermes_agent.ledger.jobs.opening import MIRROR, open_jobs

    if not (loaded.paths.home / MIRROR).exists():
        return
    book = open_jobs(loaded.paths.home, loaded.config.timezone)
    try:
        jobs = book.list()
    finally:
        book.close()
    yield Part(str(MIRROR), "used", _count(len(jobs), "job"))
    for job in jobs:
        if job.paused_reason.startswith("taken over"):
            yield Part(f"  {job.id}", "in part", job.paused_reason)


def _kept(loaded: "Loaded") -> Iterator[Part]:
    from hermes_agent.knowledge.memory import FILES
    from hermes_agent.runtime.keeping import memory_files, skill_shelf

    files = memory_files(loaded)
    for target in files.targets if files else ():
        note = files.read(target) if files else None
        if note is not None and note.entries:
            over = note.used > note.limit
            more = "; longer than the agent may make it, so nothing is added" if over else ""
            text = f"{_count(len(note.entries), 'note')}, {note.usage}{more}"
            yield Part(f"memories/{FILES[target]}", "used", text)
    if loaded.paths.skills_dir.is_dir():
        shelf = skill_shelf(loaded, "cli")
        count = len(shelf.all())
        state: State = "in part" if shelf.problems else "used"
        yield Part("skills/", state, _count(count, "skill"))
        for problem in shelf.problems:
            yield Part("  skills/", "in part", problem)


def _people(loaded: "Loaded") -> Iterator[Part]:
    from hermes_agent.cli.checks.logins import logins
    from hermes_agent.policy.admission.files import PairingFiles
    from hermes_agent.policy.admission.pairing import PairingBook

    if (loaded.paths.home / "pairing").is_dir():
        paired = PairingBook(PairingFiles(loaded.paths.home / "pairing")).paired()
        yield Part("pairing/", "used", _count(len(paired), "person", "people"))
    for finding in logins(loaded):
        yield Part("auth.json", "used" if finding.level == "ok" else "in part", finding.text)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
