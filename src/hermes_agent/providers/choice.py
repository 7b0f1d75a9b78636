"""What was asked for, before it is settled: plain values from configuration and command line."""

import msgspec

from hermes_agent.config.secret import Secret


class ModelChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which model somebody wants. Everything may be left out.

    `model` is the vendor's name for it, `vendor/model` or `vendor:model`; empty when nobody
    chose one. `provider` is an id or alias of the table, `custom`, `custom:NAME` or `auto`.
    `api_key_env` names a variable that holds the key. `api_mode` is the wire of `base_url`.
    """

    model: str = ""
    provider: str = "auto"
    base_url: str = ""
    api_key: Secret | None = None
    api_key_env: str = ""
    api_mode: str | None = None
    context_length: int | None = None


class CustomServer(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of `custom_providers`; `contexts` maps its models to their windows in tokens."""

    name: str
    base_url: str
    api_key: Secret | None = None
    api_mode: str | None = None
    contexts: dict[str, int] = {}
