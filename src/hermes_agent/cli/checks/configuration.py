"""config.yaml and `.env`."""

from collections.abc import Iterator

from hermes_agent.cli.checks import Finding
from hermes_agent.config import effective, report
from hermes_agent.config.load import Loaded


def configuration(loaded: Loaded) -> Iterator[Finding]:
    """What was read, what is odd about it, what has no effect yet."""
    path = loaded.paths.config_file
    text = f"{path}" if path.exists() else f"{path} does not exist; defaults are in force"
    yield Finding(area="configuration", level="ok", text=text)
    if loaded.managed is not None:
        manager = loaded.managed.manager.name
        yield Finding(area="configuration", level="ok", text=f"managed by {manager}")
    for remark in loaded.warnings:
        yield Finding(area="configuration", level="note", text=remark.text)
    set_keys = list(report.leaves(loaded.data))
    for key in effective.idle(set_keys, loaded.data):
        yield Finding(
            area="configuration", level="note", text=f"{key} is accepted but has no effect yet"
        )
