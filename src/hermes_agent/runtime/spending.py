"""From the configuration to who watches over spending."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hermes_agent.config.load import Loaded
from hermes_agent.domain.ports import Model
from hermes_agent.runtime.zone import zone_of
from hermes_agent.sessions.caps import SPANS, Caps
from hermes_agent.sessions.treasury import RAISING, Treasury
from hermes_agent.store.journal import StoreThread
from hermes_agent.store.port import SessionStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hermes_agent.sessions.costs import Costs


def caps_of(loaded: Loaded) -> Caps:
    """`budget` of the configuration."""
    budget = loaded.config.budget
    values: Mapping[str, float] = {
        key: value
        for span in SPANS
        for key in (f"{span}_usd", f"{span}_tokens")
        if (value := getattr(budget, key))
    }
    return Caps(**values)


def costs_of(loaded: Loaded, store: SessionStore, days: int, source: str | None = None) -> "Costs":
    """What the last days cost, and what the caps leave. Raises `StoreError`."""
    from hermes_agent.sessions.costs import costs_since

    now = time.time()
    return costs_since(
        store,
        caps_of(loaded),
        since=now - days * 86_400,
        now=now,
        zone=zone_of(loaded.config.timezone),
        source=source,
    )


def treasury_of(loaded: Loaded, store: SessionStore, *, thread: StoreThread) -> Treasury:
    """Of this process."""

    raising = RAISING
    if loaded.managed is not None:
        raising = "change {key} in the declaration of " + loaded.managed.manager.name
    return Treasury(
        store,
        caps_of(loaded),
        thread=thread,
        zone=zone_of(loaded.config.timezone),
        raising=raising,
        anew=_Reader(loaded),
    )


@asynccontextmanager
async def paid(loaded: Loaded, model: Model) -> AsyncGenerator[Model]:
    """`model` for a call that belongs to no conversation, counted where there is a store."""
    from hermes_agent.sessions.metering import Metered
    from hermes_agent.store.journal import store_thread
    from hermes_agent.store.opening import open_existing_store

    store = open_existing_store(loaded.paths.home)
    if store is None:
        yield model
        return
    thread = store_thread()
    try:
        treasury = treasury_of(loaded, store, thread=thread)
        yield Metered(model, treasury, session=lambda: "", purpose="auxiliary")
    finally:
        thread.shutdown()
        store.close()


class _Reader:
    """Reads the caps again when config.yaml is another than it was."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._seen = self._stamp()

    def __call__(self) -> Caps | None:
        """None where nothing changed. Raises `ConfigError`."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp

        from hermes_agent.config.load import load

        return caps_of(load(self._loaded.paths, self._loaded.environ))

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._loaded.paths.config_file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
