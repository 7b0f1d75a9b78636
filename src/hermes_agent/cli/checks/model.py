"""The model: whether one is configured, has a key, and answers."""

from collections.abc import Iterator

from hermes_agent.cli.checks import Finding
from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import HermesError, ModelError
from hermes_agent.providers.resolve import resolve_all
from hermes_agent.providers.target import Target
from hermes_agent.runtime.models import LOCAL, choice_of, fallbacks_of, setting_of


def model(loaded: Loaded, *, offline: bool) -> Iterator[Finding]:
    """What would be asked, and unless `offline` whether it answers."""
    if loaded.config.model.provider == LOCAL:
        yield Finding(area="model", level="ok", text="the basic offline model on this machine")
        return
    try:
        resolved = resolve_all(choice_of(loaded), fallbacks_of(loaded), setting_of(loaded))
    except HermesError as error:
        yield Finding(area="model", level="problem", text=error.message, hint=error.hint or "")
        return
    for target in resolved.targets:
        key = f"key from {target.key_source}" if target.key else "no key"
        name = target.model or "its only model"
        yield Finding(
            area="model",
            level="ok",
            text=f"{name} at {target.vendor.label} ({target.base_url}), {key}",
        )
    for text in resolved.skipped:
        yield Finding(area="model", level="problem", text=f"fallback left out: {text}")
    if not offline:
        yield _answers(loaded, resolved.targets[0])


def _answers(loaded: Loaded, target: Target) -> Finding:
    """Ask for the list of models: it costs nothing."""
    import asyncio

    from hermes_agent.providers.discovery import list_models
    from hermes_agent.providers.http import open_client

    async def ask() -> int:
        async with open_client(loaded.environ) as client:
            return len(await list_models(target, lambda: client))

    try:
        count = asyncio.run(ask())
    except ModelError as error:
        return Finding(area="model", level="problem", text=error.message, hint=error.hint or "")
    return Finding(
        area="model", level="ok", text=f"{target.vendor.label} answers and lists {count} models"
    )
