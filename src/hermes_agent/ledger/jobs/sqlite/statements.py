"""The statements of jobs.sql by name."""

from pathlib import Path

from hermes_agent.store.sqlite import queries

_FILE = Path(__file__).with_name("jobs.sql")


def statements() -> dict[str, str]:
    """Each is introduced by `-- name: …`."""
    return queries.statements(_FILE)
