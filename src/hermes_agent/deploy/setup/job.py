"""What root asks of the service user's process, and what it gets to hear."""

from typing import Any

import msgspec

from hermes_agent.deploy.setup.permissions import Permissions

MOST_BYTES = 64 * 1024 * 1024
MOST_ANSWER = 64 * 1024


class ConfigJob(msgspec.Struct, frozen=True):
    """config.yaml: its whole `text`, or settings to be merged. `version` is stamped if the file
    has none; `heading` begins a new file."""

    text: str | None = None
    last: dict[str, Any] = {}
    declared: dict[str, Any] = {}
    version: int = 0
    heading: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is the handle of the state directory, `beside` that of a working directory outside of
    it. `anew` is False if this generation was applied before.
    `program` is looked at: can it be run? `gone` has the digests of documents that are no longer
    declared."""

    state: int
    state_dir: str
    workspace: str
    beside: int | None = None
    program: str | None = None
    gid: int | None
    permissions: Permissions
    tidy_state: bool
    anew: bool
    manager: str
    config: ConfigJob
    auth: bytes | None = None
    auth_force: bool = False
    links: dict[str, str] = {}
    documents: dict[str, bytes] = {}
    gone: dict[str, str] = {}


class Answer(msgspec.Struct, frozen=True):
    """`error` and `hint` say why it did not work."""

    warnings: tuple[str, ...] = ()
    error: str | None = None
    hint: str | None = None
