"""Puts the gateway's unit in its place, and takes it away."""

import os
import pwd
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hermes_agent.cli.service.control import start_unit
from hermes_agent.cli.service.which import config_home, home_in
from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.config.managed import require_unmanaged
from hermes_agent.config.paths import Paths
from hermes_agent.deploy.units import program, render
from hermes_agent.deploy.units.service import Service
from hermes_agent.deploy.units.systemctl import Systemd
from hermes_agent.domain.errors import HermesError, UsageError
from hermes_agent.gateway.lock import holder

Say = Callable[[str], None]
UNIT_MODE = 0o644
MANAGER_SECONDS = 5.0

_WITHOUT_PATH = re.compile(r'^Environment="PATH=.*"$', re.MULTILINE)


def install(
    service: Service, *, force: bool, say: Say, environ: Mapping[str, str] = os.environ
) -> None:
    """Write the unit, enable and start it. What is there already is brought up to date."""
    require_unmanaged(Paths(service.hermes_home), environ, doing="install the gateway service")
    _require_rights(service, environ)
    if sys.platform == "darwin":
        from hermes_agent.cli.service import launchd

        launchd.install(_wanted(service, environ), say=say)
        return
    systemd = Systemd(system=service.system, environ=environ)
    unit_file = service.unit_file(config_home(environ))
    _require_ours(service, unit_file, force=force)
    wanted = _wanted(service, environ)
    _require_runnable(service, wanted.program)
    text = render.systemd_unit(wanted, version=systemd.version())
    stays = service.system or systemd.linger(service.account.name)
    systemd.wait_for_manager(MANAGER_SECONDS if stays else 0.0)
    _require_free(service, systemd)
    _write(unit_file, text)
    say(f"Written: {unit_file}")
    systemd.tell("daemon-reload")
    systemd.tell("enable", "--quiet", service.name)
    if not stays:
        say("The gateway will end when you log out, and not start with the machine; this user may")
        say(f"not change that. Have root run: loginctl enable-linger {service.account.name}")
    start_unit(systemd, service, "restart", say=say)
    scope = "" if service.system else "--user "
    say(f"The gateway runs. Look at it with: hermes gateway status, journalctl {scope}-u "
        f"{service.name}")  # fmt: skip


def uninstall(service: Service, *, say: Say, environ: Mapping[str, str] = os.environ) -> None:
    """Stop and disable the unit and delete its file. The home stays as it is."""
    require_unmanaged(Paths(service.hermes_home), environ, doing="uninstall the gateway service")
    _require_rights(service, environ)
    if sys.platform == "darwin":
        from hermes_agent.cli.service import launchd

        launchd.uninstall(service, say=say)
        return
    unit_file = service.unit_file(config_home(environ))
    if not unit_file.exists():
        say(f"{service.name} is not installed.")
        return
    _require_ours(service, unit_file, force=False)
    systemd = Systemd(system=service.system, environ=environ)
    start_unit(systemd, service, "stop", say=say)
    systemd.tell("disable", "--quiet", service.name)
    unit_file.unlink()
    systemd.tell("daemon-reload")
    say(f"Removed: {unit_file}")


def outdated(service: Service, systemd: Systemd, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether an install now would write another unit; not for another PATH, as each shell has."""
    try:
        text = render.systemd_unit(_wanted(service, environ), version=systemd.version())
        there = service.unit_file(config_home(environ)).read_text("utf-8")
        return _WITHOUT_PATH.sub("", there) != _WITHOUT_PATH.sub("", text)
    except (HermesError, OSError, UnicodeDecodeError):
        return False


def _wanted(service: Service, environ: Mapping[str, str]) -> render.Wanted:
    account = service.account
    lasting = program.lasting_program(environ)
    return render.Wanted(
        service=service,
        program=lasting,
        search_path=program.search_path(lasting, account.home, account.name, environ),
        writable=_writable(service),
    )


def _writable(service: Service) -> tuple[Path, ...]:
    """The agent works in its user's home directory, as it would in a login of that user."""
    home, hermes_home = service.account.home, service.hermes_home
    own = home.is_dir() and home != Path("/") and home.owner() == service.account.name
    if own and hermes_home.is_relative_to(home):
        return (home,)
    return (home, hermes_home) if own else (hermes_home,)


def _require_rights(service: Service, environ: Mapping[str, str]) -> None:
    if service.system and os.geteuid() != 0:
        raise HermesError(
            "Only root may change services of the machine",
            hint="Use sudo, or leave --system out: a service of your own needs no root.",
        )
    if not service.system and os.geteuid() == 0 and environ.get("SUDO_USER"):
        raise UsageError(
            "With sudo this would be a service of root's",
            hint="Leave sudo out for a service of your own, or add --system for the machine's.",
        )
    if not service.system:
        return
    user, home = service.account.name, service.account.home
    if not home.is_dir():
        raise HermesError(
            f"The user {user} has no home directory for the agent to work in ({home})",
            hint="Choose another user, or make one with: useradd --system -m NAME",
        )
    home = service.hermes_home
    if not home.is_relative_to(service.account.home) and not home.is_dir():
        raise HermesError(
            f"There is no folder {home}",
            hint=f"Make it with: install -d -m 700 -o {user} {shlex.quote(str(home))}",
        )


def _require_runnable(service: Service, lasting: Path) -> None:
    """What root can run, its user may not be able to reach: a program in root's home directory."""
    if not service.system or service.account.name == "root":
        return
    user = pwd.getpwnam(service.account.name)
    looking = subprocess.run(
        ("test", "-x", lasting),
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=os.getgrouplist(user.pw_name, user.pw_gid),
        cwd="/",
        check=False,
    )
    if looking.returncode:
        raise HermesError(
            f"The user {service.account.name} cannot run {lasting}",
            hint="Install hermes where everybody can reach it, such as /opt or /usr/local.",
        )


def _require_ours(service: Service, unit_file: Path, *, force: bool) -> None:
    if force or not os.path.lexists(unit_file):
        return
    found = home_in(unit_file)
    if found == service.hermes_home:
        return
    whose = f"for the home {found}" if found else "not one that hermes wrote"
    raise HermesError(
        f"{unit_file} is there already, and it is {whose}",
        hint="Replace it with: hermes gateway install --force",
    )


def _require_free(service: Service, systemd: Systemd) -> None:
    """A gateway that was started by hand would keep the service from ever starting."""
    found = holder(service.hermes_home)
    if found is None:
        return
    if found.here and str(found.pid) == systemd.show(service.name).get("MainPID"):
        return
    raise HermesError(
        f"A gateway runs already on {service.hermes_home} ({found.described()})",
        hint="Stop it first: hermes gateway stop",
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()  # a link, as `systemctl mask` makes it, is replaced, not written through
    except OSError as error:
        raise NotWritten(f"Cannot write {path}: {error.strerror}") from error
    write_atomically(path, text.encode(), UNIT_MODE)
