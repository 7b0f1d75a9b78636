"""Model servers on this machine, and what the servers say of their models.

Sources: https://github.com/ollama/ollama/blob/main/docs/api.md (`/api/ps`, `/api/show`),
https://lmstudio.ai/docs/app/api/endpoints/rest (`/api/v0/models`), llama-server's README
(`/props`), vLLM's OpenAI server (`max_model_len` in `/v1/models`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from hermes_agent.domain.errors import NoModelError
from hermes_agent.providers.call import Connect
from hermes_agent.providers.errors import from_network, from_response, unexpected
from hermes_agent.providers.keys import checked_url
from hermes_agent.providers.resolve import is_private
from hermes_agent.providers.target import DEFAULT_CONTEXT, Target
from hermes_agent.providers.vendor import Vendor, find_vendor
from hermes_agent.providers.wires.contract import load_wire

if TYPE_CHECKING:
    import httpx2

LOCAL = ("ollama", "lmstudio", "llamacpp", "vllm")
PATIENCE = 0.15
LIST_PATIENCE = 15.0
NOT_FOR_CHAT = ("embed", "rerank", "whisper", "tts", "moderation", "dall-e", "bge-")


class Offer(msgspec.Struct, frozen=True):
    """A model that a server has; `context_length` in tokens where the server says it."""

    model: str
    context_length: int | None = None


class LocalServer(msgspec.Struct, frozen=True):
    """A server that answered, with its chat models."""

    vendor: Vendor
    base_url: str
    models: tuple[Offer, ...]


async def find_local(
    client: "httpx2.AsyncClient", environ: Mapping[str, str], *, patience: float = PATIENCE
) -> tuple[LocalServer, ...]:
    """Every known server on loopback that answers within `patience` seconds, asked side by side."""
    found = await asyncio.gather(
        *(_ask(client, name, environ, patience=patience) for name in LOCAL)
    )
    return tuple(each for each in found if each is not None)


async def _ask(
    client: "httpx2.AsyncClient", name: str, environ: Mapping[str, str], *, patience: float
) -> LocalServer | None:
    import httpx2

    vendor = cast("Vendor", find_vendor(name))
    named = next((environ[each] for each in vendor.base_url_env if environ.get(each)), "")
    url = checked_url(named or vendor.base_url, where=vendor.base_url_env[0])
    if named and not is_private(url):
        return None
    try:
        async with asyncio.timeout(patience):
            answer = await client.get(f"{url}/models")
    except (httpx2.HTTPError, TimeoutError):
        return None
    if answer.status_code != 200:
        return None
    offers = _offers(answer.content)
    # Anything may listen on 8000 and 8080; only a list of models says that it is one of ours.
    return None if offers is None else LocalServer(vendor, url, offers)


def only_model(servers: Sequence[LocalServer]) -> Target | None:
    """The one model of the one server that has exactly one; None when there is a choice."""
    single = [each for each in servers if len(each.models) == 1]
    if len(single) != 1:
        return None
    server = single[0]
    return local_target(server, server.models[0])


def local_target(server: LocalServer, offer: Offer) -> Target:
    """A target for a model that a local server offers."""
    return Target(
        vendor=server.vendor,
        wire="chat_completions",
        base_url=server.base_url,
        model=offer.model,
        context_length=offer.context_length or DEFAULT_CONTEXT,
        context_known=offer.context_length is not None,
    )


async def settle(target: Target, connect: Connect) -> Target:
    """Fill in what only the server knows: its one model, and the window on a local server.

    Does nothing for a remote target that names its model. Raises `NoModelError` where the server
    has several models and none was chosen, and `ModelError` where it does not answer.
    """
    if target.model and (target.context_known or not is_private(target.base_url)):
        return target
    if target.model:
        context = await _context(target, connect())
        if context is None:
            return target
        return msgspec.structs.replace(target, context_length=context, context_known=True)
    offers = await list_models(target, connect)
    if len(offers) != 1:
        names = ", ".join(each.model for each in offers[:8]) or "none"
        raise NoModelError(
            f"{target.vendor.label} ({target.base_url}) has {len(offers)} models: {names}.",
            hint=f"Choose one: hermes model set NAME --provider {target.vendor.id}",
            vendor=target.vendor.id,
        )
    chosen = msgspec.structs.replace(target, model=offers[0].model)
    if target.context_known or offers[0].context_length is None:
        return chosen
    return msgspec.structs.replace(
        chosen, context_length=offers[0].context_length, context_known=True
    )


async def list_models(target: Target, connect: Connect) -> tuple[Offer, ...]:
    """The chat models at this address, by the server's own list. Raises `ModelError`."""
    import httpx2

    headers = load_wire(target.wire).headers(target)
    url = f"{target.base_url}/models"
    if target.wire == "anthropic":
        url = f"{target.base_url.removesuffix('/v1')}/v1/models?limit=1000"
    elif target.wire == "gemini":
        url = f"{target.base_url}/models?pageSize=1000"
    try:
        answer = await connect().get(url, headers=headers, timeout=LIST_PATIENCE)
    except httpx2.HTTPError as error:
        raise from_network(target, error, started=False, waited=LIST_PATIENCE) from error
    if answer.status_code != 200:
        raise from_response(target, answer.status_code, answer.headers, answer.content)
    offers = _offers(answer.content)
    if offers is None:
        raise unexpected(target, answer.headers.get("content-type", ""), answer.content)
    return offers


async def _context(target: Target, client: "httpx2.AsyncClient") -> int | None:
    """The window of a local server's model; None when it does not say."""
    import httpx2

    root = target.base_url.removesuffix("/v1")
    try:
        async with asyncio.timeout(1.0):
            if target.vendor.id == "ollama":
                return await _ollama_context(target, client, root)
            if target.vendor.id == "lmstudio":
                page = await client.get(f"{root}/api/v0/models/{target.model}")
                held = _object(page)
                return _number(held, "loaded_context_length") or _number(held, "max_context_length")
            page = await client.get(f"{target.base_url}/models")
            for offer in _offers(page.content) or ():
                if offer.model == target.model and offer.context_length:
                    return offer.context_length
            settings = _object(await client.get(f"{root}/props")).get("default_generation_settings")
            return _number(settings, "n_ctx")
    except (httpx2.HTTPError, TimeoutError):
        return None


async def _ollama_context(target: Target, client: "httpx2.AsyncClient", root: str) -> int | None:
    """Of the loaded model, else what its Modelfile sets. The model's own maximum says nothing:
    Ollama gives it a smaller window."""
    for running in _list(_object(await client.get(f"{root}/api/ps")).get("models")):
        if target.model in (running.get("name"), running.get("model")):
            loaded = _number(running, "context_length")
            if loaded:
                return loaded
    shown = _object(await client.post(f"{root}/api/show", json={"model": target.model}))
    for line in str(shown.get("parameters") or "").splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "num_ctx" and words[1].isdigit():
            return int(words[1])
    return None


def _offers(body: bytes) -> tuple[Offer, ...] | None:
    """Read a list of models of any dialect; None for what is none."""
    try:
        value: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    if isinstance(value, dict):
        outer = cast("dict[str, Any]", value)
        value = outer.get("data", outer.get("models"))
    if not isinstance(value, list):
        return None
    offers: list[Offer] = []
    for each in _list(cast("list[Any]", value)):
        name = str(each.get("id") or each.get("name") or "").removeprefix("models/")
        methods = each.get("supportedGenerationMethods")
        if not name or any(part in name.lower() for part in NOT_FOR_CHAT):
            continue
        if isinstance(methods, list) and "generateContent" not in methods:
            continue
        offers.append(Offer(name, _window(each)))
    return tuple(offers)


def _window(entry: Mapping[str, Any]) -> int | None:
    names = (
        "max_model_len",
        "context_length",
        "context_window",
        "inputTokenLimit",
        "max_input_tokens",
    )
    for name in names:
        found = _number(entry, name)
        if found:
            return found
    return _number(entry.get("meta"), "n_ctx")


def _object(answer: "httpx2.Response") -> dict[str, Any]:
    if answer.status_code != 200:
        return {}
    try:
        value: Any = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [
        cast("dict[str, Any]", each) for each in cast("list[Any]", value) if isinstance(each, dict)
    ]


def _number(held: Any, name: str) -> int | None:
    if not isinstance(held, dict):
        return None
    value = cast("dict[str, Any]", held).get(name)
    return value if isinstance(value, int) and value > 0 else None
