"""From what was asked for to whom we ask: vendor, address, wire, model and key.

The order of `auto`: `vendor:model`; an address; for `vendor/model` the aggregators and then the
vendor itself; for a known model family its vendor; then the first vendor of the table for which
there is a key. Who wants a local server says so, or has no key at all (see discovery.py).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError, HermesError, NoModelError
from hermes_agent.domain.spending import Rates
from hermes_agent.providers.choice import CustomServer, ModelChoice
from hermes_agent.providers.keys import checked_url, find_key, owner
from hermes_agent.providers.known import known
from hermes_agent.providers.target import DEFAULT_CONTEXT, Target
from hermes_agent.providers.vendor import Vendor, WireName, find_vendor, vendors

_MODES: dict[str, WireName] = {
    "chat_completions": "chat_completions",
    "codex_responses": "responses",
    "responses": "responses",
    "anthropic_messages": "anthropic",
    "anthropic": "anthropic",
    "gemini": "gemini",
}
# `mistral:7b` is a model of Ollama's, not a vendor and a model.
_TAG = re.compile(r"(latest|[a-z]?\d+(\.\d+)?(x\d+)?[bm]([-_.].*)?)$", re.I)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What resolving depends on besides the choice.

    `routing` is OpenRouter's `provider` object; `cache_ttl` is `5m` or `1h`. `logins` are the keys
    and tokens of auth.json by vendor, `active` the vendor that was logged in to last. `prices` are
    a person's own, by a pattern of model names.
    """

    environ: Mapping[str, str]
    custom: tuple[CustomServer, ...] = ()
    routing: dict[str, Any] = {}
    cache_ttl: str = "5m"
    logins: Mapping[str, Secret] = {}
    active: str = ""
    prices: Mapping[str, Rates] = {}


class Resolved(msgspec.Struct, frozen=True):
    """The targets in the order in which they are asked; `skipped` says which fallbacks cannot be
    used, and why."""

    targets: tuple[Target, ...]
    skipped: tuple[str, ...] = ()


def resolve_all(
    choice: ModelChoice, fallbacks: Sequence[ModelChoice], setting: Setting
) -> Resolved:
    """The chosen model and its fallbacks. Raises like `resolve`, for the chosen model only."""
    targets = [resolve(choice, setting)]
    skipped: list[str] = []
    for fallback in fallbacks:
        try:
            target = resolve(fallback, setting)
        except HermesError as error:
            skipped.append(f"{fallback.provider} {fallback.model}: {error.message}")
            continue
        if target not in targets:
            targets.append(target)
    return Resolved(tuple(targets), tuple(skipped))


def resolve(choice: ModelChoice, setting: Setting) -> Target:
    """Settle one choice. The model's name is empty only for a local server whose models must be
    asked for. Raises `NoModelError` where nothing fits, `ConfigError` for what cannot be."""
    vendor, server, model = _vendor(choice, setting)
    environ = setting.environ
    base_url, paired = _address(choice, vendor, server, environ)
    at_home = owner(base_url)  # the host tells more than the name: its quirks and keys count
    if at_home is not None and urlsplit(base_url).scheme != "https":
        raise ConfigError(
            f"{base_url} would carry the key to {at_home.label} unencrypted.",
            hint=f"Use {at_home.base_url}",
        )
    if vendor.id == "openai" and at_home is None:
        vendor = _row("custom")  # an imitation: OpenAI's own newer fields may not be understood
    vendor = at_home or vendor
    given = choice.api_key or (server.api_key if server else None)
    key, source = _key(choice, given, server, vendor, base_url, paired, setting)
    if key and not re.fullmatch(r"[!-~]+", key.reveal()):
        raise ConfigError(
            f"The key from {source} holds a space, a line break or a character that no key has.",
            hint="Copy it again.",
        )
    if server is not None and at_home is None:
        vendor = msgspec.structs.replace(vendor, id=f"custom:{server.name}", label=server.name)
    for prefixed in vendor.prefixed:
        if base_url == vendor.base_url and key and key.reveal().startswith(prefixed.prefix):
            base_url = prefixed.base_url
    if key is None and not vendor.local and vendor.keys and not is_private(base_url):
        raise NoModelError(
            f"{vendor.label} needs a key, and none of {', '.join(vendor.keys)} is set.",
            hint=f"hermes config set {vendor.keys[0]} KEY, or choose another model: hermes model",
            vendor=vendor.id,
        )
    name = _model_name(model or vendor.model, vendor)
    facts = known(name)
    own = server.contexts.get(name) if server else None
    context = choice.context_length or own or (facts.context if facts else DEFAULT_CONTEXT)
    return Target(
        vendor=vendor,
        wire=_wire(choice, server, vendor, base_url),
        base_url=base_url,
        model=name,
        key=key,
        key_source=source,
        context_length=context,
        context_known=bool(choice.context_length or own or facts),
        max_output=facts.output if facts else None,
        extra={"provider": setting.routing}
        if vendor.id == "openrouter" and setting.routing
        else {},
        cache_ttl=setting.cache_ttl,
        prices=setting.prices,
    )


def _vendor(choice: ModelChoice, setting: Setting) -> tuple[Vendor, CustomServer | None, str]:
    """Who was meant, and the model's name without what named the vendor."""
    provider, model = choice.provider.strip() or "auto", choice.model.strip()
    if provider == "auto":
        provider, model = split_vendor(model)
    if provider.startswith("custom:"):
        server = _server(provider.removeprefix("custom:"), setting.custom)
        return _row("custom"), server, model
    if provider != "auto":
        vendor = find_vendor(provider)
        if vendor is None:
            server = next((s for s in setting.custom if s.name.lower() == provider.lower()), None)
            if server is not None:
                return _row("custom"), server, model
            known_ids = ", ".join(each.id for each in vendors())
            raise ConfigError(
                f"There is no provider named {provider!r}.", hint=f"Known are: {known_ids}."
            )
        return vendor, None, model
    if choice.base_url:
        return owner(choice.base_url) or _row("custom"), None, model
    return _automatic(model, setting), None, model


def split_vendor(model: str) -> tuple[str, str]:
    """`vendor:model` and `custom:NAME:model` as provider and model; else `auto` and the whole."""
    prefix, colon, rest = model.partition(":")
    if colon and prefix == "custom":
        name, _, rest = rest.partition(":")
        return f"custom:{name}", rest
    if colon and find_vendor(prefix) is not None and not _TAG.match(rest):
        return prefix, rest
    return "auto", model


def _automatic(model: str, setting: Setting) -> Vendor:
    environ = setting.environ
    with_key = [
        each for each in vendors() if each.automatic and any(environ.get(key) for key in each.keys)
    ]
    # Logins come after the keys that somebody set, the latest login first.
    logged_in = [each for each in vendors() if each.id in setting.logins and each not in with_key]
    with_key += sorted(logged_in, key=lambda each: each.id != setting.active)
    if environ.get("OPENAI_BASE_URL") and not any(each.aggregator for each in with_key):
        return _row("openai")
    with_key = [each for each in with_key if not each.local]
    if not with_key:
        raise NoModelError(
            "No model is configured: there is no key for any provider.",
            hint="hermes model chooses one; OPENROUTER_API_KEY, ANTHROPIC_API_KEY or "
            "OPENAI_API_KEY in the environment or in .env will do, or a local server.",
        )
    if not model:
        return with_key[0]
    prefix, slash, bare = model.partition("/")
    meant = find_vendor(prefix) if slash else None
    meant = meant or _family(bare if slash else model)
    if slash:
        for each in with_key:
            if each.aggregator:
                return each
    if meant is None:
        return with_key[0]
    if meant in with_key:
        return meant
    aggregators = [each for each in with_key if each.aggregator]
    if aggregators:
        return aggregators[0]
    there = ", ".join(each.label for each in with_key)
    raise NoModelError(
        f"There is no key for {model}, only for {there}.",
        hint=f"Set {meant.keys[0] if meant.keys else 'OPENROUTER_API_KEY'} or "
        "OPENROUTER_API_KEY, or choose another model: hermes model",
    )


def _family(model: str) -> Vendor | None:
    low = model.lower()
    return next((each for each in vendors() if low.startswith(each.families or ("\0",))), None)


def _server(name: str, custom: Sequence[CustomServer]) -> CustomServer:
    for server in custom:
        if server.name.lower() == name.lower():
            return server
    names = ", ".join(each.name for each in custom) or "none"
    raise ConfigError(
        f"custom_providers in config.yaml has no entry named {name!r} (there are: {names}).",
        hint="Add one with name and base_url.",
    )


def _address(
    choice: ModelChoice, vendor: Vendor, server: CustomServer | None, environ: Mapping[str, str]
) -> tuple[str, Vendor | None]:
    """The base URL, and the vendor whose variable named it."""
    if choice.base_url:
        return checked_url(choice.base_url, where="base_url"), None
    if server is not None:
        return checked_url(server.base_url, where=f"base_url of custom:{server.name}"), None
    for name in vendor.base_url_env:
        if environ.get(name, "").strip():
            return checked_url(environ[name], where=name), vendor
    if vendor.base_url:
        return vendor.base_url, None
    if environ.get("OPENAI_BASE_URL", "").strip():
        return checked_url(environ["OPENAI_BASE_URL"], where="OPENAI_BASE_URL"), _row("openai")
    raise ConfigError(
        "provider: custom needs a base_url.", hint="hermes config set model.base_url URL"
    )


def _key(
    choice: ModelChoice,
    given: Secret | None,
    server: CustomServer | None,
    vendor: Vendor,
    base_url: str,
    paired: Vendor | None,
    setting: Setting,
) -> tuple[Secret | None, str]:
    environ = setting.environ
    if choice.api_key_env and environ.get(choice.api_key_env, "").strip():
        return Secret(environ[choice.api_key_env].strip()), choice.api_key_env
    if given:
        where = (
            "model.api_key" if choice.api_key else f"custom_providers ({server and server.name})"
        )
        return given, where
    if server is not None and owner(base_url) is None:
        return None, ""  # an entry of one's own says its key itself
    return find_key(vendor, base_url, environ, paired=paired, logins=setting.logins)


def _wire(
    choice: ModelChoice, server: CustomServer | None, vendor: Vendor, base_url: str
) -> WireName:
    mode = choice.api_mode or (server.api_mode if server else None)
    if mode:
        if mode not in _MODES:
            raise ConfigError(
                f"api_mode {mode!r} is unknown.", hint=f"Known are: {', '.join(_MODES)}."
            )
        return _MODES[mode]
    if base_url == vendor.base_url or vendor.wire in ("anthropic", "gemini"):
        return vendor.wire
    if base_url.endswith("/anthropic"):
        return "anthropic"
    # A proxy or an imitation speaks the older protocol for certain, the newer one perhaps.
    return vendor.wire if owner(base_url) is vendor else "chat_completions"


def _model_name(model: str, vendor: Vendor) -> str:
    prefix, slash, rest = model.partition("/")
    if slash and not vendor.aggregator and find_vendor(prefix) is vendor:
        model = rest
    if vendor.id == "anthropic":
        # Aggregators write 4.6 where Anthropic itself writes 4-6.
        model = re.sub(r"(?<=\d)\.(?=\d)", "-", model)
    return model


def is_private(url: str) -> bool:
    """Whether the server stands on this machine or in this network, by its address."""
    import ipaddress

    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith((".localhost", ".local", ".lan", ".internal")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


def _row(name: str) -> Vendor:
    return cast("Vendor", find_vendor(name))
