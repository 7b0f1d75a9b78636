"""Which models answer, and what they may cost."""
# ruff: noqa: RUF012  msgspec gives every instance a fresh copy of an empty default

from typing import Literal

from hermes_agent.config.schema.types import ApiMode, Count, Dollars, Open, Seconds, Section, Words
from hermes_agent.config.secret import Secret


class Model(Section, frozen=True, kw_only=True):
    """The model that answers."""

    default: str = "anthropic/claude-opus-4.6"
    """The model's name as its vendor spells it. `model: NAME` is short for this key."""
    provider: str = "auto"
    """The vendor, `custom:NAME` for an entry of custom_providers, or auto."""
    base_url: str = ""
    """Address of an OpenAI-compatible server instead of the vendor's own."""
    api_key: Secret | None = None
    """Key for base_url. Better kept in .env."""
    api_mode: ApiMode | None = None
    """Protocol of base_url; found out by itself when unset."""
    context_length: Count | None = None
    """Context window in tokens, where it is not known by itself."""


class CustomModel(Section, frozen=True, kw_only=True):
    """What is known about one model of a server of one's own."""

    context_length: Count | None = None
    """Context window in tokens."""


class CustomProvider(Section, frozen=True, kw_only=True):
    """A model server of one's own, chosen as `custom:NAME`."""

    name: str
    """The name after `custom:`."""
    base_url: str
    """Address of the server, up to and including /v1 where it has one."""
    api_key: Secret | None = None
    """Key for the server, if it wants one."""
    api_mode: ApiMode | None = None
    """Protocol of the server; chat_completions when unset."""
    models: dict[str, CustomModel] = {}
    """Facts about its models, by model name."""


class Fallback(Section, frozen=True, kw_only=True):
    """Whom to ask when the model does not answer."""

    provider: str
    """The vendor, as in model.provider."""
    model: str
    """The model's name."""
    base_url: str = ""
    """Address instead of the vendor's own."""
    api_key_env: str = ""
    """Name of the environment variable that holds the key."""


class ProviderRouting(Section, frozen=True, kw_only=True):
    """How OpenRouter picks among its providers."""

    sort: Literal["price", "throughput", "latency"] | None = None
    """What to prefer."""
    only: Words = ()
    """Providers to use, no others."""
    ignore: Words = ()
    """Providers never to use."""
    order: Words = ()
    """Providers to try first, in this order."""
    require_parameters: bool = False
    """Only providers that support every parameter of the request."""
    data_collection: Literal["allow", "deny"] | None = None
    """Whether providers that keep data may be used."""


class SmartRouting(Section, frozen=True, kw_only=True):
    """Short questions to a cheaper model."""

    enabled: bool = False
    """Send short questions to cheap_model."""
    max_simple_chars: Count = 160
    """Longest question, in characters, that counts as short."""
    max_simple_words: Count = 28
    """Longest question, in words, that counts as short."""
    cheap_model: Open = {}
    """The cheaper model: provider, model, base_url, api_key_env."""


class ModelPrice(Section, frozen=True, kw_only=True):
    """US dollars for a million tokens."""

    input: Dollars
    """What is sent."""
    output: Dollars
    """What is answered, thinking included."""
    cached: Dollars | None = None
    """What is sent and comes from the vendor's cache; as other input when unset."""
    cache_write: Dollars | None = None
    """What is sent and goes into the vendor's cache; as other input when unset."""


class Budget(Section, frozen=True, kw_only=True):
    """Spending caps in US dollars and in tokens, sent and received; 0 or unset means none."""

    turn_usd: Dollars | None = None
    """Most that one turn may cost, its sub-agents included."""
    session_usd: Dollars | None = None
    """Most that one session may cost, also where it goes on after it was shortened."""
    day_usd: Dollars | None = None
    """Most that all sessions of a day may cost."""
    month_usd: Dollars | None = None
    """Most that all sessions of a calendar month may cost."""
    turn_tokens: Count | None = None
    """Most tokens of one turn, its sub-agents included."""
    session_tokens: Count | None = None
    """Most tokens of one session."""
    day_tokens: Count | None = None
    """Most tokens of all sessions of a day."""
    month_tokens: Count | None = None
    """Most tokens of all sessions of a calendar month."""
    prices: dict[str, ModelPrice] = {}
    """Prices of one's own, by `provider/model` or model; `*` stands for anything."""


class PromptCaching(Section, frozen=True, kw_only=True):
    """Caching of the prompt at the vendor."""

    cache_ttl: Literal["5m", "1h"] = "5m"
    """How long the vendor keeps the cached prompt."""


class AuxiliaryTask(Section, frozen=True, kw_only=True):
    """The model for one side task."""

    provider: str = "auto"
    """The vendor, as in model.provider."""
    model: str = ""
    """The model's name; empty picks one that fits."""
    base_url: str = ""
    """Address instead of the vendor's own."""
    api_key: Secret | None = None
    """Key for base_url. Better kept in .env."""
    timeout: Seconds = 30
    """Seconds to wait for an answer."""


class Auxiliary(Section, frozen=True, kw_only=True):
    """Models for side tasks."""

    vision: AuxiliaryTask = AuxiliaryTask()
    """Describes pictures to models that cannot see."""
    web_extract: AuxiliaryTask = AuxiliaryTask()
    """Condenses web pages."""
    compression: AuxiliaryTask = AuxiliaryTask(timeout=120)
    """Summarises old parts of long conversations."""
    session_search: AuxiliaryTask = AuxiliaryTask()
    """Summarises past sessions that a search found."""
    skills_hub: AuxiliaryTask = AuxiliaryTask()
    """Looks through skills from outside."""
    approval: AuxiliaryTask = AuxiliaryTask()
    """Weighs commands when approvals.mode is smart."""
    mcp: AuxiliaryTask = AuxiliaryTask()
    """Answers sampling requests of MCP servers."""
    flush_memories: AuxiliaryTask = AuxiliaryTask()
    """Picks what to remember before a session ends."""
