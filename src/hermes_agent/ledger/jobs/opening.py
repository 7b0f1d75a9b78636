"""Which engine keeps a home's jobs. Today there is one."""

import time
from collections.abc import Callable
from pathlib import Path

from hermes_agent.ledger.jobs.port import JobBook

MIRROR = Path("cron") / "jobs.json"


def open_jobs(home: Path, zone_name: str = "", clock: Callable[[], float] = time.time) -> JobBook:
    """The jobs of `home`; those of an earlier installation are taken over the first time.

    `zone_name` is the configured time zone, empty for the machine's. Raises `StoreError`,
    `ConfigError`.
    """
    from hermes_agent.ledger.jobs.sqlite.book import SqliteJobs
    from hermes_agent.store.opening import DATABASE

    return SqliteJobs.open(home / DATABASE, home / MIRROR, zone_name, clock)
