"""The OpenMP library for machines that lack it."""

import ctypes
from pathlib import Path

import pytest

from hermes_agent.domain.errors import ModelError
from hermes_agent.providers.embedded import openmp
from hermes_agent.providers.embedded.places import Places


def lacking(places: Places) -> bool:
    return True


def test_the_fetched_library_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "lacks_openmp", lacking)
    places = Places(tmp_path)
    try:
        openmp.install_openmp(places)
    except ModelError as error:
        pytest.skip(f"NOT TESTED: {error.message}")
    folder = openmp.openmp_folder(places)
    assert folder is not None
    assert [p.name for p in folder.iterdir()] == [openmp.NAME]
    assert ctypes.CDLL(str(folder / openmp.NAME)).omp_get_num_procs() >= 1


def test_a_package_client_that_fails_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openmp, "lacks_openmp", lacking)
    for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ModelError) as caught:
        openmp.install_openmp(Places(tmp_path))
    assert caught.value.hint is not None
    assert "libgomp1" in caught.value.hint
