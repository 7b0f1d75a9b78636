"""auth.json: read with care, written whole, shown to nobody."""

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from hermes_agent.config import auth
from hermes_agent.config.load import load
from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import ConfigError

NOUS = {
    "portal_base_url": "https://portal.example/a-long-address",
    "access_token": "portal-access-token",
    "refresh_token": "portal-refresh-token",
    "agent_key": "nous-agent-key",
    "agent_key_expires_at": "2099-01-01T00:00:00Z",
    "token_type": "Bearer-with-length",
}
WHOLE = {
    "version": 1,
    "updated_at": "2026-01-01T00:00:00+00:00",
    "active_provider": "nous",
    "providers": {
        "nous": NOUS,
        "openai-codex": {
            "tokens": {"access_token": "codex-access", "refresh_token": "codex-refresh"}
        },
    },
    "credential_pool": {"x": [{"api_key": "pooled-key"}]},
}


@pytest.fixture
def paths(home: Path) -> Paths:
    home.mkdir()
    return Paths(home)


def fill(paths: Paths, text: str = "") -> None:
    paths.auth_file.write_text(text or json.dumps(WHOLE))
    paths.auth_file.chmod(0o600)


def test_without_the_file_there_are_no_logins(paths: Paths) -> None:
    assert auth.read(paths).logins() == []
    assert auth.read(paths).active == ""


def test_each_login_has_its_key_or_token(paths: Paths) -> None:
    fill(paths)
    found = auth.read(paths)
    assert found.active == "nous"
    assert {login.provider: login.key.reveal() for login in found.logins()} == {
        "nous": "nous-agent-key",
        "openai-codex": "codex-access",
    }
    assert found.login("anthropic") is None


@pytest.mark.parametrize(
    ("ends", "expired"),
    [
        ("2001-01-01T00:00:00Z", True),
        ("2099-01-01T00:00:00", False),
        (1_000_000_000, True),
        (4_000_000_000, False),
        (1_000_000_000_000, True),
        (4_000_000_000_000, False),
        (None, False),
        ("soon", False),
        (True, False),
    ],
)
def test_a_token_knows_when_it_ends(paths: Paths, ends: object, expired: bool) -> None:
    entry = {"access_token": "t", "expires_at": ends}
    fill(paths, json.dumps({"providers": {"anthropic": entry}}))
    login = auth.read(paths).login("anthropic")
    assert login is not None
    assert login.expired() is expired


def test_every_token_is_blanked_and_no_address_is(paths: Paths) -> None:
    fill(paths)
    loaded = load(paths, {}, registry=paths.home / "none")
    assert loaded.secrets == {
        "portal-access-token",
        "portal-refresh-token",
        "nous-agent-key",
        "codex-access",
        "codex-refresh",
        "pooled-key",
    }
    everything = f"{loaded!r} {loaded.logins!r} {loaded.logins.logins()!r}"
    assert not any(secret in everything for secret in loaded.secrets)


def test_a_change_keeps_what_it_does_not_know(paths: Paths) -> None:
    fill(paths)
    auth.change(paths, lambda found: found.having("nous", {"access_token": "refreshed"}))
    written = json.loads(paths.auth_file.read_text())
    assert written["providers"]["nous"] == {**NOUS, "access_token": "refreshed"}
    assert written["credential_pool"] == WHOLE["credential_pool"]
    assert written["updated_at"] > str(WHOLE["updated_at"])
    assert auth.read(paths).login("openai-codex") is not None


def test_a_vendor_can_be_taken_out(paths: Paths) -> None:
    fill(paths)
    after = auth.change(paths, lambda found: found.without("nous"))
    assert [*after.providers] == ["openai-codex"]
    assert (auth.read(paths).active, after.active) == ("", "")


def test_a_new_file_is_for_its_owner_alone(paths: Paths) -> None:
    auth.change(paths, lambda found: found.having("xai", {"api_key": "k"}))
    assert stat.S_IMODE(paths.auth_file.stat().st_mode) == 0o600
    written = json.loads(paths.auth_file.read_text())
    assert written["version"] == 1
    assert written["providers"] == {"xai": {"api_key": "k"}}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_an_old_file_keeps_owner_group_and_mode(paths: Paths) -> None:
    fill(paths)
    paths.auth_file.chmod(0o640)
    os.chown(paths.auth_file, 1234, 2345)
    auth.change(paths, lambda found: found.having("xai", {"api_key": "k"}))
    about = paths.auth_file.stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (1234, 2345, 0o640)


@pytest.mark.parametrize(
    "text",
    ["{torn", "[]", '"text"', '{"providers": []}', '{"providers": {"x": "secret-text"}}', "\0"],
)
def test_a_damaged_file_is_named_and_stays_as_it_is(paths: Paths, text: str) -> None:
    fill(paths, text)
    with pytest.raises(ConfigError, match=r"auth\.json is damaged") as caught:
        auth.change(paths, lambda found: found.having("xai", {"api_key": "k"}))
    assert "secret-text" not in f"{caught.value.message} {caught.value.hint}"
    assert paths.auth_file.read_text() == text


def test_a_damaged_file_stops_nothing_that_needs_no_login(paths: Paths) -> None:
    fill(paths, "{torn")
    loaded = load(paths, {}, registry=paths.home / "none")
    assert loaded.logins.logins() == []
    assert "auth.json is damaged" in loaded.warnings[0].text


def test_a_giant_and_a_pipe_are_refused_unread(paths: Paths) -> None:
    with paths.auth_file.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(ConfigError, match="too large"):
        auth.read(paths)
    paths.auth_file.unlink()
    os.mkfifo(paths.auth_file)
    with pytest.raises(ConfigError, match="not a regular file"):
        auth.read(paths)


def _add(home: Path, provider: str) -> None:
    auth.change(Paths(home), lambda found: found.having(provider, {"api_key": provider}))


def test_writers_at_the_same_time_lose_nothing(paths: Paths) -> None:
    names = [f"vendor-{number}" for number in range(12)]
    spawn = multiprocessing.get_context("fork")
    workers = [spawn.Process(target=_add, args=(paths.home, name)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * len(names)
    assert sorted(auth.read(paths).providers) == sorted(names)
