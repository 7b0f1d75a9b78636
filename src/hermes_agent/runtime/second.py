"""A model beside the session's own: for summaries, for sub-agents, for looking back."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from hermes_agent.config.load import Loaded
from hermes_agent.config.secret import Secret
from hermes_agent.domain.ports import Model
from hermes_agent.providers.choice import ModelChoice
from hermes_agent.runtime.models import choice_of, setting_of

if TYPE_CHECKING:
    import httpx2


class Named(Protocol):
    """A section of the configuration that may name a model."""

    @property
    def model(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def api_key(self) -> Secret | None: ...


def choice_in(loaded: Loaded, section: Named) -> ModelChoice | None:
    """The model that the section names; None where it names none."""
    if section.base_url or section.provider not in ("", "auto"):
        return ModelChoice(
            model=section.model,
            provider=section.provider or "auto",
            base_url=section.base_url,
            api_key=section.api_key,
        )
    # A name alone is another model of the vendor that is configured already.
    return choice_of(loaded, section.model) if section.model else None


class SecondModel:
    """Built when it is first needed, of what `choose` finds in the configuration."""

    def __init__(
        self,
        loaded: Loaded,
        connect: "Callable[[], httpx2.AsyncClient]",
        choose: Callable[[Loaded], ModelChoice | None],
    ) -> None:
        self._loaded = loaded
        self._connect = connect
        self._choose = choose
        self._model: Model | None = None

    @property
    def configured(self) -> bool:
        """Whether there is one."""
        return self._choose(self._loaded) is not None

    async def model(self) -> Model | None:
        """None for the session's own. Raises `NoModelError`, `ConfigError`."""
        choice = self._choose(self._loaded)
        if choice is None or self._model is not None:
            return self._model
        from hermes_agent.providers.build import build_model
        from hermes_agent.providers.discovery import settle
        from hermes_agent.providers.resolve import resolve

        target = resolve(choice, setting_of(self._loaded))
        if not target.model:
            target = await settle(target, self._connect)
        retries = self._loaded.config.agent.api_max_retries
        self._model = build_model([target], self._connect, retries=retries)
        return self._model


def is_offline(model: Model) -> bool:
    """Whether it is the embedded model, which does nothing beside its session."""
    offline = sys.modules.get("hermes_agent.providers.embedded.model")
    return offline is not None and isinstance(model, offline.EmbeddedModel)
