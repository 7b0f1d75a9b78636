"""Which service is meant: of which home, of the user or of the machine."""

import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path

from hermes_agent.config.paths import hermes_home
from hermes_agent.deploy.units.service import Account, Service
from hermes_agent.domain.errors import NotFoundError

_HOME_LINE = re.compile(r'^Environment="HERMES_HOME=(.*)"$', re.MULTILINE)
_USER_LINE = re.compile(r"^User=(.+)$", re.MULTILINE)


def account_named(name: str) -> Account:
    """The user of that name. Raises `NotFoundError`."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise NotFoundError(
            f"There is no user {name}", hint=f"Make one with: useradd --system -m {name}"
        ) from None
    return Account(name=entry.pw_name, home=Path(entry.pw_dir))


def own_account(environ: Mapping[str, str] = os.environ) -> Account:
    """Who asks; under sudo, who called it."""
    caller = environ.get("SUDO_USER", "")
    if os.geteuid() == 0 and caller:
        return account_named(caller)
    entry = pwd.getpwuid(os.getuid())
    return Account(name=entry.pw_name, home=Path(environ.get("HOME") or entry.pw_dir))


def user_service(environ: Mapping[str, str] = os.environ) -> Service:
    """The service of this user for this home."""
    entry = pwd.getpwuid(os.getuid())
    account = Account(name=entry.pw_name, home=Path(environ.get("HOME") or entry.pw_dir))
    return Service(hermes_home=hermes_home(environ), account=account)


def system_service(user: str | None = None, environ: Mapping[str, str] = os.environ) -> Service:
    """The machine's service, for HERMES_HOME or the user's `~/.hermes`.

    Without `user` and HERMES_HOME it is the one that is installed, if one is.
    """
    account = account_named(user) if user else own_account(environ)
    named = environ.get("HERMES_HOME", "").strip()
    home = hermes_home(environ) if named else account.home / ".hermes"
    service = Service(hermes_home=home, account=account, system=True)
    if not named and not user:
        return _as_installed(service.unit_file()) or service
    return service


def _as_installed(unit_file: Path) -> Service | None:
    """The service that a unit file of ours is for, if it is its user's default home."""
    home = home_in(unit_file)
    if home is None:
        return None
    user = _USER_LINE.search(unit_file.read_text("utf-8"))
    try:
        account = account_named(user[1]) if user else None
    except NotFoundError:
        account = None
    if account is None or account.home / ".hermes" != home:
        return None
    return Service(hermes_home=home, account=account, system=True)


def config_home(environ: Mapping[str, str] = os.environ) -> Path | None:
    """XDG_CONFIG_HOME, if it is set as the specification wants it."""
    named = environ.get("XDG_CONFIG_HOME", "")
    return Path(named) if named.startswith("/") else None


def home_in(unit_file: Path) -> Path | None:
    """The HERMES_HOME that a unit file of ours names; None without one."""
    try:
        found = _HOME_LINE.search(unit_file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    if found is None:
        return None
    return Path(re.sub(r"\\(.)", r"\1", found[1]).replace("%%", "%"))


def installed_service(*, system: bool, environ: Mapping[str, str] = os.environ) -> Service | None:
    """The service that is installed for this home: the user's before the machine's."""
    candidates = [system_service(environ=environ)]
    if not system:
        candidates.insert(0, user_service(environ))
    home = hermes_home(environ)
    for service in candidates:
        found = home_in(service.unit_file(config_home(environ)))
        if found is not None and (system or found == home):
            return service
    return None
