"""Whether a call comes from who knows the route's secret.

Four schemes, by the headers that are there: GitHub (X-Hub-Signature-256: HMAC-SHA256 of the body),
GitLab (X-Gitlab-Token: the secret itself), Standard Webhooks (webhook-id, webhook-timestamp,
webhook-signature), and a plain one: X-Webhook-Signature is the HMAC-SHA256 of the body in
hexadecimal, or of `<timestamp>.<body>` where X-Webhook-Timestamp stands beside it.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping

from hermes_agent.config.secret import Secret

TOLERANCE = 300
"""Seconds that a signed time may be off."""


def genuine(secret: Secret, headers: Mapping[str, str], body: bytes, now: float = 0.0) -> bool:
    """Whether the call is signed with the secret, and, where it tells its time, recently."""
    key, now = secret.reveal().encode(), now or time.time()
    if (given := headers.get("x-hub-signature-256")) is not None:
        return given.startswith("sha256=") and _same(given[7:], _hex(key, body))
    if (given := headers.get("x-webhook-signature")) is not None:
        stamp = headers.get("x-webhook-timestamp")
        if stamp is not None:
            body = f"{stamp}.".encode() + body
        fresh = stamp is None or _recent(stamp, now)
        return _same(given.removeprefix("sha256="), _hex(key, body)) and fresh
    if (given := headers.get("webhook-signature")) is not None:
        return _standard(key, given, headers, body, now)
    if (given := headers.get("x-gitlab-token")) is not None:
        return hmac.compare_digest(given.encode(), key)
    return False


def _standard(key: bytes, given: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if key.startswith(b"whsec_"):
        try:
            key = base64.b64decode(key[6:], validate=True)
        except binascii.Error:
            return False
    signed = hmac.digest(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)
    wanted = f"v1,{base64.b64encode(signed).decode()}"
    # No short cut: every one is compared, whichever fits.
    fits = [_same(each, wanted) for each in given.split()[:10]]
    return bool(name) and any(fits) and _recent(stamp, now)


def _recent(stamp: str, now: float) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    return abs(now - int(stamp)) <= TOLERANCE


def _hex(key: bytes, body: bytes) -> str:
    return hmac.digest(key, body, hashlib.sha256).hex()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
