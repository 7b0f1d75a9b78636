"""From what was asked for to whom we ask."""

import pytest

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError, NoModelError
from hermes_agent.providers.choice import CustomServer, ModelChoice
from hermes_agent.providers.resolve import Setting, resolve, resolve_all

ROUTER = {"OPENROUTER_API_KEY": "r"}
CLAUDE = {"ANTHROPIC_API_KEY": "a"}
OPENAI = {"OPENAI_API_KEY": "o"}


@pytest.mark.parametrize(
    ("choice", "environ", "vendor", "model"),
    [
        ({"model": "anthropic/claude-opus-4.6"}, ROUTER | CLAUDE, "openrouter", None),
        ({"model": "anthropic/claude-opus-4.6"}, CLAUDE, "anthropic", "claude-opus-4-6"),
        ({"model": "claude-sonnet-4.5"}, ROUTER | CLAUDE, "anthropic", "claude-sonnet-4-5"),
        ({"model": "gpt-5"}, ROUTER | OPENAI, "openai", None),
        ({"model": "gpt-5"}, ROUTER, "openrouter", None),
        ({"model": "openai:gpt-5"}, ROUTER | OPENAI, "openai", "gpt-5"),
        ({"model": "ollama:qwen2.5:7b"}, ROUTER, "ollama", "qwen2.5:7b"),
        ({"model": "mistral:7b", "provider": "ollama"}, {}, "ollama", "mistral:7b"),
        ({"model": "mistral:7b"}, ROUTER, "openrouter", "mistral:7b"),
        ({"model": "openai/gpt-oss-120b", "provider": "groq"}, {"GROQ_API_KEY": "g"}, "groq", None),
        ({"model": "x", "provider": "GLM"}, {"Z_AI_API_KEY": "z"}, "zai", None),
        ({}, CLAUDE | OPENAI, "anthropic", "claude-opus-4-6"),
        ({"provider": "auto"}, {"GEMINI_API_KEY": "k"}, "google", "gemini-3-pro-preview"),
        ({"model": "x", "base_url": "https://openrouter.ai/api/v1"}, ROUTER, "openrouter", "x"),
        ({"model": "x", "base_url": "http://192.168.1.9:8000/v1"}, ROUTER, "custom", "x"),
    ],
)
def test_the_vendor_is_found(
    choice: dict[str, str], environ: dict[str, str], vendor: str, model: str | None
):
    target = resolve(ModelChoice(**choice), Setting(environ=environ))  # type: ignore[arg-type]
    assert target.vendor.id == vendor
    assert target.model == (model or choice["model"])


def test_nothing_configured_is_told_with_a_way_out():
    with pytest.raises(NoModelError) as caught:
        resolve(ModelChoice(), Setting(environ={}))
    assert "hermes model" in (caught.value.hint or "")


def test_a_github_token_alone_chooses_nothing():
    with pytest.raises(NoModelError):
        resolve(ModelChoice(), Setting(environ={"GITHUB_TOKEN": "x", "HF_TOKEN": "y"}))


def test_a_model_of_a_vendor_without_key_is_not_asked_of_another():
    with pytest.raises(
        NoModelError, match=r"no key for anthropic/claude-opus-4\.6, only for OpenAI"
    ):
        resolve(ModelChoice(model="anthropic/claude-opus-4.6"), Setting(environ=OPENAI))


def test_a_missing_key_is_named():
    with pytest.raises(NoModelError, match="XAI_API_KEY"):
        resolve(ModelChoice(provider="xai"), Setting(environ=ROUTER))


def test_an_unknown_provider_is_told_which_there_are():
    with pytest.raises(ConfigError) as caught:
        resolve(ModelChoice(provider="opnrouter"), Setting(environ={}))
    assert "openrouter" in (caught.value.hint or "")


SERVER = CustomServer(
    name="work",
    base_url="https://llm.work.example/v1/",
    api_key=Secret("w"),
    api_mode="anthropic_messages",
    contexts={"big": 500_000},
)


@pytest.mark.parametrize(
    "choice",
    [
        ModelChoice(provider="custom:work", model="big"),
        ModelChoice(model="custom:work:big"),
        ModelChoice(provider="Work", model="big"),
    ],
)
def test_a_server_of_ones_own_is_chosen_by_name(choice: ModelChoice):
    target = resolve(choice, Setting(environ=ROUTER, custom=(SERVER,)))
    assert target.base_url == "https://llm.work.example/v1"
    assert target.wire == "anthropic"
    assert target.context_length == 500_000
    assert target.key is not None
    assert target.key.reveal() == "w"
    assert "work" in target.key_source


def test_an_unknown_server_of_ones_own_is_an_error():
    with pytest.raises(ConfigError, match="'home'"):
        resolve(ModelChoice(provider="custom:home"), Setting(environ={}, custom=(SERVER,)))


def test_custom_without_an_address_is_an_error():
    with pytest.raises(ConfigError, match="base_url"):
        resolve(ModelChoice(provider="custom", model="x"), Setting(environ={}))


def test_fallbacks_that_cannot_be_used_are_named_and_left_out():
    resolved = resolve_all(
        ModelChoice(provider="openrouter", model="a"),
        [
            ModelChoice(provider="xai", model="grok-4"),
            ModelChoice(provider="custom", model="m", base_url="https://e.example/v1"),
            ModelChoice(provider="openrouter", model="a"),
        ],
        Setting(environ=ROUTER),
    )
    assert [each.model for each in resolved.targets] == ["a", "m"]
    assert len(resolved.skipped) == 1
    assert "XAI_API_KEY" in resolved.skipped[0]


def test_a_key_variable_of_ones_own_is_used_and_named():
    target = resolve(
        ModelChoice(
            provider="custom", model="m", base_url="https://e.example", api_key_env="MY_KEY"
        ),
        Setting(environ={"MY_KEY": "x", "OPENAI_API_KEY": "o"}),
    )
    assert target.key_source == "MY_KEY"


@pytest.mark.parametrize(
    ("model", "context"),
    [
        ("anthropic/claude-opus-4.6", 200_000),
        ("gpt-4o-mini", 128_000),
        ("openai/gpt-4.1", 1_047_576),
        ("gpt-4", 8_192),
        ("nobody/knows-it", 128_000),
    ],
)
def test_the_window_of_a_well_known_model_is_known(model: str, context: int):
    target = resolve(ModelChoice(provider="openrouter", model=model), Setting(environ=ROUTER))
    assert target.context_length == context


def test_a_window_that_was_given_outranks_the_table():
    choice = ModelChoice(provider="openrouter", model="gpt-4o", context_length=9)
    assert resolve(choice, Setting(environ=ROUTER)).context_length == 9


def test_openrouters_routing_goes_to_openrouter_only():
    routing = {"sort": "price"}
    for name, key, expected in (
        ("openrouter", ROUTER, {"provider": routing}),
        ("openai", OPENAI, {}),
    ):
        setting = Setting(environ=key, routing=routing)
        assert resolve(ModelChoice(provider=name, model="m"), setting).extra == expected
