"""The gateway: who may write to it, what it connects to, what it left undone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hermes_agent.cli.checks import Finding, Level
from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import ConfigError, HermesError

if TYPE_CHECKING:
    from hermes_agent.api.settings import ApiSettings


def gateway(loaded: Loaded) -> Iterator[Finding]:
    """Platforms, people, the running daemon, messages that were given up."""
    from hermes_agent.gateway.platform_settings import api_enabled, enabled

    yield from _unknown(loaded)
    settings = enabled(loaded)
    api = api_enabled(loaded)
    if not settings and not api:
        return
    for each in settings:
        yield _platform(loaded, each.name)
    if api:
        yield _api(loaded)
    yield from _people(loaded, tuple(each.name for each in settings))
    yield _running(loaded)
    yield from _queue(loaded)


def _unknown(loaded: Loaded) -> Iterator[Finding]:
    """Sections that switch on what does not exist."""
    from hermes_agent.platforms.table import PLATFORMS

    for name, section in loaded.config.platforms.items():
        if section.enabled and name not in (*PLATFORMS, "api_server"):
            yield _finding(
                "problem",
                f"platforms.{name}: there is no platform of this name",
                f"There are: {', '.join((*PLATFORMS, 'api_server'))}",
            )


def _platform(loaded: Loaded, name: str) -> Finding:
    from hermes_agent.gateway.platform_settings import settings_of
    from hermes_agent.platforms.table import create

    try:
        create(settings_of(loaded, name))
    except ConfigError as error:
        return _finding("problem", error.message, error.hint or "")
    return _finding("ok", f"{name} is configured")


def _api(loaded: Loaded) -> Finding:
    import importlib.util

    from hermes_agent.api.settings import from_environ

    try:
        settings = from_environ(loaded.environ, loaded.paths.home)
    except ConfigError as error:
        return _finding("problem", error.message, error.hint or "")
    if not all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn")):
        return _finding(
            "problem",
            "The API server needs the extra 'server', which is not installed.",
            "Install it: pip install 'hermes-agent[server]'",
        )
    where = f"http://{settings.host}:{settings.port}/v1"
    return _finding("ok", f"API server: {where}, key: {_key(settings)}")


def _key(settings: "ApiSettings") -> str:
    return "API_SERVER_KEY" if settings.key else f"in {settings.home / 'api_server.key'}"


def _people(loaded: Loaded, platforms: tuple[str, ...]) -> Iterator[Finding]:
    from hermes_agent.policy.admission.files import PairingFiles
    from hermes_agent.policy.admission.pairing import PairingBook
    from hermes_agent.policy.admission.people import OPEN
    from hermes_agent.policy.admission.rules import admission_rules

    try:
        rules = admission_rules(loaded, platforms)
        book = PairingBook(PairingFiles(loaded.paths.home / "pairing"))
        paired = {platform for platform, _ in book.everyone()}
    except HermesError as error:
        yield _finding("problem", error.message, error.hint or "")
        return
    for warning in rules.warnings:
        yield _finding("note", warning)
    for name in platforms:
        own = rules.of(name)
        yield from _no_ids(name, (*own.owners, *(own.allowed or ()), *own.guests))
        anybody = own.owners or own.allowed or own.guests or own.everyone or rules.allowed
        if name not in OPEN and not anybody and name not in paired and not rules.everyone:
            yield _finding(
                "note",
                f"{name}: nobody may write yet",
                f"Set {name.upper()}_ALLOWED_USERS, or write to it and approve the code: "
                "hermes pairing list",
            )
        if own.everyone == "user" or (rules.everyone and own.allowed is None):
            yield _finding("note", f"{name}: everybody may write, and use the agent's tools")


def _no_ids(platform: str, people: tuple[str, ...]) -> Iterator[Finding]:
    """A name on a list is one that nobody can have, and it counts: nobody is the only one then."""
    if platform not in ("telegram", "discord"):
        return
    for person in people:
        if not person.isdigit():
            yield _finding(
                "problem",
                f"{platform}: {person!r} is on a list of people and is no id; ids are numbers",
                "hermes pairing list shows the ids of those who knocked",
            )


def _running(loaded: Loaded) -> Finding:
    from hermes_agent.gateway.lock import holder
    from hermes_agent.gateway.state import read_status

    found = holder(loaded.paths.home)
    if found is None:
        return _finding("note", "the gateway is not running", "hermes gateway install, or run")
    status = read_status(loaded.paths.home)
    platforms = status.platforms if status else {}
    bad = {name: each for name, each in platforms.items() if each.state in ("failed", "retrying")}
    if bad:
        why = "; ".join(f"{name}: {each.error_message or each.state}" for name, each in bad.items())
        return _finding("problem", f"the gateway runs ({found.described()}), but {why}")
    return _finding("ok", f"the gateway runs ({found.described()})")


def _queue(loaded: Loaded) -> Iterator[Finding]:
    from hermes_agent.ledger.opening import open_existing_ledger

    ledger = open_existing_ledger(loaded.paths.home)
    if ledger is None:
        return
    counts = ledger.counts()
    ledger.close()
    dead = counts.inbox.get("dead", 0) + counts.outbox.get("dead", 0)
    if dead:
        yield _finding(
            "problem", f"{dead} message(s) were given up", "hermes gateway queue list --dead"
        )


def _finding(level: Level, text: str, hint: str = "") -> Finding:
    return Finding(area="gateway", level=level, text=text, hint=hint)
