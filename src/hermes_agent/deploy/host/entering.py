"""Root's side: `hermes` of a deployment, executed as its service's user.

Started by sudo for a member of the group, or by root. Everything comes from root's own files: the
account and the program from the registry, the variables from the deployment's environment file.
The caller adds words, a few allow-listed variables and the standard streams, nothing else.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from hermes_agent.deploy.host import registry, variables
from hermes_agent.deploy.host.registry import Deployment
from hermes_agent.domain.errors import ConfigError, HermesError, NotFoundError, UsageError

RUNTIME = "/run/hermes-agent"
CREDENTIALS = "/run/credentials"
PACKAGE_INSIDE = "/data/current-package"
SEARCH_PATH = (
    "/run/wrappers/bin:/run/current-system/sw/bin"
    ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)
_PERMISSIONS = __file__.rpartition("/host/")[0] + "/data/permissions.json"


def main(name: str, words: Sequence[str]) -> NoReturn:
    """Enter the deployment of that name. `words`: `--env NAME=value` …, `--`, the command line.

    What goes wrong is said on stderr, and ends with the error's exit status.
    """
    try:
        pairs, argv = _split(words)
        if os.geteuid() != 0:
            raise UsageError("Only root can enter a deployment; sudo does it for its group")
        _note(name)
        enter(registry.deployment(name), variables.admitted(pairs), argv, shared=False)
    except HermesError as error:
        sys.stderr.write(f"hermes: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  {error.hint}\n")
        sys.exit(error.exit_code)


def enter(
    deployment: Deployment,
    carried: Mapping[str, str],
    argv: Sequence[str],
    *,
    shared: bool = True,
    inside: bool = False,
) -> NoReturn:
    """Become root no more. Raises `HermesError`s.

    `shared` says that the terminal is also that of the caller's shell. It is then replaced by one
    of its own, as sudo's `use_pty` does: whoever holds a terminal can type into it (TIOCSTI).
    `inside` says that this is the root of the deployment's container.
    """
    _check_account(deployment)
    environment = {**_declared(deployment, inside=inside), **carried}
    # Whatever else the caller had open is none of the agent's business.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if deployment.container and not inside:
        from hermes_agent.deploy.host.engine import execute

        execute(deployment, environment, argv)

    def start() -> NoReturn:
        _become(deployment)
        _execute(deployment, environment, argv)

    if shared and any(os.isatty(stream) for stream in (0, 1, 2)):
        from hermes_agent.deploy.host.relay import relay

        relay(start)
    start()


def umask() -> int:
    """The one of the permission table."""
    with open(_PERMISSIONS, encoding="utf-8") as file:  # noqa: PTH123
        return int(json.load(file)["umask"], 8)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    pairs: list[str] = []
    rest = list(words)
    while rest[:1] == ["--env"] and len(rest) > 1:
        pairs.append(rest[1])
        rest = rest[2:]
    if rest[:1] != ["--"]:
        raise UsageError("Expected [--env NAME=value]… -- [ARGUMENT]…")
    return pairs, rest[1:]


def _note(name: str) -> None:
    """Who came is logged; what they said to the agent is theirs."""
    import syslog

    who = os.environ.get("SUDO_UID", "")
    syslog.openlog("hermes-agent", 0, syslog.LOG_AUTHPRIV)
    said = f"uid {who}" if who.isascii() and who.isdigit() else "root"
    syslog.syslog(syslog.LOG_INFO, f"{said} enters the deployment {name[:41]!r}")


def _check_account(deployment: Deployment) -> None:
    import pwd

    if deployment.uid == 0 or deployment.gid == 0:
        raise ConfigError(
            f"The agent {deployment.name} runs as root; people may not become that",
            hint="Give the deployment a user of its own.",
        )
    if deployment.container:
        return
    try:
        account = pwd.getpwnam(deployment.user)
    except KeyError:
        account = None
    if account is None or account.pw_uid != deployment.uid:
        raise NotFoundError(
            f"The user {deployment.user} (number {deployment.uid}), as whom the agent"
            f" {deployment.name} runs, does not exist any more",
            hint="Apply the deployment again.",
        )


def _declared(deployment: Deployment, *, inside: bool) -> dict[str, str]:
    """The variables of the deployment, as its service has them."""
    runtime = "/run/hermes" if inside else f"{RUNTIME}/{deployment.name}"
    found = _environment_file(f"{runtime}/environment")
    found["USER"] = found["LOGNAME"] = deployment.user
    found.setdefault("LANG", "C.UTF-8")
    if deployment.container:
        found.setdefault("HOME", "/home/hermes")
        found["HERMES_HOME"] = "/data/.hermes"
        if os.path.isdir(f"{runtime}/credentials"):  # noqa: PTH112
            found["CREDENTIALS_DIRECTORY"] = "/run/hermes/credentials"
        if inside:
            own = f"{found['HOME']}/.venv/bin:{found['HOME']}/.local/bin"
            found["PATH"] = f"{own}:{SEARCH_PATH}:{PACKAGE_INSIDE}/bin"
        return found
    found["HOME"] = deployment.state
    found["HERMES_HOME"] = deployment.home
    found["PATH"] = deployment.path or f"{deployment.package}/bin:{SEARCH_PATH}"
    credentials = f"{CREDENTIALS}/{deployment.name}.service"
    if os.path.isdir(credentials):  # noqa: PTH112
        found["CREDENTIALS_DIRECTORY"] = credentials
    return found


def _environment_file(path: str) -> dict[str, str]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}  # before the first start, and after a stop: there is nothing to hand over
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}") from error
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if about.st_uid != 0 or about.st_mode & 0o022:
            raise ConfigError(f"{path} cannot be trusted: it must belong to root")
        data = file.read()
    from hermes_agent.config import dotenv

    return dotenv.values(data.decode("utf-8", "surrogateescape"), path)


def _become(deployment: Deployment) -> None:
    """Root's rights are gone afterwards, and no setuid program gives them back."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    os.umask(umask())
    os.initgroups(deployment.user, deployment.gid)
    os.setresgid(deployment.gid, deployment.gid, deployment.gid)
    os.setresuid(deployment.uid, deployment.uid, deployment.uid)
    # PR_SET_NO_NEW_PRIVS, as the service has it; a container says for itself whether it has sudo.
    if not deployment.container and libc.prctl(38, 1, 0, 0, 0) != 0:
        raise HermesError("Cannot give up privileges for good: no_new_privs is refused")
    # The session keyring is the caller's, and holding it would give the agent their keys.
    number = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
    if number is not None:
        libc.syscall(number, 1, None)  # KEYCTL_JOIN_SESSION_KEYRING; some sandboxes know no keys


def _execute(
    deployment: Deployment, environment: Mapping[str, str], argv: Sequence[str]
) -> NoReturn:
    try:
        os.chdir(deployment.workspace)
    except OSError as error:
        sys.stderr.write(
            f"hermes: The working directory {deployment.workspace} cannot be entered"
            f" ({error.strerror}); going on in /\n"
        )
        sys.stderr.flush()
        os.chdir("/")
    package = PACKAGE_INSIDE if deployment.container else deployment.package
    program = f"{package}/bin/hermes"
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, and it would be inherited
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execve(program, ["hermes", *argv], environment)  # noqa: S606
    except OSError as error:
        raise NotFoundError(
            f"{program} cannot be executed as {deployment.user}: {error.strerror}",
            hint="Apply the deployment again.",
        ) from error
