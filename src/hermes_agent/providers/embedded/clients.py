"""The machine's own package client, pip or uv, with whatever index it is configured for."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def uv_command(environ: Mapping[str, str] = os.environ) -> list[str] | None:
    """How to call uv; `uv run` names itself in UV."""
    usual = Path.home() / ".local/bin/uv"
    for found in (environ.get("UV"), shutil.which("uv"), str(usual)):
        if found and os.access(found, os.X_OK):
            return [found]
    return None


def pip_command(environ: Mapping[str, str] = os.environ) -> list[str] | None:
    """How to call pip: ours, the one on PATH, or one that uv runs from its cache."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-P", "-m", "pip"]
    if uv := uv_command(environ):
        return [*uv, "tool", "run", "--python", sys.executable, "--no-python-downloads", "pip"]
    if found := shutil.which("pip3") or shutil.which("pip"):
        return [found]
    return None


def fetch_package(target: Path, *arguments: str) -> str:
    """Unpack a package, without what it depends on, into `target`. Returns why it did not work,
    or the empty text."""
    rest = ["--target", str(target), "--no-deps", "--only-binary", ":all:", *arguments]
    if uv := uv_command():
        command = [*uv, "pip", "install", "--python", sys.executable, *rest]
    elif pip := pip_command():
        command = [*pip, "install", "--no-input", *rest]
    else:
        return "neither pip nor uv is here to fetch it"
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=package_environment(),
        check=False,
    )
    words = done.stderr.decode(errors="replace").strip()[-500:]
    return words or f"exit {done.returncode}" if done.returncode else ""


def package_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for pip and uv: what one of them is told of the index, both are."""
    told = dict(environ)
    if index := _first(environ, "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        # UV_DEFAULT_INDEX may be `name=URL`.
        url = index.split("=", 1)[1] if "=" in index.split("://", 1)[0] else index
        told.setdefault("PIP_INDEX_URL", url)
        if "UV_INDEX_URL" not in told:
            told.setdefault("UV_DEFAULT_INDEX", url)
    if more := _first(environ, "UV_INDEX", "UV_EXTRA_INDEX_URL"):
        urls = (
            word.split("=", 1)[-1] if "=" in word.split("://", 1)[0] else word
            for word in more.split()
        )
        told.setdefault("PIP_EXTRA_INDEX_URL", " ".join(urls))
    if certificates := _first(environ, "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        told.setdefault("PIP_CERT", certificates)
        told.setdefault("SSL_CERT_FILE", certificates)
    told["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    # A path of our own in front of pip's would let the working directory's modules in.
    told.pop("PYTHONPATH", None)
    return told


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")
