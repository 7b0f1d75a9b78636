"""The part that happens in the state directory, as the service user.

Run as `python -I -m hermes_agent.deploy.setup.inside UID GID GROUP…` (without numbers it stays who
it is): a `Job` as JSON on standard input, an `Answer` as JSON in the last line of standard output.
"""

import os
import sys

import msgspec

# All that is needed is loaded here: after the rights are given up it may be out of reach.
import yaml  # noqa: F401  # pyright: ignore[reportUnusedImport]  `reading` imports it late

from hermes_agent.config import reading
from hermes_agent.deploy.setup import documents, merge, seeding
from hermes_agent.deploy.setup.errors import InTheWay, SetupFailed
from hermes_agent.deploy.setup.handles import Folder, Unreadable, kind_of
from hermes_agent.deploy.setup.job import MOST_BYTES, Answer, ConfigJob, Job
from hermes_agent.deploy.setup.permissions import HOME, WORKSPACE
from hermes_agent.domain.errors import HermesError

CONFIG = "config.yaml"
MOST_CONFIG = 4 * 1024 * 1024


def carry_out(job: Job) -> list[str]:
    """Do it; returns warnings. Raises `HermesError`."""
    warnings: list[str] = []
    state = Folder(os.dup(job.state), job.state_dir)
    with state, _home(state, job, warnings) as home:
        home.replace(".managed", f"{job.manager}\n".encode(), _file(job, ".managed"), job.gid)
        for name, target in job.links.items():
            state.link(name, target)
        if job.anew or home.about(CONFIG) is None:
            _settle_config(home, job.config, _file(job, CONFIG), job.gid, warnings)
        if job.auth is not None:
            force = job.auth_force and job.anew
            seeding.seed(home, job.auth, _file(job, "auth.json"), force=force, warnings=warnings)
        if not os.access(job.state_dir, os.X_OK):
            warnings.append(f"The service user cannot reach {job.state_dir}: namei -l shows why")
        if job.program is not None and not os.access(job.program, os.X_OK):
            warnings.append(f"The service user cannot run {job.program}: namei -l shows why")
        with _workspace(state, job) as workspace:
            if job.anew:
                documents.install(workspace, home, job, warnings)
    return warnings


def _file(job: Job, name: str) -> int:
    return job.permissions.files[f"{HOME}/{name}"]


def _home(state: Folder, job: Job, warnings: list[str]) -> Folder:
    if job.tidy_state and not state.tidy(job.permissions.state_dir, job.gid):
        raise SetupFailed(f"{state.path} does not belong to the service user")
    home = state.made(HOME, job.permissions.directories[HOME], job.gid)
    try:
        for name, mode in job.permissions.in_home().items():
            _make(home, name, mode, job.gid, warnings)
    except BaseException:
        os.close(home.handle)
        raise
    return home


def _make(home: Folder, name: str, mode: int, gid: int | None, warnings: list[str]) -> None:
    try:
        folder = home.made(name, mode, gid)
    except InTheWay as obstacle:
        about = home.about(name)
        if about is not None and kind_of(about) == "a symbolic link":
            warnings.append(f"{obstacle.message}; it is left as it is")
            return
        new = home.aside(name, "displaced")
        warnings.append(f"{obstacle.message}; it is now called {new}")
        folder = home.made(name, mode, gid)
    with folder:
        owner = os.fstat(folder.handle).st_uid
        if owner != os.geteuid():
            warnings.append(f"{folder.path} belongs to uid {owner}, not to the service user")


def _workspace(state: Folder, job: Job) -> Folder:
    mode = job.permissions.directories[WORKSPACE]
    inside = f"{job.state_dir}/"
    if f"{job.workspace}/" == inside:
        return Folder(os.dup(state.handle), state.path)
    if job.workspace.startswith(inside):
        found = documents.reached(state, job.workspace.removeprefix(inside), mode, job.gid)
        found.tidy(mode, job.gid)
        return found
    if job.beside is None:
        raise SetupFailed(f"The working directory {job.workspace} was not opened")
    return Folder(os.dup(job.beside), job.workspace)


def _settle_config(
    home: Folder, config: ConfigJob, mode: int, gid: int | None, warnings: list[str]
) -> None:
    if config.text is not None:
        home.replace(CONFIG, config.text.encode(), mode, gid)
        return
    text = ""
    disk: merge.Settings = {}
    damage: str | None = None
    try:
        text = (home.read(CONFIG, MOST_CONFIG) or b"").decode("utf-8")
        disk = reading.parse(text, CONFIG).data
    except Unreadable as error:
        damage = error.message
    except UnicodeDecodeError:
        damage = "it is not UTF-8 text"
    except HermesError as error:
        damage = error.message
    if damage is not None:
        new = home.aside(CONFIG, "damaged")
        warnings.append(f"{home.named(CONFIG)} could not be used ({damage}); it is now {new}")
        text = ""
    target = merge.merged(config.last, config.declared, disk)
    target.setdefault("_config_version", config.version)
    try:
        new_text = merge.rewritten(text or config.heading, target)
    except merge.CannotKeepForm:
        warnings.append(
            f"{home.named(CONFIG)} was written anew, without its comments:"
            " its form (aliases, merge keys) cannot be changed in place"
        )
        new_text = merge.written(target, config.heading)
    home.replace(CONFIG, new_text.encode(), mode, gid)


def become(uid: int, gid: int, groups: list[int]) -> None:
    """Give root's rights up for good."""
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise SetupFailed("Cannot become the service user")


def main(argv: list[str]) -> int:
    """The process's whole life; returns its exit status."""
    try:
        if argv:
            uid, gid, *groups = map(int, argv)
            become(uid, gid, groups)
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
        job = msgspec.json.decode(data, type=Job)
        os.umask(job.permissions.umask)
        answer = Answer(tuple(carry_out(job)))
    except HermesError as error:
        answer = Answer((), error.message, error.hint)
    except (OSError, msgspec.DecodeError) as error:
        answer = Answer((), f"The state directory could not be set up: {error}")
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
