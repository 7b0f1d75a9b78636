#!/usr/bin/env python3
"""Prepare the checkout's virtual environment, then run a program in it.

    prepare.py [--dev] [PROGRAM [ARGUMENT ...]]

Needs Python 3.11 and nothing else: no pip, no venv module, no uv. uv comes from the package
index that the machine is configured for (UV_DEFAULT_INDEX, UV_INDEX_URL, PIP_INDEX_URL, pip.conf)
or from the address in uv.lock, and is checked against the hash in uv.lock; so is every package.
When nothing changed since the last time, nothing is done.
"""

import configparser
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "prepared"
LOCK = ROOT / "uv.lock"
TIMEOUT = 60
RUN = ["--no-dev", "--all-extras"]
DEV = ["--group", "dev", "--all-extras"]


def main(arguments: list[str]) -> None:
    if sys.version_info < (3, 11):
        fail(f"Python 3.11 or newer is needed; {sys.executable} is {platform.python_version()}.")
    dev = arguments[:1] == ["--dev"]
    command = arguments[dev:]
    os.environ["UV"] = prepare(dev)
    if command:
        program = VENV / "bin" / command[0]
        os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        os.execv(program, [str(program), *command[1:]])


def prepare(dev: bool) -> str:
    """Bring the environment up to the lock file; returns the path of uv."""
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    have = STAMP.read_text().splitlines() if STAMP.exists() else []
    if len(have) == 3 and have[0] == wanted and have[1] in ("dev", "dev" if dev else "run"):
        return have[2]
    say("Preparing (once)…")
    uv = find_uv()
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    environment.setdefault("UV_SYSTEM_CERTS", "1")
    index = configured_index()
    if index:
        environment["UV_DEFAULT_INDEX"] = index

    def run(*words: str) -> None:
        done = subprocess.run([uv, *words], cwd=ROOT, env=environment, check=False)
        if done.returncode:
            fail(f"“uv {' '.join(words[:2])}” failed; its words are above.")

    if not (VENV / "bin" / "python").exists():
        run("venv", "--quiet", "--no-config", "--clear", "--python", sys.executable, str(VENV))
    python = str(VENV / "bin" / "python")
    STAMP.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pins = str(Path(folder, "pins.txt"))
        what = DEV if dev else RUN
        run("export", "--quiet", "--frozen", "--no-emit-project", *what, "--output-file", pins)
        # Without our own configuration: a mirror need not know when a file was uploaded, and
        # the hashes have settled already what may come in.
        common = ["--quiet", "--no-config", "--no-deps", "--python", python]
        run("pip", "install", *common, "--require-hashes", "--compile-bytecode", "-r", pins)
        run("pip", "install", *common, "--editable", str(ROOT))
    quiet = {"stdout": subprocess.DEVNULL, "env": {**environment, "PYTHONDONTWRITEBYTECODE": ""}}
    subprocess.run([python, "-m", "compileall", "-q", str(ROOT / "src")], check=True, **quiet)
    STAMP.write_text(f"{wanted}\n{'dev' if dev else 'run'}\n{uv}\n")
    return uv


def find_uv() -> str:
    """uv from the lock file's own entry, kept in the user's cache by version."""
    package = next(p for p in locked_packages() if p["name"] == "uv")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = cache / "hermes-agent" / f"uv-{package['version']}"
    if kept.exists():
        return str(kept)
    wheel = next((w for w in package["wheels"] if fits(w["url"].rsplit("/", 1)[-1])), None)
    if wheel is None:
        fail(f"There is no uv for {platform.system()} {platform.machine()}; install it yourself.")
    name = wheel["url"].rsplit("/", 1)[-1]
    data = download(address_at_index(name) or wheel["url"])
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != wheel["hash"]:
        fail(f"{name} is not the file that uv.lock names. Nothing was installed.")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = next(n for n in archive.namelist() if n.endswith("/scripts/uv"))
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_bytes(archive.read(member))
    partial.chmod(0o755)
    partial.replace(kept)
    return str(kept)


def locked_packages() -> list[dict]:
    import tomllib

    return tomllib.loads(LOCK.read_text())["package"]


def fits(name: str) -> bool:
    """Whether a wheel of uv runs here: by system, machine and C library."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    if sys.platform == "darwin":
        return "macosx" in name and ("arm64" if machine == "aarch64" else machine) in name
    library = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return library in name and f"_{machine}" in name


def configured_index() -> str | None:
    """The package index that this machine is set up for; None leaves it to uv."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(variable):
            return os.environ[variable]
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places = [Path("/etc/pip.conf"), Path.home() / ".pip/pip.conf", config / "pip/pip.conf"]
    named = os.environ.get("PIP_CONFIG_FILE")
    found = None
    for place in [*places, *([Path(named)] if named else [])]:
        parser = configparser.RawConfigParser()
        parser.read(place)
        found = parser.get("global", "index-url", fallback=None) or found
    return found


def address_at_index(name: str) -> str | None:
    """Where the configured index has a file of uv's (PEP 503 and PEP 691)."""
    index = configured_index()
    if index is None:
        return None
    page = index.rstrip("/") + "/uv/"
    body = download(page, accept="application/vnd.pypi.simple.v1+json, text/html;q=0.5").decode()
    if body.lstrip().startswith("{"):
        links = [file["url"] for file in json.loads(body)["files"]]
    else:
        links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', body)]
    found = next((link for link in links if f"/{name}" in link), None)
    return urllib.parse.urljoin(page, found) if found else None


def download(address: str, accept: str = "*/*") -> bytes:
    parts = urllib.parse.urlsplit(address)
    handlers: list[urllib.request.BaseHandler] = []
    headers = {"Accept": accept}
    if parts.username:
        import base64

        pair = (
            f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        )
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        host = parts.hostname + (f":{parts.port}" if parts.port else "")
        address = urllib.parse.urlunsplit(parts._replace(netloc=host))
    bundle = next((os.environ[v] for v in ("PIP_CERT", "SSL_CERT_FILE") if os.environ.get(v)), None)
    if bundle and parts.scheme == "https":
        import ssl

        handlers.append(
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=bundle))
        )
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT) as response:
            return response.read()
    except OSError as error:
        fail(f"{parts.hostname or address} does not give what is needed: {error}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    say(f"prepare: {text}")
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
