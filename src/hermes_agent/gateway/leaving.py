"""Which files leave this machine in an answer, and in whose."""

import os
from collections.abc import Callable
from pathlib import Path

from hermes_agent.config.load import Loaded
from hermes_agent.domain.chats import Origin
from hermes_agent.domain.errors import DeniedError, HermesError
from hermes_agent.policy.admission.people import OPEN
from hermes_agent.policy.paths import PathGuard
from hermes_agent.tools.toolsets import members, resolve

_READING = ("terminal", "file", "code_execution")

# Of HERMES_HOME only what the agent makes for people: the rest decides about the agent, or holds
# what other people said to it.
_OWN = (
    "workspace",
    "sandboxes",
    "image_cache",
    "audio_cache",
    "document_cache",
    "browser_screenshots",
    "browser_recordings",
    "cron/output",
    "memories",
    "skills",
)


class Leaving:
    """`may_use_tools` tells whether somebody has the right to tools now; `guard` judges paths."""

    def __init__(
        self, loaded: Loaded, guard: PathGuard, *, may_use_tools: Callable[[Origin], bool]
    ) -> None:
        self._loaded = loaded
        self._guard = guard
        self._may_use_tools = may_use_tools
        self._home = os.path.realpath(loaded.paths.home)

    def brings(self, origin: Origin | None) -> bool:
        """Whether the model's answer to this origin may bring files: only where whoever is
        answered could have them read by a tool anyway.

        None stands for whoever works on the machine itself. A platform where everybody is admitted
        has no persons: what it says comes from strangers.
        """
        if origin is None:
            return True
        if origin.platform in OPEN or not self._may_use_tools(origin):
            return False
        config = self._loaded.config
        try:
            tools = resolve(
                toolsets=config.toolsets,
                platform=origin.platform,
                platform_toolsets=config.platform_toolsets,
                disabled=config.agent.disabled_toolsets,
            )
        except HermesError:
            return False
        return any(tool in tools for toolset in _READING for tool in members(toolset))

    def may_send(self, path: str) -> bool:
        """Whether there is a file that may leave."""
        return self.allowed(path) and Path(path).is_file()

    def allowed(self, path: str) -> bool:
        """Whether the path, links followed, leads to nothing that must stay. To be asked again
        right before the file is sent: it may have become another meanwhile."""
        try:
            resolved = self._guard.check_read(path)
            self._check_opened(resolved)
        except (DeniedError, OSError, ValueError):
            return False
        if not _below(resolved, self._home):
            return True
        return any(_below(resolved, f"{self._home}/{name}") for name in _OWN)

    def _check_opened(self, resolved: str) -> None:
        """A hard link to what decides about the agent is refused like one to a secret."""
        try:
            descriptor = os.open(resolved, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        try:
            self._guard.verify_opened(descriptor, writing=False)
            if os.fstat(descriptor).st_nlink > 1:
                self._guard.verify_opened(descriptor, writing=True)
        finally:
            os.close(descriptor)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
