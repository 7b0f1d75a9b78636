"""auth.json: who is logged in where, and whether it is of use."""

from collections.abc import Iterator

from hermes_agent.cli.checks import Finding, Level
from hermes_agent.cli.terminal.safe import one_line
from hermes_agent.config.load import Loaded
from hermes_agent.config.secret_names import masked
from hermes_agent.providers.vendor import find_vendor


def logins(loaded: Loaded) -> Iterator[Finding]:
    """A line for each entry of the file; never a token."""
    for provider in sorted(loaded.logins.providers):
        login, name = loaded.logins.login(provider), one_line(provider)
        if login is None:
            yield _finding("note", f"{name}: the entry has no key and no token")
        elif find_vendor(provider) is None:
            yield _finding("note", f"{name}: no provider of this name is known; it is not used")
        elif login.expired():
            yield _finding(
                "problem",
                f"{name}: the login has expired",
                "Log in anew, or give the provider's key in a variable.",
            )
        else:
            chosen = ", the latest login" if loaded.logins.active == provider else ""
            yield _finding("ok", f"{name}: {masked(login.key.reveal())}{chosen}")


def _finding(level: Level, text: str, hint: str = "") -> Finding:
    return Finding(area="logins", level=level, text=text, hint=hint)
