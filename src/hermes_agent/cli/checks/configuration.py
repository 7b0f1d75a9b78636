"""config.yaml and `.env`."""

import os
import time
from collections.abc import Iterator

from hermes_agent.cli.checks import Finding
from hermes_agent.config import dotenv, effective, report
from hermes_agent.config.files import write_atomically
from hermes_agent.config.load import Loaded
from hermes_agent.config.managed import find, require_unmanaged
from hermes_agent.config.paths import Paths
from hermes_agent.config.schema import Config
from hermes_agent.domain.errors import ConfigError


def configuration(loaded: Loaded) -> Iterator[Finding]:
    """What was read, what is odd about it, what has no effect yet."""
    path = loaded.paths.config_file
    text = f"{path}" if path.exists() else f"{path} does not exist; defaults are in force"
    yield Finding(area="configuration", level="ok", text=text)
    if loaded.managed is not None:
        text = f"managed by {loaded.managed.described()}"
        yield Finding(area="configuration", level="ok", text=text)
    for remark in loaded.warnings:
        level = "problem" if remark.key == "auth.json" else "note"
        yield Finding(area="configuration", level=level, text=remark.text)
    set_keys = list(report.leaves(loaded.data))
    for key in effective.idle(set_keys, loaded.data):
        yield Finding(
            area="configuration", level="note", text=f"{key} is accepted but has no effect yet"
        )


def unusable(error: ConfigError, paths: Paths) -> Finding:
    """Why nothing could be read; a broken `.env` can be mended."""
    text, hint = error.message, error.hint or ""
    try:
        dotenv.read(paths.env_file)
    except ConfigError:
        if not paths.env_file.is_file():
            return Finding(area="configuration", level="problem", text=text, hint=hint)

        def mend() -> str:
            return _mend_env_file(paths)

        hint = "hermes doctor --fix keeps the file aside and saves the lines that can be read."
        return Finding(area="configuration", level="problem", text=text, hint=hint, mend=mend)
    return Finding(area="configuration", level="problem", text=text, hint=hint)


def defaults(paths: Paths) -> Loaded:
    """What to look at the rest with, while the configuration cannot be read."""
    return Loaded(
        config=Config(),
        paths=paths,
        data={},
        origins={},
        warnings=(),
        environ=os.environ,
        env_file={},
        secrets=frozenset(),
        managed=find(paths),
    )


def _mend_env_file(paths: Paths) -> str:
    require_unmanaged(paths, doing="mend .env")
    raw = paths.env_file.read_bytes()
    kept = paths.home / f".env.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    lines: list[str] = []
    lost: list[int] = []
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            text = line.decode()
            dotenv.values(text)
        except (UnicodeDecodeError, ConfigError):
            lost.append(number)
        else:
            lines.append(text)
    write_atomically(kept, raw)
    write_atomically(paths.env_file, "".join(f"{line}\n" for line in lines).encode())
    where = ", ".join(map(str, lost))
    return f"left out line(s) {where}; the damaged file is kept as {kept}"
