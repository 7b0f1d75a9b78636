"""From the configuration to what shortens conversations: the rules, and who writes summaries."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from hermes_agent.config.load import Loaded
from hermes_agent.context.compaction.rules import Rules
from hermes_agent.providers.choice import ModelChoice
from hermes_agent.runtime.models import choice_of
from hermes_agent.runtime.second import SecondModel, is_offline
from hermes_agent.sessions.compaction import Compactor

if TYPE_CHECKING:
    import httpx2

_RATIO = (0.1, 0.8)


def compactor_of(
    loaded: Loaded, connect: "Callable[[], httpx2.AsyncClient]", redact: Callable[[str], str]
) -> Compactor:
    """What all sessions of a process are shortened by."""
    settings = loaded.config.compression
    low, high = _RATIO
    summariser = SecondModel(loaded, connect, summary_choice)
    return Compactor(
        enabled=settings.enabled,
        rules=Rules(
            threshold=settings.threshold,
            target_ratio=min(max(settings.target_ratio, low), high),
            protect_last_n=settings.protect_last_n,
        ),
        summariser=summariser.model,
        redact=redact,
        timeout=loaded.config.auxiliary.compression.timeout,
        # The offline model cannot, and keeps within its window by itself.
        can_summarise=lambda own: summariser.configured or not is_offline(own),
    )


def summary_choice(loaded: Loaded) -> ModelChoice | None:
    """Who is configured to summarise: `auxiliary.compression`, else `compression.summary_*`.

    None where nobody is, and the session's own model does it.
    """
    config = loaded.config
    task, older = config.auxiliary.compression, config.compression
    model, provider, base_url = task.model, task.provider, task.base_url
    if not (model or base_url or _named(provider)):
        model, provider = older.summary_model, older.summary_provider
        base_url = older.summary_base_url or ""
    if base_url or _named(provider):
        return ModelChoice(
            model=model, provider=provider or "auto", base_url=base_url, api_key=task.api_key
        )
    # A name alone is another model of the vendor that is configured already.
    return choice_of(loaded, model) if model else None


def _named(provider: str) -> bool:
    return provider not in ("", "auto")
