"""The server process: `python -m hermes_agent.providers.embedded.serve`.

Takes the lock, goes into the background, loads the model, writes its address, and leaves when
nobody has wanted anything for a while. The inference library answers requests on threads of
its own; this process only watches.
"""

import argparse
import contextlib
import fcntl
import importlib
import os
import secrets
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from hermes_agent.providers.embedded.address import Address, Holder, Meeting, started

TAKEN = 75
"""Exit status when another server holds the lock (EX_TEMPFAIL)."""

LOG_LIMIT = 1_000_000


def main() -> None:
    """Serve until idle, told to stop, or robbed of the state file."""
    options = _options()
    meeting = Meeting(options.folder)
    lock = _take(meeting.lock)
    if lock is None:
        sys.exit(TAKEN)
    meeting.state.unlink(missing_ok=True)
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    me = Holder(pid=os.getpid(), started=started(os.getpid()))
    os.truncate(lock, 0)
    os.write(lock, msgspec.json.encode(me))
    log = os.open(meeting.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if options.runtime:
        sys.path.append(options.runtime)
    key = secrets.token_urlsafe(32)
    server = _load(options.model, context=options.context, key=key)
    address = Address(
        pid=me.pid,
        started=me.started,
        url=server.listening_address,
        key=key,
        model=options.model,
        context=options.context,
    )

    def leave(*_: object) -> NoReturn:
        if _is_ours(meeting, address):
            meeting.state.unlink(missing_ok=True)
        # The library's own threads may be in the middle of an answer: nothing to wait for.
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    _publish(meeting.state, address)
    _watch(meeting, address, idle=options.idle)
    leave()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hermes-local-server")
    parser.add_argument("--model", required=True, help="a GGUF file")
    parser.add_argument("--folder", required=True, type=Path, help="where lock and state live")
    parser.add_argument("--context", type=int, default=16384, help="tokens")
    parser.add_argument("--idle", type=float, default=600.0, help="seconds without a request")
    parser.add_argument("--runtime", default="", help="a folder that holds the library")
    return parser.parse_args()


def _take(path: Path) -> int | None:
    """The lock, kept open; None when another server lives.

    A client that only looks holds the lock for an instant, hence the patience.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    patience = time.monotonic() + 1.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > patience:
                os.close(descriptor)
                return None
            time.sleep(0.02)
        else:
            return descriptor


def _load(model: str, *, context: int, key: str) -> Any:
    # By name: it has no types, and is there only with the extra.
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_ctx = context
    # One slot: requests queue, so that a second one neither halves the speed nor the context.
    params.n_parallel = 1
    params.n_batch = 512
    params.cache_ram_mib = 256
    params.warmup = False
    params.ui = False
    params.verbosity = 1
    return xllamacpp.Server(params)


def _publish(path: Path, address: Address) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(address))
    fresh.replace(path)


def _is_ours(meeting: Meeting, address: Address) -> bool:
    try:
        return msgspec.json.decode(meeting.state.read_bytes(), type=Address) == address
    except (OSError, msgspec.DecodeError):
        return False


def _watch(meeting: Meeting, address: Address, *, idle: float) -> None:
    """Return once nobody has asked for `idle` seconds, or the state file is not ours."""
    wanted = time.time()
    while _is_ours(meeting, address):
        with contextlib.suppress(OSError):
            # A clock set back leaves a time in the future, which would keep us for ever.
            wanted = max(wanted, min(meeting.used.stat().st_mtime, time.time()))
        if _busy(address):
            wanted = time.time()
        if time.time() - wanted > idle:
            return
        with contextlib.suppress(OSError):
            if meeting.log.stat().st_size > LOG_LIMIT:
                os.truncate(meeting.log, 0)
        time.sleep(min(2.0, idle / 4))


def _busy(address: Address) -> bool:
    """Whether an answer is being computed; the server's own account of its slots."""
    request = urllib.request.Request(  # noqa: S310  our own loopback address
        f"{address.url}/slots", headers={"Authorization": f"Bearer {address.key}"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            slots = msgspec.json.decode(answer.read(), type=list[dict[str, Any]])
    except TimeoutError:
        return True  # too busy to answer
    except (OSError, msgspec.DecodeError):
        return False
    return any(slot.get("is_processing") for slot in slots)


if __name__ == "__main__":
    main()
