"""The key: configured, made, kept, refused."""

import stat
from pathlib import Path

import pytest

from hermes_agent.api.key import KEY_FILE, find_key
from hermes_agent.api.settings import ApiSettings, from_environ
from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError


def test_a_configured_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    key, file = find_key(ApiSettings(home=tmp_path, key=Secret("abc")))
    assert (key.reveal(), file) == ("abc", None)
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize("bad", ["a b", "ä", "a\nb", "\x7f"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(
    tmp_path: Path, bad: str
) -> None:
    with pytest.raises(ConfigError, match="API_SERVER_KEY") as caught:
        find_key(ApiSettings(home=tmp_path, key=Secret(bad)))
    assert bad not in str(caught.value)


def test_a_made_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    path.write_text("kept\n")
    path.chmod(0o644)
    key, _ = find_key(ApiSettings(home=tmp_path))
    assert key.reveal() == "kept"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("known to them")
    (tmp_path / KEY_FILE).symlink_to(tmp_path / "theirs")
    with pytest.raises(ConfigError, match="cannot be read"):
        find_key(ApiSettings(home=tmp_path))


def test_an_empty_key_file_gets_a_key(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).touch()
    key, _ = find_key(ApiSettings(home=tmp_path))
    assert len(key.reveal()) == 64
    assert (tmp_path / KEY_FILE).read_text().strip() == key.reveal()


def test_the_documented_variables_make_the_settings(tmp_path: Path) -> None:
    settings = from_environ(
        {
            "API_SERVER_KEY": " k ",
            "API_SERVER_HOST": "0.0.0.0",
            "API_SERVER_PORT": "9000",
            "API_SERVER_CORS_ORIGINS": "https://a.example, https://b.example",
        },
        tmp_path,
    )
    assert settings.key == Secret("k")
    assert (settings.host, settings.port) == ("0.0.0.0", 9000)
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    plain = from_environ({}, tmp_path)
    assert (plain.host, plain.port, plain.key) == ("127.0.0.1", 8642, None)


@pytest.mark.parametrize("port", ["x", "-1", "65536", "80.5", "٣"])
def test_a_port_that_is_none_is_a_fault_of_the_configuration(tmp_path: Path, port: str) -> None:
    with pytest.raises(ConfigError, match="API_SERVER_PORT"):
        from_environ({"API_SERVER_PORT": port}, tmp_path)
