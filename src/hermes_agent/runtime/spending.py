"""From the configuration to who watches over spending."""

import time
from typing import TYPE_CHECKING

from hermes_agent.config.load import Loaded
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


def treasury_of(
    loaded: Loaded, store: SessionStore, *, thread: StoreThread, restart: bool = False
) -> Treasury:
    """Of this process; `restart` where it reads the configuration only when it starts."""
    raising = RAISING + (", then: hermes gateway restart" if restart else "")
    if loaded.managed is not None:
        raising = "change {key} in the declaration of " + loaded.managed.manager.name
    return Treasury(
        store,
        caps_of(loaded),
        thread=thread,
        zone=zone_of(loaded.config.timezone),
        raising=raising,
    )
