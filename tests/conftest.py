"""Shared by all tests: asyncio is the only event loop, and nobody's real home is touched."""

from pathlib import Path

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HERMES_HOME (not made yet), and a HOME beside it."""
    user_home = tmp_path / "user"
    user_home.mkdir()
    hermes_home = tmp_path / "hermes-home"
    monkeypatch.setenv("HOME", str(user_home))
    monkeypatch.setenv("HERMES_HOME", str(hermes_home))
    for name in ("HERMES_MANAGED", "HERMES_MODEL", "HERMES_INFERENCE_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    return hermes_home
