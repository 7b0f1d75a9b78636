"""Whom the model room asks where nothing is configured: the person at the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hermes_agent.config.load import Loaded
    from hermes_agent.providers.discovery import LocalServer
    from hermes_agent.providers.embedded.model import EmbeddedModel
    from hermes_agent.providers.target import Target


class Person:
    """The port `Choosing` on a terminal."""

    def offer(self, servers: "Sequence[LocalServer]") -> "Target | None":
        """Let them choose. Raises `NoModelError`."""
        from hermes_agent.cli.offering import offer

        return offer(servers)

    async def open_offline(self, loaded: "Loaded", *, consent: bool, cwd: str) -> "EmbeddedModel":
        """Fetch it with their consent, with a progress bar, and open it."""
        from hermes_agent.cli.offline import open_offline_model

        return await open_offline_model(loaded, consent=consent, cwd=cwd)
