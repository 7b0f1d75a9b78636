"""Skills that a host offers at a well-known address.

Source: Agent Skills Discovery 0.2.0 (https://agentskills.io/well-known-uri; the index names one
file or archive a skill, with its SHA-256), and 0.1.0 before it (each skill's files by name).
"""

import hashlib
import ipaddress
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx2
import msgspec

from hermes_agent.domain.errors import DeniedError, HermesError, NotFoundError, UsageError
from hermes_agent.knowledge.skills.skill import FILE, MOST_BYTES, NAME
from hermes_agent.knowledge.skills.unpacking import MOST_FILES, MOST_TOTAL, inside, unpack

MOST_AT_ONCE = 20
MOST_LISTED = 500
_LONGEST_INDEX = 1024 * 1024
_SECONDS = 60.0
_REDIRECTS = 5
_PLACES = ("/.well-known/agent-skills/index.json", "/.well-known/skills/index.json")
_ARCHIVES = (".tar.gz", ".tgz", ".zip", ".tar")


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an index. `digest` is `sha256:HEX`; version 0.1 names `files` instead."""

    name: str
    description: str = ""
    type: str = "skill-md"
    url: str = ""
    digest: str = ""
    files: tuple[str, ...] = ()


class _Index(msgspec.Struct, frozen=True):
    skills: list[Any]


def browse(source: str) -> list[Offered]:
    """What the index at `source` offers; `source` is a host or the address of an index. Raises
    `HermesError`s."""
    with _Visit(source) as visit:
        return visit.index()[1]


def fetch_index(source: str, place: Path, only: str | None) -> None:
    """The skills of an index, or the one called `only`, each in a folder below `place`. Raises
    `HermesError`s: `DeniedError` for what is not what the index says."""
    with _Visit(source) as visit:
        base, offered = visit.index()
        chosen = [each for each in offered if only in (None, each.name)]
        if not chosen:
            which = "no skills" if only is None else f"no skill {only!r}"
            raise NotFoundError(f"{base} offers {which}.", hint=f"hermes skills browse {source}")
        if len(chosen) > MOST_AT_ONCE:
            raise UsageError(
                f"{base} offers {len(chosen)} skills, more than are installed at once.",
                hint=f"Choose one with --only NAME; see: hermes skills browse {source}",
            )
        for each in chosen:
            visit.take(base, each, place)


def fetch_archive(source: str, place: Path) -> None:
    """The files of an archive on the web, below `place`."""
    place.mkdir(parents=True)
    packed = place.parent / source.rpartition("/")[2]
    with _Visit(source) as visit:
        packed.write_bytes(visit.get(source, MOST_TOTAL)[1])
    unpack(packed, place)


def is_loopback(host: str) -> bool:
    """Whether it is this machine, by an address that nobody can give to another one."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Visit:
    """Requests that belong together: none goes to an address that nobody named, all together may
    take a minute and bring so many bytes."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._home = urlsplit(source).hostname or ""
        self._local = is_loopback(self._home)
        self._left = MOST_TOTAL
        self._until = time.monotonic() + _SECONDS
        self._client = httpx2.Client(
            trust_env=not self._local,
            timeout=httpx2.Timeout(_SECONDS / 3),
            headers={"accept-encoding": "identity", "user-agent": "hermes-agent"},
        )

    def __enter__(self) -> "_Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def index(self) -> tuple[str, list[Offered]]:
        """Where the index was found, and its entries; what is no entry is left out."""
        address, data = self._first_index()
        try:
            listed = msgspec.json.decode(data, type=_Index).skills
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NotFoundError(f"{address} is no index of skills: {error}") from error
        if len(listed) > MOST_LISTED:
            raise DeniedError(f"{address} lists {len(listed)} skills; at most {MOST_LISTED}.")
        offered: dict[str, Offered] = {}
        for value in listed:
            try:
                each = msgspec.convert(value, Offered)
            except msgspec.ValidationError:
                continue
            if NAME.fullmatch(each.name):
                offered.setdefault(each.name, each)
        return address, list(offered.values())

    def take(self, base: str, each: Offered, place: Path) -> None:
        """Fetch one skill into a folder of its name."""
        folder = inside(place, each.name)
        folder.mkdir(parents=True)
        if each.files:
            if len(each.files) > MOST_FILES or FILE not in each.files:
                raise DeniedError(f"{each.name}: the index names too many files, or no {FILE}.")
            for name in each.files:
                target = inside(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                address = urljoin(base, f"{quote(each.name)}/{quote(name)}")
                target.write_bytes(self.get(address, MOST_TOTAL)[1])
            return
        if each.type not in ("skill-md", "archive"):
            raise NotFoundError(f"{each.name} is of a kind that is not known here: {each.type!r}")
        address = urljoin(base, each.url)
        data = self.get(address, MOST_BYTES if each.type == "skill-md" else MOST_TOTAL)[1]
        _verify(each, data)
        if each.type == "skill-md":
            (folder / FILE).write_bytes(data)
            return
        path = urlsplit(address).path
        packed = place.parent / f"packed{next((e for e in _ARCHIVES if path.endswith(e)), '')}"
        packed.write_bytes(data)
        unpack(packed, folder)

    def get(self, address: str, most: int) -> tuple[str, bytes]:
        """The body at an address, after its redirects, and where it was. Raises `HermesError`."""
        return self._in_time(address, lambda: self._get(address, most))

    def _in_time(self, address: str, ask: Callable[[], tuple[str, bytes]]) -> tuple[str, bytes]:
        """A host may drip its headers too: no limit of a single read ends that."""
        answer: Future[tuple[str, bytes]] = Future()

        def work() -> None:
            try:
                answer.set_result(ask())
            except BaseException as error:  # noqa: BLE001  it is raised where it is waited for
                answer.set_exception(error)

        Thread(target=work, daemon=True).start()
        try:
            return answer.result(max(0.0, self._until - time.monotonic()))
        except FutureTimeout as error:
            raise HermesError(f"{address} did not come within {_SECONDS:.0f} seconds.") from error

    def _get(self, address: str, most: int) -> tuple[str, bytes]:
        for _ in range(_REDIRECTS + 1):
            self._guard(address)
            try:
                with self._client.stream("GET", address, follow_redirects=False) as response:
                    if response.is_redirect:
                        address = urljoin(address, response.headers.get("location", ""))
                        continue
                    if response.status_code != 200:
                        raise NotFoundError(f"{address} answers with {response.status_code}.")
                    return address, self._body(address, response, min(most, self._left))
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise HermesError(f"{address} cannot be fetched: {error}") from error
        raise HermesError(f"{self._source} redirects more than {_REDIRECTS} times.")

    def _body(self, address: str, response: httpx2.Response, most: int) -> bytes:
        parts: list[bytes] = []
        length = 0
        for part in response.iter_raw():
            parts.append(part)
            length += len(part)
            if length > most:
                raise DeniedError(f"{address} is longer than {most} bytes.")
            if time.monotonic() > self._until:
                raise HermesError(f"{address} did not come within {_SECONDS:.0f} seconds.")
        self._left -= length
        return b"".join(parts)

    def _first_index(self) -> tuple[str, bytes]:
        if urlsplit(self._source).path.strip("/"):
            return self.get(self._source, _LONGEST_INDEX)
        for place in _PLACES:
            try:
                return self.get(urljoin(self._source, place), _LONGEST_INDEX)
            except NotFoundError:
                continue
        raise NotFoundError(
            f"{self._source} offers no skills at {' or '.join(_PLACES)}.",
            hint="If it is a git repository, let the address end in .git.",
        )

    def _guard(self, address: str) -> None:
        """https only, and no address inside of a network: an index must not make this machine
        ask what its author cannot. The host that the person named is as it is."""
        parts = urlsplit(address)
        host = parts.hostname or ""
        local = self._local and is_loopback(host)
        if parts.username or parts.password:
            raise DeniedError("An address with a password in it is not fetched.")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise DeniedError(f"{_shown(address)} is not fetched: only https is.")
        if local or host == self._home:
            return
        try:
            found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
        except OSError as error:
            raise HermesError(f"{host} is not known: {error.strerror}") from error
        if not all(ipaddress.ip_address(each[4][0]).is_global for each in found):
            raise DeniedError(f"{_shown(address)} is not fetched: it lies inside of a network.")


def _verify(each: Offered, data: bytes) -> None:
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", each.digest):
        raise DeniedError(f"{each.name}: the index gives no SHA-256 of it.")
    if hashlib.sha256(data).hexdigest() != each.digest.removeprefix("sha256:"):
        raise DeniedError(f"{each.name} is not what its index says: the digest differs.")


def _shown(address: str) -> str:
    return address[:200]
