"""Putting the host command on a machine, and taking it off, where no NixOS module does it.

Three things: a program of root's for each deployment, the rule that lets sudo start it for the
deployment's group, and the link that puts `hermes` on PATH. The templates lie in `deploy/data`.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from hermes_agent.config.files import NotWritten, write_atomically
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import HermesError

_DATA = Path(__file__).parents[1] / "data"
_PLACE = re.compile(r"@([A-Z]+)@")
_LONGEST_SHEBANG = 120


class Unsafe(HermesError):
    """Root would run what others may change."""


class Places:
    """Where things go; tests put the root elsewhere."""

    def __init__(self, name: str, root: Path = Path("/")) -> None:
        libexec = root / "usr/local/libexec/hermes-agent"
        self.door = libexec / "enter" / name
        self.rule = root / "etc/sudoers.d" / f"hermes-agent_{name}"
        self.command = root / "usr/local/bin/hermes"
        self.program = libexec / "command"
        """What the link on PATH leads to. A link that leads here is ours."""


def install(spec: Specification, *, root: Path = Path("/")) -> list[str]:
    """Let the deployment's group use `hermes`, if the specification wants it; else `uninstall`.

    Returns sentences about what could not be done but harms nothing. Raises `Unsafe` where the
    program could be changed by others than root, `NotWritten`, `HermesError`.
    """
    if not spec.add_to_system_packages or spec.scope == "user":
        uninstall(spec.name, root=root)
        return []
    places = Places(spec.name, root)
    python = interpreter(spec)
    said: list[str] = []
    _folder(places.door.parent)
    require_roots(places.door.parent)
    _write(places.door, _filled("host-command.py", NAME=spec.name, PYTHON=python), 0o755)
    said += _allow(spec, places, root)
    said += _link(spec, places)
    return said


def changes(spec: Specification, *, root: Path = Path("/")) -> list[str]:
    """Sentences about what `install` would put on the machine or take off it."""
    places = Places(spec.name, root)
    if not spec.add_to_system_packages or spec.scope == "user":
        return leftovers(spec.name, root=root)
    wanted = [places.door, places.rule]
    if Path(spec.program) != places.command:
        wanted.append(places.command)
    return [f"write {path}" for path in wanted if not os.path.lexists(path)]


def leftovers(name: str, *, root: Path = Path("/")) -> list[str]:
    """Sentences about what `uninstall` would take off the machine."""
    places = Places(name, root)
    there = [path for path in (places.door, places.rule) if os.path.lexists(path)]
    try:
        alone = [each.name for each in places.door.parent.iterdir()] == [name]
    except OSError:
        alone = False
    if alone and _leads_to(places.command, places.program):
        there.append(places.command)
    return [f"remove {path}" for path in there]


def uninstall(name: str, *, root: Path = Path("/")) -> None:
    """Take it off again; what is not ours stays."""
    places = Places(name, root)
    places.rule.unlink(missing_ok=True)
    places.door.unlink(missing_ok=True)
    try:
        left = any(places.door.parent.iterdir())
    except FileNotFoundError:
        return
    if not left:
        if _leads_to(places.command, places.program):
            places.command.unlink()
        places.program.unlink(missing_ok=True)
        for folder in (places.door.parent, places.door.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()


def interpreter(spec: Specification) -> str:
    """The Python that root runs for a caller: the package's own, or the one that runs this.

    Whoever applies has looked through the package already. Raises `Unsafe`.
    """
    require_roots(Path(spec.program))
    own = [Path(spec.package) / "bin" / name for name in ("python3", "python")]
    found = next((path for path in own if _knows_us(path)), None)
    tops = [Path(__file__).parents[2]]
    if found is None:
        found = Path(sys.executable)
        require_roots(found)
        tops.append(Path(sysconfig.get_path("purelib")))
    for top in tops:
        for folder, _, files in os.walk(top):
            require_root(Path(folder))
            for name in files:
                require_root(Path(folder, name))
    if len(str(found)) > _LONGEST_SHEBANG or re.search(r"\s", str(found)):
        raise Unsafe(f"{found} cannot be named in the first line of a program")
    return str(found)


def _knows_us(python: Path) -> bool:
    if not os.access(python, os.X_OK):
        return False
    require_roots(python)
    tried = subprocess.run(
        [python, "-I", "-c", "import hermes_agent.deploy.host.entering"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={},
        check=False,
    )
    return tried.returncode == 0


def require_roots(path: Path) -> None:
    """Root alone decides what this path leads to, or it is `Unsafe`."""
    for place in (path, Path(os.path.realpath(path))):
        for step in (place, *place.parents):
            require_root(step)


def require_root(path: Path) -> None:
    """The file or folder is root's alone to change, or it is `Unsafe`."""
    try:
        about = path.lstat()
    except FileNotFoundError as error:
        raise Unsafe(f"{path} is not there", hint="package is a folder with bin/hermes.") from error
    # What root's own group may write is root's; Python makes such folders under a umask of 007.
    loose = about.st_mode & (0o002 if about.st_gid == 0 else 0o022)
    if about.st_uid == 0 and (path.is_symlink() or not loose):
        return
    raise Unsafe(
        f"{path} can be changed by others than root, and root would run it for the host command",
        hint="Install the package where only root can write, such as /opt/hermes, or declare"
        " addToSystemPackages = false.",
    )


def _allow(spec: Specification, places: Places, root: Path) -> list[str]:
    # Inside a container nothing runs as the user on the host; elsewhere it is the agent.
    agent = [] if spec.container.enable else [f"!{spec.user}"]
    who = ", ".join([f"%{spec.group}", *spec.container.host_users, *agent])
    door = "/" / places.door.relative_to(root)
    visudo = shutil.which("visudo", path="/usr/sbin:/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if visudo is None or not places.rule.parent.is_dir():
        return [
            f"sudo is not installed: only root can use hermes for the deployment {spec.name}."
            " Install sudo and apply again."
        ]
    text = _filled("host-command.sudoers", NAME=spec.name, WHO=who, DOOR=str(door))
    # sudo reads no name with a dot in it, so the rule does not count before it is checked.
    draft = places.rule.with_name(f"{places.rule.name}.new")
    try:
        _write(draft, text, 0o440)
        checked = subprocess.run(
            [visudo, "-c", "-q", "-f", str(draft)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode != 0:
            said = " ".join((checked.stderr or checked.stdout).split())[:500]
            raise HermesError(f"sudo does not understand the rule for the host command: {said}")
        draft.replace(places.rule)
    finally:
        draft.unlink(missing_ok=True)
    return []


def _link(spec: Specification, places: Places) -> list[str]:
    wanted = Path(spec.program)
    if wanted == places.command:
        return []
    # The link that is ours names one place of ours, and that place names the package of today.
    fresh = places.program.with_name("command.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(wanted)
    fresh.replace(places.program)
    if _leads_to(places.command, places.program):
        return []
    if os.path.lexists(places.command):
        if os.path.realpath(places.command) == os.path.realpath(wanted):
            return []
        return [
            f"{places.command} is there already and was left as it is; {wanted} is the"
            f" command of the deployment {spec.name}."
        ]
    _folder(places.command.parent)
    places.command.symlink_to(places.program)
    return []


def _leads_to(link: Path, target: Path) -> bool:
    return link.is_symlink() and link.readlink() == target


def _folder(path: Path) -> None:
    """Make it, whatever root's umask is; everybody may enter it."""
    try:
        missing = [step for step in (path, *path.parents) if not step.is_dir()]
        for step in reversed(missing):
            step.mkdir()
            step.chmod(0o755)
    except OSError as error:
        raise NotWritten(f"Cannot make the folder {path}: {error.strerror}") from error


def _write(path: Path, text: str, mode: int) -> None:
    path.unlink(missing_ok=True)
    write_atomically(path, text.encode(), mode)


def _filled(template: str, **values: str) -> str:
    text = (_DATA / template).read_text("utf-8")
    return _PLACE.sub(lambda found: values[found[1]], text)
