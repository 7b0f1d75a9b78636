"""What the adapter is told."""

import sys
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.email.configuration import Configuration, configuration
from hermes_agent.platforms.table import create

WHOLE: dict[str, Any] = {
    "address": "Hermes@Example.test",
    "password": "word",
    "imap_host": "imap.example.test",
    "smtp_host": "smtp.example.test",
}


def _settings(**values: Any) -> PlatformSettings:
    return PlatformSettings(name="email", values={**WHOLE, **values}, media_dir=Path("/media"))


def _read(**values: Any) -> Configuration:
    return configuration(_settings(**values))


def test_the_documented_variables_are_enough_and_tls_is_always_on() -> None:
    made = _read()
    assert (made.address, made.user) == ("hermes@example.test", "hermes@example.test")
    assert (made.imap.port, made.imap.security) == (993, "tls")
    assert (made.smtp.port, made.smtp.security) == (587, "starttls")
    assert made.poll_interval == 15
    assert not made.trust_from


def test_the_usual_ports_say_how_tls_begins_there() -> None:
    made = _read(imap_port="143", smtp_port="465")
    assert (made.imap.security, made.smtp.security) == ("starttls", "tls")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("address", ""),
        ("address", "hermes"),
        ("address", "a@b\r\nBcc: c@d"),
        ("password", ""),
        ("imap_host", ""),
        ("smtp_host", "a b"),
        ("imap_port", "x"),
        ("smtp_port", "70000"),
        ("poll_interval", "-1"),
        ("poll_interval", "²"),
        ("trust_from", "perhaps"),
        ("imap_security", "maybe"),
        ("smtp_security", "none"),
        ("ca_file", "/no/such/file"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(key: str, value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _read(**{key: value})
    assert key in (raised.value.message + (raised.value.hint or "")).lower()


def test_without_tls_there_is_only_this_machine() -> None:
    assert _read(smtp_host="127.0.0.1", smtp_security="none").smtp.security == "none"


def test_the_password_does_not_show() -> None:
    assert "horse" not in repr(_read(password="correct-horse"))


def test_a_missing_library_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(sys.modules):
        if name.startswith("hermes_agent.platforms.email."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "imap_tools", None)
    with pytest.raises(ConfigError) as raised:
        create(_settings())
    assert "hermes-agent[email]" in (raised.value.hint or "")
