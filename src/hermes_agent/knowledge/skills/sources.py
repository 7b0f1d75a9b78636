"""Where skills come from: a folder, an archive, a git address, an index on the web."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from hermes_agent.domain.errors import DeniedError, HermesError, NotFoundError
from hermes_agent.knowledge.skills.unpacking import DEEPEST, is_archive, refuse_bomb, unpack

_GIT = re.compile(r"(?:https?://|ssh://|git@|file://)\S+|\S+\.git")
_ARCHIVE = re.compile(r"https?://\S+\.(?:zip|tar|tar\.gz|tgz)")
_INDEX = re.compile(r"https?://(?:[^/\s]+/?|\S+\.json|\S+/\.well-known/\S*)")
_GIT_SECONDS = 120


def is_index(source: str) -> bool:
    """Whether it is the address of a host, or of an index: no git address, no archive."""
    return bool(_INDEX.fullmatch(source)) and not source.endswith(".git")


def fetch(source: str, place: Path, only: str | None = None) -> None:
    """The source's files below `place`; of an index those of the skill `only`, else of all.
    Raises `HermesError`s."""
    _refuse_address(source)
    try:
        _fetch(source, place, only)
        refuse_traps(place)
    except OSError as error:
        raise HermesError(f"{source} cannot be used: {error.strerror or 'not readable'}") from error


def _fetch(source: str, place: Path, only: str | None) -> None:
    path = Path(source).expanduser()
    if path.is_dir():
        if place.resolve().is_relative_to(path.resolve()):
            raise DeniedError(f"{source} is where skills are put, and no source of them.")
        refuse_traps(path)
        shutil.copytree(path, place, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    elif is_archive(path):
        unpack(path, place)
    elif is_index(source):
        from hermes_agent.knowledge.skills.wellknown import fetch_index

        fetch_index(source, place, only)
    elif _ARCHIVE.fullmatch(source):
        from hermes_agent.knowledge.skills.wellknown import fetch_archive

        fetch_archive(source, place)
    elif _GIT.fullmatch(source) and not source.startswith("-"):
        _clone(source, place)
    else:
        raise NotFoundError(
            f"{source!r} is no folder, no archive, no git address and no index.",
            hint="Give a folder, a .zip, .tar or .tar.gz, https://….git, or https://HOST.",
        )


def _refuse_address(source: str) -> None:
    """What the lock file will name is no secret, and what comes here comes as it was sent."""
    try:
        parts = urlsplit(source)
    except ValueError as error:
        raise NotFoundError(f"{source[:200]!r} is no address.") from error
    if parts.scheme not in ("http", "https"):
        return
    if parts.username or parts.password:
        raise DeniedError(
            "An address with a name or a password in it is not fetched.",
            hint="Let git keep the password: https://git-scm.com/docs/gitcredentials",
        )
    if parts.scheme != "http":
        return
    from hermes_agent.knowledge.skills.wellknown import is_loopback

    if not is_loopback(parts.hostname or ""):
        raise DeniedError(f"{source[:200]} is not fetched: only https is.")


def _clone(source: str, place: Path) -> None:
    argv = ("git", "-c", "core.symlinks=false", "-c", "protocol.ext.allow=never")
    argv += ("clone", "--quiet", "--depth=1", "--no-tags", "--", source, str(place))
    quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"}
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_GIT_SECONDS, env=quiet, check=False
        )
    except FileNotFoundError as error:
        raise HermesError("git is not installed", hint="Install git, or give a folder.") from error
    except subprocess.TimeoutExpired as error:
        raise HermesError(f"{source} did not come within {_GIT_SECONDS} seconds") from error
    if done.returncode:
        raise HermesError(f"{source} could not be fetched: {done.stderr.strip()[-300:]}")
    shutil.rmtree(place / ".git", ignore_errors=True)


def refuse_traps(place: Path) -> None:
    """Links, devices and the like have no place in a skill."""
    count = total = 0
    for here, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name != ".git"]
        if len(Path(here).relative_to(place).parts) > DEEPEST:
            raise DeniedError(f"Folders are nested more than {DEEPEST} deep.")
        for name in (*folders, *names):
            about = Path(here, name).lstat()
            if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
                raise DeniedError(f"{Path(here, name).relative_to(place)} is a link or a device.")
            count, total = count + 1, total + about.st_size
            refuse_bomb(count, total)
