"""Choosing the model: what is configured, else a server on this machine, else the offline model."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import NoModelError
from hermes_agent.domain.ports import Model
from hermes_agent.domain.spending import Rates
from hermes_agent.providers.build import build_model
from hermes_agent.providers.choice import CustomServer, ModelChoice
from hermes_agent.providers.resolve import Setting, resolve_all, split_vendor
from hermes_agent.providers.target import Target
from hermes_agent.providers.vendor import find_vendor

if TYPE_CHECKING:
    import httpx2

    from hermes_agent.providers.discovery import LocalServer
    from hermes_agent.providers.embedded.model import EmbeddedModel

LOCAL = "local"
"""The provider name of the offline model."""


class Choosing(Protocol):
    """What is done where the configuration names no model."""

    def offer(self, servers: Sequence["LocalServer"]) -> Target | None:
        """A model of a server on this machine; None for the offline one. Raises `NoModelError`."""
        ...

    async def open_offline(self, loaded: Loaded, *, consent: bool, cwd: str) -> "EmbeddedModel":
        """The offline model. Raises `NoModelError` where it is not there and may not be fetched."""
        ...


class ModelRoom:
    """The models of one process. One HTTP client serves them all.

    `choosing` helps where nothing is configured. `offline` asks for the offline model. `thorough`
    asks a local server for its model's window, which one question and its answer can do without.
    After `choose`, `label`, `tool_names` and `system_prompt` say what a model wants that is not an
    ordinary one.
    """

    def __init__(
        self, loaded: Loaded, choosing: Choosing, *, offline: bool, thorough: bool, cwd: str
    ) -> None:
        self.current: Model | None = None
        self.label = ""
        self.notices: list[str] = []
        self.tool_names: tuple[str, ...] = ()
        self.system_prompt: str | None = None
        self._loaded = loaded
        self._choosing = choosing
        self._offline = offline
        self._thorough = thorough
        self._cwd = cwd
        self._client: httpx2.AsyncClient | None = None
        self._offline_model: EmbeddedModel | None = None

    async def choose(self, name: str | None = None) -> Model:
        """Make the model called `name`, or the configured one, the current one."""
        self.notices.clear()
        wanted = name or ("" if self._offline else self._configured())
        if wanted == LOCAL or (self._offline and not name):
            return await self._choose_offline()
        targets = await self._targets(name)
        if targets is None:
            return await self._choose_offline()
        self.label, self.tool_names, self.system_prompt = "", (), None
        retries = self._loaded.config.agent.api_max_retries
        self.current = build_model(targets, self.connect, retries=retries)
        return self.current

    def connect(self) -> "httpx2.AsyncClient":
        """The process's client, made when it is first needed."""
        if self._client is None:
            from hermes_agent.providers.http import open_client

            self._client = open_client(self._loaded.environ)
        return self._client

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
        if self._offline_model is not None:
            await self._offline_model.close()

    def _configured(self) -> str:
        return LOCAL if self._loaded.config.model.provider == LOCAL else ""

    async def _targets(self, name: str | None) -> tuple[Target, ...] | None:
        """Whom to ask, in order; None for the offline model."""
        setting = setting_of(self._loaded)
        choice = choice_of(self._loaded, name)
        chosen_by_nobody = not (choice.model or choice.base_url or choice.provider != "auto")
        try:
            resolved = resolve_all(choice, fallbacks_of(self._loaded), setting)
        except NoModelError:
            if not chosen_by_nobody:
                raise
            return await self._nearby(setting)
        self.notices += [f"Fallback left out: {text}" for text in resolved.skipped]
        first = resolved.targets[0]
        if not first.model or (self._thorough and not first.context_known):
            from hermes_agent.providers.discovery import settle

            first = await settle(first, self.connect)
        return (first, *resolved.targets[1:])

    async def _nearby(self, setting: Setting) -> tuple[Target, ...] | None:
        from hermes_agent.providers.discovery import find_local, only_model

        servers = await find_local(self.connect(), setting.environ)
        target = only_model(servers)
        if target is None:
            target = await asyncio.to_thread(self._choosing.offer, servers)
        else:
            self.notices.append(f"Using {target.model} of {target.vendor.label} on this machine.")
        return None if target is None else (target,)

    async def _choose_offline(self) -> Model:
        model = await self._choosing.open_offline(
            self._loaded, consent=self._offline, cwd=self._cwd
        )
        self._offline_model = model
        self.label = model.label
        self.tool_names = model.tool_names
        self.system_prompt = model.system_prompt()
        self.current = model
        if not self._thorough:
            self.notices.append(f"The {model.label} answers.")
        return model


def choice_of(loaded: Loaded, name: str | None = None) -> ModelChoice:
    """The configured model, or `name` with what is configured beside it.

    A name such as `anthropic:claude-…` says whom to ask as well; nothing that is configured for
    another vendor goes there. A model that nobody set stays empty: the vendor's own suggestion is
    better than our default.
    """
    model = loaded.config.model
    provider, rest = split_vendor(name or "")
    if provider not in ("auto", model.provider):
        return ModelChoice(model=rest, provider=provider)
    default = model.default if "model.default" in loaded.origins else ""
    if _by_flag(loaded, "model.provider") and model.provider not in ("auto", "custom"):
        # The address, the key and the model in the file are for the vendor in the file.
        chosen = name or (default if _by_flag(loaded, "model.default") else "")
        return ModelChoice(model=chosen, provider=model.provider)
    return ModelChoice(
        model=rest if name else default,
        provider=model.provider,
        base_url=model.base_url,
        api_key=model.api_key,
        api_mode=model.api_mode,
        context_length=None if name else model.context_length,
    )


def _by_flag(loaded: Loaded, key: str) -> bool:
    origin = loaded.origins.get(key)
    return origin is not None and origin.layer == "flag"


def fallbacks_of(loaded: Loaded) -> Sequence[ModelChoice]:
    """`fallback_model` first, then `fallback_providers`."""
    config = loaded.config
    first = [config.fallback_model] if config.fallback_model else []
    return [
        ModelChoice(
            model=each.model,
            provider=each.provider,
            base_url=each.base_url,
            api_key_env=each.api_key_env,
        )
        for each in (*first, *config.fallback_providers)
    ]


def setting_of(loaded: Loaded) -> Setting:
    """What resolving depends on besides the choice."""
    config = loaded.config
    custom = tuple(
        CustomServer(
            name=each.name,
            base_url=each.base_url,
            api_key=each.api_key,
            api_mode=each.api_mode,
            contexts={
                name: facts.context_length
                for name, facts in each.models.items()
                if facts.context_length
            },
        )
        for each in config.custom_providers
    )
    routing = msgspec.to_builtins(config.provider_routing)
    empty = msgspec.to_builtins(type(config.provider_routing)())
    return Setting(
        environ=loaded.environ,
        logins={
            vendor.id: login.key
            for login in loaded.logins.logins()
            if not login.expired() and (vendor := find_vendor(login.provider)) is not None
        },
        active=active.id if (active := find_vendor(loaded.logins.active)) else "",
        custom=custom,
        routing={key: value for key, value in routing.items() if value != empty[key]},
        cache_ttl=config.prompt_caching.cache_ttl,
        prices={
            pattern: Rates(
                input=each.input,
                output=each.output,
                cached=each.input if each.cached is None else each.cached,
                write=each.input if each.cache_write is None else each.cache_write,
                as_of="config",
            )
            for pattern, each in config.budget.prices.items()
        },
    )
