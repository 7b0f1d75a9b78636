"""The parts of an older installation's home, and what becomes of each."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from hermes_agent.cli.commands.session_lines import printable
from hermes_agent.domain.errors import HermesError

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
    "discord_threads.json": "threads are found anew",
    "gateway_voice_mode.json": "chats say anew whether they want to hear answers",
    "sticker_cache.json": "stickers are not described from it",
    "bin": "its programs are not run",
}
"""Documented parts of a home that this program leaves where they are, and why."""


class Part(msgspec.Struct, frozen=True):
    """One part of the home: what it is, what becomes of it, and what is worth knowing."""

    name: str
    state: State
    text: str


def parts(loaded: "Loaded", database: Path) -> Iterator[Part]:
    """What is there; conversations and jobs from the home `database`, which may be a copy. What
    cannot be read is a part that is not used, never an error, except for a database."""
    home = loaded.paths.home
    yield from _gateway(home)
    yield from _settings(loaded)
    yield from _conversations(database, home)
    for name, look in (
        ("cron/jobs.json", lambda: _jobs(loaded, database)),
        ("memories/", lambda: _notes(loaded)),
        ("skills/", lambda: _skills(loaded)),
        ("pairing/", lambda: _people(home)),
        ("auth.json", lambda: _logins(loaded)),
        ("mcp-tokens/", lambda: _tokens(home)),
    ):
        yield from _readable(name, look)
    for name, why in _UNUSED.items():
        if (home / name).exists():
            yield Part(name, "not used", why)


def _readable(name: str, look: Callable[[], Iterator[Part]]) -> Iterator[Part]:
    try:
        yield from look()
    except HermesError as error:
        yield Part(name, "not used", printable(error.message))
    except OSError as error:
        yield Part(name, "not used", f"it cannot be read: {error.strerror}")


def _gateway(home: Path) -> Iterator[Part]:
    from hermes_agent.gateway.elder import running_elder

    pid = running_elder(home)
    if pid is not None:
        yield Part("gateway.pid", "not used", f"the old gateway still runs (pid {pid}): stop it")


def _settings(loaded: "Loaded") -> Iterator[Part]:
    from hermes_agent.config import effective, report

    if loaded.paths.config_file.exists():
        remarks = len(loaded.warnings)
        remarks += len(tuple(effective.idle(list(report.leaves(loaded.data)), loaded.data)))
        text = f"{count(remarks, 'warning')}; hermes config check has them" if remarks else "whole"
        yield Part("config.yaml", "in part" if remarks else "used", text)
    if loaded.paths.env_file.exists():
        yield Part(".env", "used", count(len(loaded.env_file), "variable"))
    if loaded.paths.soul_file.exists():
        yield Part("SOUL.md", "used", "the persona")


def _conversations(database: Path, home: Path) -> Iterator[Part]:
    from hermes_agent.store.opening import DATABASE, open_existing_store

    store = open_existing_store(database)
    if store is None:
        return
    try:
        stats, old = store.stats(), store.old_home()
    finally:
        store.close()
    copies = sorted(home.glob(f"{DATABASE}.before-*"))
    kept = f"; as it was: {copies[0].name}" if copies else ""
    told = f"{count(stats.sessions, 'conversation')}, {count(stats.messages, 'message')}{kept}"
    yield Part(DATABASE, "used", told)
    for what, name in (("transcript", "sessions/"), ("chat", "sessions/sessions.json")):
        found = [each for each in old if each.what == what]
        problems = [each for each in found if each.problem]
        if found:
            state: State = "in part" if problems else "used"
            yield Part(name, state, f"{count(len(found), what)}, {len(problems)} not whole")
        for each in problems:
            yield Part(f"  {printable(each.name)}", "in part", printable(each.problem))


def _jobs(loaded: "Loaded", home: Path) -> Iterator[Part]:
    from hermes_agent.ledger.jobs.opening import MIRROR, open_jobs

    if not (home / MIRROR).exists():
        return
    book = open_jobs(home, loaded.config.timezone)
    try:
        jobs = book.list()
    finally:
        book.close()
    aside = sorted((home / MIRROR).parent.glob(f"{MIRROR.name}.unreadable-*"))
    if aside:
        yield Part(str(MIRROR), "not used", f"no list of jobs; kept as {aside[0].name}")
    else:
        yield Part(str(MIRROR), "used", count(len(jobs), "job"))
    for job in jobs:
        if job.paused_reason.startswith("taken over"):
            yield Part(f"  {job.id}", "in part", printable(job.paused_reason))


def _notes(loaded: "Loaded") -> Iterator[Part]:
    from hermes_agent.knowledge.memory import FILES
    from hermes_agent.runtime.keeping import memory_files

    files = memory_files(loaded)
    if files is None:
        return
    shown = files.snapshot()
    for target in files.targets:
        name = f"memories/{FILES[target]}"
        try:
            note = files.read(target)
        except HermesError as error:
            yield Part(name, "not used", error.message)
            continue
        if not note.entries:
            continue
        text = f"{count(len(note.entries), 'note')}, {note.usage}"
        if note.used > note.limit:
            text += "; longer than the agent may make it, so nothing is added"
        hidden = len(note.entries) - (len(shown[target].entries) if target in shown else 0)
        if hidden:
            text += f"; {hidden} not shown to the model: doubtful, or too much"
        yield Part(name, "in part" if hidden else "used", text)


def _skills(loaded: "Loaded") -> Iterator[Part]:
    from hermes_agent.runtime.keeping import skill_shelf

    if loaded.paths.skills_dir.is_dir():
        shelf = skill_shelf(loaded, "cli")
        number = len(shelf.all())
        state: State = "in part" if shelf.problems else "used"
        yield Part("skills/", state, count(number, "skill"))
        for problem in shelf.problems:
            yield Part("  skills/", "in part", problem)


def _people(home: Path) -> Iterator[Part]:
    from hermes_agent.policy.admission.files import PairingFiles
    from hermes_agent.policy.admission.pairing import PairingBook

    if (home / "pairing").is_dir():
        paired = PairingBook(PairingFiles(home / "pairing")).paired()
        yield Part("pairing/", "used", count(len(paired), "person", "people"))


def _logins(loaded: "Loaded") -> Iterator[Part]:
    from hermes_agent.cli.checks.logins import logins

    for finding in logins(loaded):
        yield Part("auth.json", "used" if finding.level == "ok" else "in part", finding.text)


def _tokens(home: Path) -> Iterator[Part]:
    from hermes_agent.bridges.mcp.tokens import FOLDER

    names = [path.stem for path in (home / FOLDER).glob("*.json")]
    servers = [name for name in names if not name.endswith(".client")]
    if servers:
        yield Part(f"{FOLDER}/", "used", f"{count(len(servers), 'login')} at MCP servers")


def count(number: int, one: str, many: str = "") -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
