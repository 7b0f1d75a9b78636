"""The API server inside the daemon."""

import logging
from typing import TYPE_CHECKING

from hermes_agent.api.server import ApiServer
from hermes_agent.api.settings import from_environ
from hermes_agent.domain.errors import ConfigError
from hermes_agent.gateway.figures import Figures

if TYPE_CHECKING:
    from hermes_agent.gateway.app import Gateway

_log = logging.getLogger(__name__)


class ApiPart:
    """Makes the server and runs it. Raises `ConfigError` for settings that cannot be used."""

    def __init__(self, gateway: "Gateway") -> None:
        figures = Figures(gateway)
        self.server = ApiServer(
            from_environ(gateway.loaded.environ, gateway.loaded.paths.home),
            host=gateway.host,
            store=gateway.store,
            jobs=gateway.board,
            health=figures.health,
            metrics=figures.metrics,
        )

    async def run(self) -> None:
        """Serve until cancelled. An address that is taken is tried again after a pause."""
        try:
            await self.server.serve(lambda: None)
        except ConfigError as error:
            _log.error("%s %s", error, error.hint or "")
            raise
