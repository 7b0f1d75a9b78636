"""What a model costs, and when nobody knows."""

import re
from datetime import date
from typing import Any

import pytest

from hermes_agent.domain.messages import Usage
from hermes_agent.domain.spending import Rates
from hermes_agent.providers.choice import CustomServer, ModelChoice
from hermes_agent.providers.prices import rates_of, table
from hermes_agent.providers.resolve import Setting, resolve

KEYS = ("OPENROUTER", "ANTHROPIC", "OPENAI", "GEMINI", "DEEPSEEK", "GROQ")
OWN = Rates(input=7, output=8, cached=7, write=7, as_of="config")


def rates(model: str, tokens: int = 1000, *, provider: str = "auto", **more: Any) -> Rates | None:
    environ = {f"{name}_API_KEY": "k" for name in KEYS} | {"COPILOT_GITHUB_TOKEN": "k"}
    base_url = more.pop("base_url", "")
    custom = (CustomServer(name="house", base_url="http://10.0.0.7/v1"),)
    setting = Setting(environ=environ, custom=custom, **more)
    choice = ModelChoice(model=model, provider=provider, base_url=base_url)
    return rates_of(resolve(choice, setting))(tokens)


def test_a_call_costs_its_input_cache_and_output_each_at_its_own_price() -> None:
    price = rates("claude-opus-4-6", provider="anthropic")
    assert price is not None
    usage = Usage(
        input=1_000_000, output=100_000, cache_read=600_000, cache_write=200_000, reasoning=50_000
    )
    # 200,000 plain at 5, 600,000 cached at 0.5, 200,000 written at 6.25, 100,000 out at 25.
    assert price.cost(usage) == pytest.approx(1.0 + 0.3 + 1.25 + 2.5)


def test_the_longer_cache_costs_more_to_write() -> None:
    price = rates("claude-opus-4-6", provider="anthropic", cache_ttl="1h")
    assert price is not None and price.write == 10


def test_a_cache_that_is_said_to_be_larger_than_the_prompt_makes_nothing_cheaper() -> None:
    price = Rates(input=10, output=0, cached=1, write=20)
    assert price.cost(Usage(input=100, cache_read=500, cache_write=500)) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    "model",
    ["claude-opus-4.6", "anthropic/claude-opus-4.6", "claude-opus-4-6-20260205", "claude-opus-4-6"],
)
def test_a_model_is_known_by_every_spelling_of_its_name(model: str) -> None:
    price = rates(model, provider="anthropic")
    assert price is not None and (price.input, price.output) == (5, 25)


@pytest.mark.parametrize(
    "model", ["gpt-5.9", "gpt-5-turbo", "gpt-4o-audio", "o3-deep-research", "claude-opus-4-99"]
)
def test_a_name_that_only_resembles_a_known_one_has_no_price(model: str) -> None:
    assert rates(model, provider="anthropic" if "claude" in model else "openai") is None


def test_a_long_request_has_its_own_price() -> None:
    short, long = (rates("gemini-2.5-pro", size, provider="google") for size in (200_000, 200_001))
    assert short is not None and long is not None
    assert (short.input, long.input) == (1.25, 2.5)


def test_through_an_aggregator_a_vendors_own_model_costs_what_the_vendor_asks() -> None:
    price = rates("anthropic/claude-opus-4.6", provider="openrouter")
    assert price is not None and price.input == 5
    assert rates("qwen/qwen3-max", provider="openrouter") is None


def test_who_takes_a_fee_a_month_has_no_price_a_token() -> None:
    assert rates("openai/gpt-5", provider="copilot") is None


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080/v1", "http://192.168.1.9/v1"])
def test_a_server_of_ones_own_costs_nothing(address: str) -> None:
    price = rates("qwen3:8b", provider="custom", base_url=address)
    assert price is not None and price.cost(Usage(input=10**6, output=10**6)) == 0
    assert rates("qwen3:8b", provider="custom:house") == price


def test_a_relay_at_home_costs_what_the_vendor_behind_it_asks() -> None:
    price = rates("gpt-5", provider="custom", base_url="http://127.0.0.1:4000/v1")
    assert price is not None and price.input == 1.25


def test_a_server_elsewhere_has_no_price_until_somebody_gives_one() -> None:
    address = "https://models.example.org/v1"
    assert rates("llama-9", provider="custom", base_url=address) is None
    assert rates("llama-9", provider="custom", base_url=address, prices={"llama-*": OWN}) == OWN


def test_prices_of_ones_own_come_before_all_lists_and_the_longest_pattern_counts() -> None:
    cheap = Rates(input=1, output=1, cached=1, write=1)
    prices = {"*": cheap, "anthropic/Claude-Opus-*": OWN}
    assert rates("claude-opus-4-6", provider="anthropic", prices=prices) == OWN
    assert rates("claude-haiku-4-5", provider="anthropic", prices=prices) == cheap


def test_every_list_has_a_day_and_a_source_and_every_row_a_usable_price() -> None:
    for listed in table().vendors:
        assert date(2025, 12, 1) < date.fromisoformat(listed.as_of)
        assert listed.source.startswith("https://")
        names = [price.name for price in listed.models]
        assert len(names) == len(set(names))
        for price in listed.models:
            assert re.fullmatch(r"[a-z0-9-]+", price.name), price.name
            for band in filter(None, (price, price.long)):
                assert 0 < band.input <= band.output
                assert band.cached is None or 0 < band.cached < band.input
                assert band.write is None or band.write > band.input
            assert price.long is None or price.long.over > 0
