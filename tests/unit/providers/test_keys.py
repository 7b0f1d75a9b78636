"""No vendor gets another vendor's key."""

import itertools
from urllib.parse import urlsplit

import pytest

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError, HermesError, NoModelError
from hermes_agent.providers.choice import CustomServer, ModelChoice
from hermes_agent.providers.resolve import Setting, resolve
from hermes_agent.providers.vendor import Vendor, find_vendor, vendors

EVERY_KEY = {
    name: f"secret-of-{vendor.id}-{name}" for vendor in vendors() for name in vendor.keys
} | {"OPENAI_API_KEY": "sk-proj-secret-of-openai"}
REMOTE = [each for each in vendors() if not each.local]


def _owners(key: str) -> set[str]:
    """The vendors that list the variable which holds this key."""
    names = {name for name, value in EVERY_KEY.items() if value == key}
    return {each.id for each in vendors() if names & set(each.keys)}


@pytest.mark.parametrize("vendor", vendors(), ids=lambda each: each.id)
def test_no_choice_of_provider_sends_a_key_to_another_vendors_host(vendor: Vendor):
    """Every provider, at every vendor's address, given as base_url or by a variable."""
    for other, by_variable in itertools.product(REMOTE, (False, True)):
        environ = dict(EVERY_KEY)
        choice = ModelChoice(provider=vendor.id, model="m", base_url=other.base_url)
        if by_variable:
            if not vendor.base_url_env:
                continue
            environ[vendor.base_url_env[0]] = other.base_url
            choice = ModelChoice(provider=vendor.id, model="m")
        target = resolve(choice, Setting(environ=environ))
        assert target.key is not None
        assert urlsplit(target.base_url).hostname == urlsplit(other.base_url).hostname
        assert other.id in _owners(target.key.reveal()), (vendor.id, other.id, target.key_source)
        assert target.key_source in other.keys


@pytest.mark.parametrize("vendor", REMOTE, ids=lambda each: each.id)
def test_without_a_key_for_the_host_no_other_key_steps_in(vendor: Vendor):
    environ = {name: value for name, value in EVERY_KEY.items() if name not in vendor.keys}
    for provider in ("custom", "openai", "openrouter", vendor.id):
        with pytest.raises(NoModelError, match=vendor.keys[0]):
            resolve(
                ModelChoice(provider=provider, model="m", base_url=vendor.base_url),
                Setting(environ=environ),
            )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com.evil.example/v1",
        "https://openrouter.ai.evil.example/api/v1",
        "https://evil.example/openrouter.ai/api/v1",
        "https://notopenrouter.ai/api/v1",
    ],
)
def test_a_host_that_looks_like_a_vendors_gets_no_key_of_theirs(url: str):
    target = resolve(
        ModelChoice(provider="custom", model="m", base_url=url), Setting(environ=EVERY_KEY)
    )
    assert target.key is None


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com@evil.example/v1",
        "https://evil.example\\@api.openai.com/v1",
        "https://evil.example#@api.openai.com/v1",
        "https://evil.example/v1?key=abc",
        "https://user:secret@example.com/v1",
        "https://exa mple.com/v1",
        "https://аpi.openai.com/v1",
        "ftp://example.com",
        "file:///etc/passwd",
        "example.com/v1",
        "https://",
        "https://example.com:99999/v1",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(url: str):
    with pytest.raises(ConfigError) as caught:
        resolve(ModelChoice(provider="custom", model="m", base_url=url), Setting(environ=EVERY_KEY))
    assert "secret" not in str(caught.value)


def test_a_vendors_key_never_travels_unencrypted():
    with pytest.raises(ConfigError, match="unencrypted"):
        resolve(
            ModelChoice(provider="openai", model="m", base_url="http://api.openai.com/v1"),
            Setting(environ=EVERY_KEY),
        )


def test_openai_api_key_serves_a_compatible_server_unless_it_is_openais_own():
    choice = ModelChoice(provider="custom", model="m", base_url="https://llm.example.com/v1")
    given = resolve(choice, Setting(environ={"OPENAI_API_KEY": "team-key"}))
    assert given.key is not None
    assert given.key_source == "OPENAI_API_KEY"
    for real in ("sk-proj-abc", "sk-abcT3BlbkFJxyz"):
        assert resolve(choice, Setting(environ={"OPENAI_API_KEY": real})).key is None


def test_an_address_in_openai_base_url_was_chosen_together_with_its_key():
    environ = {"OPENAI_BASE_URL": "https://proxy.example.com/v1", "OPENAI_API_KEY": "sk-proj-abc"}
    target = resolve(ModelChoice(model="gpt-5"), Setting(environ=environ))
    assert target.base_url == "https://proxy.example.com/v1"
    assert target.key_source == "OPENAI_API_KEY"
    assert target.wire == "chat_completions"


def test_an_entry_of_custom_providers_gets_its_own_key_only():
    server = CustomServer(name="work", base_url="https://llm.work.example/v1")
    target = resolve(
        ModelChoice(provider="custom:work", model="m"),
        Setting(environ=EVERY_KEY, custom=(server,)),
    )
    assert target.key is None


def test_a_kimi_coding_key_goes_to_the_coding_address():
    target = resolve(ModelChoice(provider="kimi"), Setting(environ={"KIMI_API_KEY": "sk-kimi-123"}))
    assert target.base_url == "https://api.kimi.com/coding/v1"


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", "bell\x07"])
def test_a_key_that_was_copied_badly_is_told_by_its_variable(key: str):
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        resolve(ModelChoice(provider="openai"), Setting(environ={"OPENAI_API_KEY": key}))
    assert key not in str(caught.value)


def test_a_key_shows_itself_nowhere():
    target = resolve(ModelChoice(provider="openai"), Setting(environ=EVERY_KEY))
    assert "secret-of" not in repr(target)
    with pytest.raises(HermesError) as caught:
        resolve(ModelChoice(provider="nobody"), Setting(environ=EVERY_KEY))
    assert "secret-of" not in str(caught.value) + str(caught.value.hint)


def test_every_row_of_the_table_is_whole():
    names: list[str] = []
    for vendor in vendors():
        names += [vendor.id, *vendor.aliases]
        assert vendor.local or (vendor.keys and vendor.model)
        if vendor.id != "custom":
            assert urlsplit(vendor.base_url).hostname
            assert vendor.local or vendor.base_url.startswith("https://")
        assert find_vendor(vendor.id.upper()) is vendor
    assert len(names) == len(set(names))


LOGINS = {each.id: Secret(f"login-at-{each.id}") for each in REMOTE}


@pytest.mark.parametrize("vendor", REMOTE, ids=lambda each: each.id)
def test_a_login_goes_to_its_vendor_s_own_host_and_to_no_other(vendor: Vendor):
    for other in REMOTE:
        choice = ModelChoice(provider=vendor.id, model="m", base_url=other.base_url)
        target = resolve(choice, Setting(environ={}, logins=LOGINS))
        assert target.key is not None
        assert (target.key.reveal(), target.key_source) == (f"login-at-{other.id}", "auth.json")
    proxy = ModelChoice(provider=vendor.id, model="m", base_url="https://proxy.example/v1")
    try:
        assert resolve(proxy, Setting(environ={}, logins=LOGINS)).key is None
    except NoModelError as error:
        assert "needs a key" in error.message


def test_a_key_in_a_variable_comes_before_a_login():
    choice = ModelChoice(provider="nous", model="m")
    target = resolve(choice, Setting(environ={"NOUS_API_KEY": "key"}, logins=LOGINS))
    assert target.key_source == "NOUS_API_KEY"


def test_without_keys_the_latest_login_chooses_the_vendor():
    logins = {name: LOGINS[name] for name in ("anthropic", "nous", "xai")}
    assert resolve(ModelChoice(), Setting(environ={}, logins=logins)).vendor.id == "anthropic"
    target = resolve(ModelChoice(), Setting(environ={}, logins=logins, active="xai"))
    assert target.vendor.id == "xai"
    target = resolve(
        ModelChoice(model="anthropic/claude-opus-4.6"), Setting(environ={}, logins=logins)
    )
    assert target.vendor.id == "nous"  # an aggregator has that name
