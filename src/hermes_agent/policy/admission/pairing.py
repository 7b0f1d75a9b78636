"""Pairing by code: a stranger gets one, the owner types it into `hermes pairing approve`."""

import hmac
import secrets
import time
from collections.abc import Callable

import msgspec

from hermes_agent.domain.errors import HermesError, NotFoundError
from hermes_agent.policy.admission.files import (
    Approved,
    ApprovedEntry,
    Limits,
    PairingFiles,
    Pending,
    PendingEntry,
    Strangers,
    TornFile,
    seconds,
)
from hermes_agent.policy.admission.people import Role, person_id, shown_name

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, O, 1 and I, which people mistake for each other."""

CODE_LENGTH = 8
CODE_SECONDS = 3600.0
MAX_PENDING = 3
REQUEST_SECONDS = 600.0
MAX_FAILURES = 5
LOCK_SECONDS = 3600.0
MAX_STRANGERS = 50
_MAX_REQUESTS = 200
_TRACE_SECONDS = 60.0
_TRACE_PAUSE = 1.0


class PairingLocked(HermesError):
    """Too many wrong codes."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was given out, for people."""

    platform: str
    code: str
    user_id: str
    user_name: str
    created_at: float
    expires_at: float


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was approved."""

    platform: str
    user_id: str
    user_name: str
    approved_at: float
    role: Role


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody unknown who wrote, and when last."""

    platform: str
    user_id: str
    seen_at: float


class PairingBook:
    """What `pairing/` says. Safe to use from several threads and processes."""

    def __init__(self, files: PairingFiles, clock: Callable[[], float] = time.time) -> None:
        self._files = files
        self._clock = clock
        self._known: dict[str, tuple[object, dict[str, Role]]] = {}
        self._trace: Strangers | None = None
        self._traced_at = 0.0
        self._untraced = False

    def roles(self, platform: str) -> dict[str, Role]:
        """The roles of paired people by id, as the file says now. Raises `TornFile`."""
        path = self._files.approved(platform)
        stamp = self._files.stamp(path)
        cached = self._known.get(platform)
        if cached is None or cached[0] != stamp:
            entries = self._files.read(path, Approved) or {}
            roles: dict[str, Role] = {
                person_id(platform, key): entry.role for key, entry in entries.items()
            }
            cached = self._known[platform] = (stamp, roles)
        return cached[1]

    def everyone(self) -> dict[tuple[str, str], Role]:
        """The roles of all paired people by platform and id. Raises `TornFile`."""
        return {
            (platform, person): role
            for platform in self._files.platforms()
            for person, role in self.roles(platform).items()
        }

    def request(self, platform: str, user_id: str, user_name: str) -> str | None:
        """A code for a stranger, or None: asked too soon, too many wait, the lock is on.

        A code that is still good for half its time is given again. Raises `HermesError` where
        nothing can be written.
        """
        now = self._clock()
        user_id = person_id(platform, user_id)
        with self._files.locked():
            limits = self._limits(now)
            if limits is None:
                return None
            asked = limits.requests.setdefault(platform, {})
            last = asked.get(user_id)
            if limits.locked.get(platform, 0.0) > now:
                return None
            if last is not None and last <= now < last + REQUEST_SECONDS:
                return None
            pending = self._pending(platform, now)
            own = next((c for c, entry in pending.items() if entry.user_id == user_id), None)
            if own is None and len(pending) >= MAX_PENDING:
                return None
            if own and seconds(pending[own].created_at) + CODE_SECONDS / 2 < now:
                del pending[own]
                own = None
            if own is None:
                own = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
                pending[own] = PendingEntry(user_id, shown_name(user_name), now)
                self._files.write(self._files.pending(platform), pending)
            asked[user_id] = now
            limits.requests[platform] = _newest(asked, _MAX_REQUESTS)
            self._files.write(self._files.limits, limits)
            return own

    def approve(self, platform: str, code: str, role: Role = "user") -> Paired:
        """Let in whoever has the code. Raises `NotFoundError`, `PairingLocked`, `TornFile`."""
        now = self._clock()
        given = code.strip().upper()
        with self._files.locked():
            limits = self._limits(now)
            if limits is None:
                raise PairingLocked(
                    f"{self._files.limits} cannot be read, so no code is taken for an hour.",
                    hint="Remove the file if you know why it is torn.",
                )
            if (until := limits.locked.get(platform, 0.0)) > now:
                raise PairingLocked(
                    f"Too many wrong codes: no code for {platform} is taken for another "
                    f"{int((until - now) // 60) + 1} minutes."
                )
            pending = self._pending(platform, now)
            found = [c for c in pending if hmac.compare_digest(c.encode(), given.encode())]
            if not found:
                raise self._failed(platform, limits, now)
            path = self._files.approved(platform)
            approved = self._files.read(path, Approved) or {}
            entry = pending.pop(found[0])
            approved[entry.user_id] = ApprovedEntry(entry.user_name, now, role)
            self._files.write(path, approved)
            self._files.write(self._files.pending(platform), pending)
            if limits.failures.pop(platform, None):
                self._files.write(self._files.limits, limits)
            return _paired(platform, entry.user_id, approved[entry.user_id])

    def revoke(self, platform: str, user_id: str) -> Paired:
        """Take back an approval. Raises `NotFoundError`, `TornFile`."""
        wanted = person_id(platform, user_id)
        with self._files.locked():
            path = self._files.approved(platform)
            approved = self._files.read(path, Approved) or {}
            keys = [key for key in approved if person_id(platform, key) == wanted]
            if not keys:
                raise NotFoundError(
                    f"Nobody with the id {user_id} is paired on {platform}.",
                    hint="See who is: hermes pairing list",
                )
            gone = [approved.pop(key) for key in keys]
            self._files.write(path, approved)
            return _paired(platform, wanted, gone[0])

    def clear_pending(self) -> int:
        """Forget all codes that wait; how many there were."""
        count = 0
        with self._files.locked():
            for platform in self._files.platforms():
                path = self._files.pending(platform)
                if self._files.stamp(path) is None:
                    continue
                count += len(self._pending(platform, self._clock()))
                self._files.write(path, {})
        return count

    def waiting(self) -> tuple[Waiting, ...]:
        """All codes that are good now, the oldest first."""
        now = self._clock()
        found = [
            Waiting(
                platform=platform,
                code=code,
                user_id=entry.user_id,
                user_name=shown_name(entry.user_name),
                created_at=seconds(entry.created_at),
                expires_at=seconds(entry.created_at) + CODE_SECONDS,
            )
            for platform in self._files.platforms()
            for code, entry in self._pending(platform, now).items()
        ]
        return tuple(sorted(found, key=lambda each: each.created_at))

    def paired(self) -> tuple[Paired, ...]:
        """Everybody who was approved. Raises `TornFile`."""
        return tuple(
            _paired(platform, user_id, entry)
            for platform in self._files.platforms()
            for user_id, entry in (
                self._files.read(self._files.approved(platform), Approved) or {}
            ).items()
        )

    def note_stranger(self, platform: str, user_id: str) -> None:
        """Leave a trace of somebody unknown: id and time, the newest `MAX_STRANGERS` a platform.

        Writes at most once a second, and nothing at all for someone who wrote a moment ago.
        Raises `HermesError` where nothing can be written.
        """
        now = self._clock()
        if self._trace is None:
            self._trace = self._read_trace()
        seen = self._trace.setdefault(platform, {})
        known = seen.get(user_id)
        if known is None or not known <= now < known + _TRACE_SECONDS:
            seen[user_id] = now
            self._trace[platform] = _newest(seen, MAX_STRANGERS)
            self._untraced = True
        if not self._untraced or self._traced_at <= now < self._traced_at + _TRACE_PAUSE:
            return
        self._traced_at = now
        with self._files.locked():
            self._files.write(self._files.strangers, self._trace)
        self._untraced = False

    def strangers(self) -> tuple[Stranger, ...]:
        """Who left a trace, the latest first."""
        found = [
            Stranger(platform=platform, user_id=user_id, seen_at=at)
            for platform, seen in self._read_trace().items()
            for user_id, at in seen.items()
        ]
        return tuple(sorted(found, key=lambda each: -each.seen_at))

    def _read_trace(self) -> Strangers:
        try:
            return self._files.read(self._files.strangers, Strangers) or {}
        except TornFile:
            return {}

    def _pending(self, platform: str, now: float) -> Pending:
        """Codes that are good now. A torn file holds none: they are asked for again."""
        try:
            found = self._files.read(self._files.pending(platform), Pending) or {}
        except TornFile:
            return {}
        return {
            code: entry
            for code, entry in found.items()
            if seconds(entry.created_at) <= now < seconds(entry.created_at) + CODE_SECONDS
        }

    def _limits(self, now: float) -> Limits | None:
        """What is counted. None while a torn file may have held a lock."""
        try:
            found = self._files.read(self._files.limits, Limits) or Limits()
        except TornFile:
            stamp = self._files.stamp(self._files.limits)
            torn_at = stamp[0] / 1e9 if stamp else now
            return None if now < torn_at + LOCK_SECONDS else Limits()
        found.locked = {name: at for name, at in found.locked.items() if at <= now + LOCK_SECONDS}
        return found

    def _failed(self, platform: str, limits: Limits, now: float) -> HermesError:
        failures = [at for at in limits.failures.get(platform, []) if at > now - LOCK_SECONDS]
        failures.append(now)
        limits.failures[platform] = failures
        if len(failures) >= MAX_FAILURES:
            limits.locked[platform] = now + LOCK_SECONDS
            del limits.failures[platform]
        self._files.write(self._files.limits, limits)
        left = MAX_FAILURES - len(failures)
        return NotFoundError(
            f"No such code is waiting on {platform}.",
            hint="See which are: hermes pairing list."
            + (f" {left} more tries." if left else " No code is taken for an hour now."),
        )


def _paired(platform: str, user_id: str, entry: ApprovedEntry) -> Paired:
    return Paired(
        platform=platform,
        user_id=user_id,
        user_name=shown_name(entry.user_name),
        approved_at=seconds(entry.approved_at),
        role=entry.role,
    )


def _newest(times: dict[str, float], most: int) -> dict[str, float]:
    return dict(sorted(times.items(), key=lambda item: item[1])[-most:])
