"""Which model is used, and that the list of models is sound."""

import re
import struct
from pathlib import Path

import pytest

from hermes_agent.domain.errors import NoModelError, UsageError
from hermes_agent.providers.embedded.catalog import Weights, catalog, default_size
from hermes_agent.providers.embedded.clients import package_environment
from hermes_agent.providers.embedded.offline import available, install
from hermes_agent.providers.embedded.places import Places


def gguf(path: Path) -> Path:
    """A file that begins as a GGUF does."""
    path.write_bytes(struct.pack("<4sI", b"GGUF", 3) + bytes(100))
    return path


def test_the_parts_of_every_model_add_up() -> None:
    for weights in catalog():
        assert sum(part.bytes for part in weights.parts) == weights.bytes
        hashes = [weights.sha256, *(part.sha256 for part in weights.parts)]
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in hashes)
        assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize(("gigabytes", "size"), [(2, "0.5b"), (3.9, "0.5b"), (4, "1.5b")])
def test_a_small_machine_gets_the_small_model(gigabytes: float, size: str) -> None:
    assert default_size(int(gigabytes * 1e9)) == size


async def test_a_gguf_of_ones_own_is_taken_and_remembered(tmp_path: Path) -> None:
    own = gguf(tmp_path / "mine.gguf")
    places = Places(tmp_path / "cache")
    installed = await install(path=own, places=places, environ={})
    assert (installed.name, installed.path, installed.own) == ("mine", own, True)
    assert available({}, places=places) == installed


async def test_the_variable_outranks_what_was_installed(tmp_path: Path) -> None:
    places = Places(tmp_path / "cache")
    await install(path=gguf(tmp_path / "one.gguf"), places=places, environ={})
    environ = {"HERMES_LOCAL_MODEL": str(gguf(tmp_path / "two.gguf"))}
    found = available(environ, places=places)
    assert found is not None
    assert found.name == "two"


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04" + bytes(50), b"GGUF" + bytes(50)])
async def test_a_file_that_is_no_gguf_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="is not a GGUF model"):
        await install(path=file, places=Places(tmp_path), environ={})


async def test_a_missing_path_and_an_unknown_size_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        await install(path=tmp_path / "none.gguf", places=Places(tmp_path), environ={})
    with pytest.raises(UsageError, match=r"size 70b"):
        await install(size="70b", places=Places(tmp_path), environ={})


async def test_without_consent_nothing_is_fetched(tmp_path: Path) -> None:
    async def no(weights: Weights) -> bool:
        return False

    with pytest.raises(NoModelError) as caught:
        await install(consent=no, places=Places(tmp_path / "cache"), environ={}, sources=())
    assert "hermes setup" in (caught.value.hint or "")
    assert not (tmp_path / "cache").exists()


def test_a_half_fetched_model_is_not_available(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.models.mkdir()
    (places.models / catalog()[0].file).write_bytes(b"GGUF")
    assert available({}, places=places) is None


def test_a_relative_cache_folder_is_ignored(tmp_path: Path) -> None:
    assert Places.of({"XDG_CACHE_HOME": "cache"}).cache == Path.home() / ".cache/hermes-agent"
    assert Places.of({"XDG_CACHE_HOME": str(tmp_path)}).cache == tmp_path / "hermes-agent"


@pytest.mark.parametrize(
    "told",
    [
        {"PIP_INDEX_URL": "https://mirror.example/simple"},
        {"UV_INDEX_URL": "https://mirror.example/simple"},
        {"UV_DEFAULT_INDEX": "https://mirror.example/simple"},
        {"UV_DEFAULT_INDEX": "ours=https://mirror.example/simple"},
    ],
)
def test_the_index_told_to_one_client_is_told_to_pip(told: dict[str, str]) -> None:
    assert package_environment(told)["PIP_INDEX_URL"] == "https://mirror.example/simple"


def test_certificates_are_told_to_both_clients() -> None:
    told = package_environment({"REQUESTS_CA_BUNDLE": "/ca.pem"})
    assert (told["PIP_CERT"], told["SSL_CERT_FILE"]) == ("/ca.pem", "/ca.pem")
