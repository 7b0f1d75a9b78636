"""Model servers on this machine, and what they say of their models."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import msgspec
import pytest

from hermes_agent.domain.errors import BadResponse, NoModelError, Unreachable
from hermes_agent.providers.choice import ModelChoice
from hermes_agent.providers.discovery import find_local, list_models, only_model, settle
from hermes_agent.providers.http import open_client
from hermes_agent.providers.resolve import Setting, resolve
from hermes_agent.providers.target import DEFAULT_CONTEXT, Target
from hermes_agent.providers.vendor import WireName
from tests.servers.model import ModelServer, closed_port

NAMES = ("OLLAMA", "LMSTUDIO", "LLAMACPP", "VLLM")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with open_client({}) as opened:
        yield opened


def at(url: str, *names: str) -> dict[str, str]:
    """An environment in which these servers are at `url` and the others nowhere."""
    with closed_port() as port:
        nowhere = f"http://127.0.0.1:{port}/v1"
    return {f"{name}_BASE_URL": url if name in names else nowhere for name in NAMES}


def local(provider: str, server: ModelServer, model: str = "") -> Target:
    variable = {"ollama": "OLLAMA", "lmstudio": "LMSTUDIO", "llamacpp": "LLAMACPP", "vllm": "VLLM"}
    environ = {f"{variable[provider]}_BASE_URL": server.base_url}
    return resolve(ModelChoice(provider=provider, model=model), Setting(environ=environ))


async def test_a_server_with_one_model_is_picked_by_itself(
    server: ModelServer, client: httpx2.AsyncClient
):
    found = await find_local(client, at(server.base_url, "LLAMACPP"))
    assert [each.vendor.id for each in found] == ["llamacpp"]
    target = only_model(found)
    assert target is not None
    assert (target.model, target.base_url) == ("scripted-model", server.base_url)
    assert target.key is None


async def test_a_choice_is_left_to_the_person(server: ModelServer, client: httpx2.AsyncClient):
    server.models = ["a", "b"]
    found = await find_local(client, at(server.base_url, "OLLAMA"))
    assert [each.model for each in found[0].models] == ["a", "b"]
    assert only_model(found) is None


async def test_nobody_there_is_found_out(client: httpx2.AsyncClient):
    assert await find_local(client, at("")) == ()


@pytest.mark.timeout(15)
async def test_a_server_that_says_nothing_is_not_waited_for(client: httpx2.AsyncClient):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        assert await find_local(client, at(url, "VLLM", "OLLAMA")) == ()


async def test_any_other_web_server_is_not_taken_for_a_model_server(
    server: ModelServer, client: httpx2.AsyncClient
):
    server.pages = {"/v1/models": "<html>my blog</html>"}
    assert await find_local(client, at(server.base_url, "LLAMACPP", "VLLM")) == ()


async def test_a_remote_address_is_never_asked_unasked(client: httpx2.AsyncClient):
    assert await find_local(client, at("https://llm.example.com/v1", *NAMES)) == ()


async def test_a_local_provider_without_a_model_takes_its_only_one(
    server: ModelServer, client: httpx2.AsyncClient
):
    target = await settle(local("vllm", server), lambda: client)
    assert target.model == "scripted-model"


async def test_a_local_provider_with_several_asks_for_a_name(
    server: ModelServer, client: httpx2.AsyncClient
):
    server.models = ["a", "b"]
    with pytest.raises(NoModelError, match="2 models: a, b"):
        await settle(local("ollama", server), lambda: client)


PAGES: list[tuple[str, dict[str, object], int]] = [
    ("vllm", {"/v1/models": {"data": [{"id": "m", "max_model_len": 4096}]}}, 4096),
    ("llamacpp", {"/props": {"default_generation_settings": {"n_ctx": 8192}}}, 8192),
    ("lmstudio", {"/api/v0/models/m": {"id": "m", "loaded_context_length": 2048}}, 2048),
    ("ollama", {"/api/ps": {"models": [{"name": "m", "context_length": 16384}]}}, 16384),
    ("ollama", {"/api/ps": "gone"}, DEFAULT_CONTEXT),
    ("llamacpp", {"/props": {"default_generation_settings": "?"}}, DEFAULT_CONTEXT),
]


@pytest.mark.parametrize(("provider", "pages", "window"), PAGES)
async def test_the_window_is_the_servers_own_word(
    server: ModelServer,
    client: httpx2.AsyncClient,
    provider: str,
    pages: dict[str, object],
    window: int,
):
    server.pages = pages
    target = await settle(local(provider, server, "m"), lambda: client)
    assert target.context_length == window
    assert target.context_known == (window != DEFAULT_CONTEXT)


async def test_a_remote_target_is_settled_without_asking(client: httpx2.AsyncClient):
    target = resolve(
        ModelChoice(provider="openai", model="m"), Setting(environ={"OPENAI_API_KEY": "k"})
    )
    assert await settle(target, lambda: client) is target


@pytest.mark.parametrize("wire", ["chat_completions", "responses", "anthropic", "gemini"])
async def test_every_dialects_list_is_read(
    server: ModelServer, client: httpx2.AsyncClient, wire: WireName
):
    server.models = ["one", "two"]
    target = msgspec.structs.replace(local("vllm", server, "m"), wire=wire)
    offers = await list_models(target, lambda: client)
    assert [each.model for each in offers] == ["one", "two"]


async def test_a_list_that_cannot_be_had_is_a_typed_error(
    server: ModelServer, client: httpx2.AsyncClient
):
    target = local("vllm", server, "m")
    server.pages = {"/v1/models": "<html>login</html>"}
    with pytest.raises(BadResponse):
        await list_models(target, lambda: client)
    with closed_port() as port:
        gone = msgspec.structs.replace(target, base_url=f"http://127.0.0.1:{port}/v1")
        with pytest.raises(Unreachable) as caught:
            await list_models(gone, lambda: client)
    assert "Is it running?" in (caught.value.hint or "")
