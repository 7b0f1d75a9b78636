"""Whom a daemon asks where no model is configured: nobody."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hermes_agent.domain.errors import NoModelError

if TYPE_CHECKING:
    from hermes_agent.config.load import Loaded
    from hermes_agent.providers.discovery import LocalServer
    from hermes_agent.providers.embedded.model import EmbeddedModel
    from hermes_agent.providers.target import Target


class Nobody:
    """The port `Choosing` of a daemon: what is there already is used, nothing is fetched."""

    def offer(self, servers: "Sequence[LocalServer]") -> "Target | None":
        """Nothing can be offered. Raises `NoModelError`."""
        raise NoModelError(
            "No model is configured, and no key was found.",
            hint="Choose one with: hermes setup model",
        )

    async def open_offline(self, loaded: "Loaded", *, consent: bool, cwd: str) -> "EmbeddedModel":
        """The offline model, if it is on this machine. Raises `NoModelError`."""
        import logging

        from hermes_agent.providers.embedded.offline import available, equip, open_model

        installed = available(loaded.environ)
        if installed is None:
            raise NoModelError(
                "The offline model is not on this machine yet.",
                hint="Fetch it with: hermes model install local",
            )
        log = logging.getLogger(__name__)
        await equip(installed)
        return open_model(installed, cwd=cwd, say=lambda text: log.info("%s", text))
