"""One call, read: which event it is, what it carries, and what makes it the same call again."""

import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec

from hermes_agent.platforms.listener import Answer
from hermes_agent.platforms.webhook.template import find

WINDOW = 3600.0
"""Seconds in which the same body is the same call, where the caller names no id."""

MAX_SEEN = 4096
_FORM = "application/x-www-form-urlencoded"
_IDS = ("x-github-delivery", "idempotency-key", "webhook-id")


def payload_of(headers: Mapping[str, str], body: bytes) -> object:
    """The JSON that came, also where GitHub wraps it into a form. Raises `Answer` (400)."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        try:
            body = parse_qs(body.decode(), max_num_fields=16)["payload"][0].encode()
        except (ValueError, KeyError):
            raise Answer(400, "The form has no field `payload`.") from None
    try:
        payload: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Answer(400, "The body is no JSON.") from None
    if not isinstance(payload, dict | list):
        raise Answer(400, "The body is neither an object nor a list.")
    return payload  # pyright: ignore[reportUnknownVariableType]  JSON of strangers


def event_of(headers: Mapping[str, str], payload: object) -> tuple[str, frozenset[str]]:
    """The event's name, and all names under which a route may list it, in lower case: for a
    GitHub call also with its action, such as `pull_request.opened`."""
    fields = [find(payload, name) for name in ("event", "event_type", "object_kind", "type")]
    named = [headers.get("x-github-event"), headers.get("x-gitlab-event"), *fields]
    names = [each for each in named if isinstance(each, str) and each]
    event = names[0] if names else ""
    action = find(payload, "action")
    if event and isinstance(action, str):
        names.append(f"{event}.{action}")
    return event, frozenset(each.lower() for each in names)


class Seen:
    """Gives each call its key. The ledger remembers the keys; this remembers for an hour which
    bodies came without an id, since the same body tomorrow is another call."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def key(self, route: str, headers: Mapping[str, str], body: bytes) -> str:
        """The same for a call that is made again."""
        named = next((headers[name] for name in _IDS if headers.get(name)), None)
        if named is not None:
            return f"{route}/{_digest(named.encode())}"
        now = time.time()
        while self._bodies:
            first = next(iter(self._bodies.values()))
            if first[0] > now - WINDOW and len(self._bodies) <= MAX_SEEN:
                break
            self._bodies.popitem(last=False)
        digest = f"{route}/{_digest(body)}"
        # The hour stands in the key so that after a restart, too, the ledger knows it again.
        _, key = self._bodies.setdefault(digest, (now, f"{digest}@{int(now // WINDOW)}"))
        return key


class Rate:
    """At most `count` calls a minute."""

    def __init__(self, count: int) -> None:
        self._times: deque[float] = deque(maxlen=count)

    def wait(self) -> int:
        """Takes a place; 0, or the seconds after which there is one."""
        now = time.monotonic()
        full = len(self._times) == self._times.maxlen
        if full and (left := self._times[0] + 60 - now) > 0:
            return int(left) + 1
        self._times.append(now)
        return 0


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
