"""Setting a deployment up before it starts: what root does, and in which order.

First everything is read that can be missing or wrong, then the state directory is set up by the
service user's process, then the root-owned places are written, the record last: whatever broke off
in between is done again at the next start.
"""

import fcntl
import os
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from hermes_agent.config import reading as settings_reading
from hermes_agent.config.schema import CONFIG_VERSION
from hermes_agent.deploy import reading
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.setup import (
    account as accounts,
)
from hermes_agent.deploy.setup import (
    child,
    documents,
    generation,
    records,
    registry,
    runtime,
    secrets,
    sources,
    state,
)
from hermes_agent.deploy.setup.account import Account
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.handles import Folder
from hermes_agent.deploy.setup.job import ConfigJob, Job
from hermes_agent.deploy.setup.permissions import table
from hermes_agent.deploy.setup.records import Record
from hermes_agent.deploy.setup.way import Make, enter
from hermes_agent.deploy.spec import Specification
from hermes_agent.domain.errors import ConfigError

MOST_AUTH = 1024 * 1024
LOCK_SECONDS = 90.0


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """`changed` is False where this generation was applied before; `environment` is what the
    service gets, secrets included."""

    uid: int
    gid: int
    generation: str
    changed: bool
    environment: dict[str, str]
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Prepared {self.generation[:12]}>"


class _Inputs(msgspec.Struct, frozen=True):
    environment: dict[str, str]
    config: str | None
    settings: dict[str, Any]
    auth: bytes | None
    documents: dict[str, bytes]
    generation: str


def prepare(
    spec: Specification,
    places: Places,
    *,
    links: Mapping[str, str] | None = None,
    furnish: runtime.Furnish | None = None,
) -> Prepared:
    """Set it up. `links` are symbolic links for the state directory, by name; `furnish` adds to
    the runtime folder before it is seen. Raises `SetupFailed` (1), `ConfigError` (78)."""
    account = accounts.resolve(spec)
    inputs, warnings = _inputs(spec)
    system = spec.scope == "system"
    with ExitStack() as stack:
        folders = _RootFolders(places, system=system, stack=stack)
        lock = stack.enter_context(_locked(folders.runtime))
        name = f"{spec.name}.json"
        record = records.read(folders.records, name)
        handle = stack.enter_context(state.opened(spec, account, record))
        beside = stack.enter_context(state.workspace_beside(spec, account))
        before = state.home_identity(handle)
        registry.refuse_conflicts(folders.homes, spec, before)
        anew = record.generation != inputs.generation or record.home != before
        same = record.home == before or record.state_dir == spec.state_dir
        last = record if same else Record()
        job = _job(spec, account, inputs, last, (handle, beside), links or {}, anew=anew)
        # The lock goes along: if this process dies, the next one waits for the other's end.
        handles = (lock, handle) if beside is None else (lock, handle, beside)
        answer = child.run(job, account, handles)
        home = state.home_identity(handle)
        if home is None:
            raise SetupFailed(f"{spec.home} went away while it was set up", hint="Try again.")
        entry = registry.entry(spec, account, home, inputs.settings)
        registry.write(folders.homes, spec, entry)
        text = secrets.text(inputs.environment)
        runtime.publish(folders.runtime, spec.name, text, 0o755 if system else 0o700, furnish)
        applied = Record(
            generation=inputs.generation,
            state_dir=spec.state_dir,
            state=state.identity(handle),
            home=home,
            uid=account.uid,
            settings=inputs.settings,
            documents={n: documents.digest(data) for n, data in inputs.documents.items()},
            program=records.stamp(spec.program),
        )
        if applied != record:
            records.write(folders.records, name, applied)
    return Prepared(
        uid=account.uid,
        gid=account.gid,
        generation=inputs.generation,
        changed=anew,
        environment=inputs.environment,
        warnings=(*warnings, *answer.warnings),
    )


def _inputs(spec: Specification) -> tuple[_Inputs, list[str]]:
    environment, warnings = secrets.gather(spec)
    secrets.require_readable(spec)
    config, settings = _declared(spec)
    auth = None
    if spec.auth_file is not None:
        auth = sources.read(spec.auth_file, "the auth file", MOST_AUTH)
        _check_auth(auth, spec.auth_file)
    contents = documents.gather(spec.documents)
    number = generation.of(spec, None if config is None else config.encode(), auth, contents)
    return _Inputs(environment, config, settings, auth, contents, number), warnings


def _declared(spec: Specification) -> tuple[str | None, dict[str, Any]]:
    if spec.config_file is None:
        return None, spec.declared
    data = sources.read(spec.config_file, "the configuration file", settings_reading.MAX_BYTES)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"configFile {spec.config_file} is not UTF-8 text") from error
    settings = settings_reading.parse(text, spec.config_file).data
    faults = reading.faults_of_settings(settings)
    if faults:
        texts = [fault.message for fault in faults]
        raise ConfigError("\n  ".join([f"configFile {spec.config_file}:", *texts]))
    return text, settings


def _check_auth(data: bytes, path: str) -> None:
    try:
        msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SetupFailed(
            f"The auth file {path} is not a JSON object",
            hint="Is it still encrypted? It must have the form of auth.json.",
        ) from error


def _job(
    spec: Specification,
    account: Account,
    inputs: _Inputs,
    last: Record,
    handles: tuple[int, int | None],
    links: Mapping[str, str],
    *,
    anew: bool,
) -> Job:
    system = spec.scope == "system"
    permissions = table()
    return Job(
        state=handles[0],
        state_dir=spec.state_dir,
        workspace=state.workspace(spec),
        beside=handles[1],
        program=None if spec.container.enable else spec.program,
        gid=account.gid if system else None,
        permissions=permissions if system else permissions.for_one_person(),
        tidy_state=system,
        anew=anew,
        manager=spec.manager,
        config=ConfigJob(
            inputs.config, last.settings, inputs.settings, CONFIG_VERSION, _heading(spec)
        ),
        auth=inputs.auth,
        auth_force=spec.auth_file_force_overwrite,
        links=dict(links),
        documents=inputs.documents,
        gone={n: was for n, was in last.documents.items() if n not in inputs.documents},
    )


def _heading(spec: Specification) -> str:
    from hermes_agent.config.managed import manager_named

    manager = manager_named(spec.manager)
    return (
        f"# Declared keys come from {manager.edit} and are written anew when it changes;\n"
        "# keys that are not declared there stay as they are here.\n"
    )


class _RootFolders:
    """The directories that belong to root, made if need be."""

    def __init__(self, places: Places, *, system: bool, stack: ExitStack) -> None:
        self._owners = frozenset((0,)) if system else None
        self._stack = stack
        roots = places.roots
        self.runtime = self._open(str(roots.runtime), 0o711 if system else 0o700)
        self.records = self._open(str(roots.records), 0o755 if system else 0o700)
        self._open(str(roots.registry), 0o755)
        self.homes = self._open(str(roots.registry / "homes"), 0o755)

    def _open(self, path: str, mode: int) -> Folder:
        way = path if self._owners is not None else os.path.realpath(path)
        folder = Folder(enter(way, owners=self._owners, make=Make(mode)), path)
        self._stack.enter_context(folder)
        about = os.fstat(folder.handle)
        if about.st_uid != os.geteuid() or about.st_mode & 0o022:
            raise SetupFailed(
                f"{path} must belong to root and be writable by root alone",
                hint=f"Look at it, then run: chown root:root {path} && chmod go-w {path}",
            )
        return folder


@contextmanager
def _locked(folder: Folder) -> Generator[int]:
    """Let one set-up run at a time on this machine."""
    handle = os.open(
        ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder.handle
    )
    try:
        end = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise SetupFailed(
                        f"Another set-up has been running for {LOCK_SECONDS:.0f} s",
                        hint=f"See who holds {folder.named('.lock')}",
                    ) from error
                time.sleep(0.02)
        yield handle
    finally:
        os.close(handle)
