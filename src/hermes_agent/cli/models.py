"""Choosing the model: what is configured, else a server on this machine, else the offline model."""

from typing import TYPE_CHECKING

from hermes_agent.config.load import Loaded
from hermes_agent.domain.ports import Model

if TYPE_CHECKING:
    import httpx2


class ModelRoom:
    """The models of one process. One HTTP client serves them all."""

    def __init__(self, loaded: Loaded, *, local: bool) -> None:
        self._loaded = loaded
        self._local = local
        self._client: httpx2.AsyncClient | None = None
        self.current: Model | None = None
        self.label = ""
        self.notices: list[str] = []
        self.tool_names: tuple[str, ...] = ()
        self.system_prompt: str | None = None

    async def choose(self, name: str | None = None) -> Model:
        """Make the model called `name`, or the configured one, the current model."""
        from hermes_agent.providers.build import build_model
        from hermes_agent.providers.target import Target
        from hermes_agent.providers.vendor import find_vendor

        c = self._loaded.config.model
        target = Target(
            vendor=find_vendor("custom") or find_vendor("openai"),
            wire="chat_completions",
            base_url=c.base_url,
            model=name or c.default,
            key=None,
        )
        self.current = build_model([target], self._connect)
        return self.current

    def _connect(self) -> "httpx2.AsyncClient":
        if self._client is None:
            from hermes_agent.providers.http import open_client

            self._client = open_client(self._loaded.environ)
        return self._client

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
