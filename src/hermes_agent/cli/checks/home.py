"""The home: folder, modes, database, `.env`."""

import os
import shutil
from collections.abc import Iterator

from hermes_agent.cli.checks import Finding
from hermes_agent.config import home as layout
from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import DamagedStoreError, StoreError
from hermes_agent.store.opening import check_store, open_existing_store, recover_store

LOW_DISK = 200 * 2**20


def home(loaded: Loaded) -> Iterator[Finding]:
    """Everything below HERMES_HOME."""
    paths = loaded.paths
    if not paths.home.is_dir():

        def make() -> str:
            layout.prepare(paths, loaded.managed)
            return f"made {paths.home}"

        yield Finding(area="home", level="note", text=f"{paths.home} does not exist yet", mend=make)
        return
    yield Finding(area="home", level="ok", text=f"{paths.home}")
    if not os.access(paths.home, os.W_OK):
        yield Finding(
            area="home",
            level="problem",
            text=f"{paths.home} cannot be written to",
            hint="Nothing can be remembered there. Check owner and mode.",
        )
    free = shutil.disk_usage(paths.home).free
    if free < LOW_DISK:
        yield Finding(
            area="home", level="problem", text=f"only {free // 2**20} MB are free on its disk"
        )
    if loaded.managed is None:
        yield from _modes(loaded)
    yield from _database(loaded)


def _modes(loaded: Loaded) -> Iterator[Finding]:
    paths = loaded.paths
    for name in layout.SECRET_FILES:
        path = paths.home / name
        try:
            mode = path.lstat().st_mode & 0o777
        except OSError:
            continue
        if mode & 0o077 and not path.is_symlink():

            def tighten() -> str:
                changed = layout.tighten(paths)
                return "made private: " + ", ".join(each.name for each in changed)

            yield Finding(
                area="home",
                level="problem",
                text=f"{name} can be read by others (mode {mode:o})",
                hint="hermes doctor --fix makes it private.",
                mend=tighten,
            )
            return


def _database(loaded: Loaded) -> Iterator[Finding]:
    home = loaded.paths.home

    def mend() -> str:
        saved = recover_store(home)
        return (
            f"saved {saved.sessions} sessions with {saved.messages} messages; "
            f"the damaged file is kept as {saved.kept}"
        )

    try:
        found = check_store(home)
        store = open_existing_store(home)
    except StoreError as error:
        damaged = isinstance(error, DamagedStoreError)
        yield Finding(
            area="home",
            level="problem",
            text=error.message,
            hint=error.hint or "",
            mend=mend if damaged else None,
        )
        return
    if found:
        yield Finding(
            area="home",
            level="problem",
            text=f"state.db is damaged: {found[0]}",
            hint="hermes doctor --fix saves what can be read.",
            mend=mend,
        )
        return
    if store is None:
        yield Finding(area="home", level="ok", text="no sessions yet")
        return
    stats = store.stats()
    store.close()
    yield Finding(
        area="home",
        level="ok",
        text=f"state.db: {stats.sessions} sessions, {stats.messages} messages, "
        f"{stats.bytes / 2**20:.1f} MB",
    )
