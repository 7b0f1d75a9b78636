"""Signatures, held to the examples of those who define them."""

import base64
import hashlib
import hmac

import pytest

from hermes_agent.config.secret import Secret
from hermes_agent.platforms.webhook.signature import TOLERANCE, genuine

NOW = 1_700_000_000.0


def test_githubs_own_example_is_genuine() -> None:
    # docs.github.com, "Validating webhook deliveries": the values given there for testing.
    headers = {
        "x-hub-signature-256": (
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        )
    }
    assert genuine(Secret("It's a Secret to Everybody"), headers, b"Hello, World!")
    assert not genuine(Secret("It's a Secret to Everybody"), headers, b"Hello, World?")
    assert not genuine(Secret("another"), headers, b"Hello, World!")


def test_the_example_of_standard_webhooks_is_genuine() -> None:
    # The test values of the specification's reference libraries.
    secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    assert genuine(secret, headers, body, 1614265330.0)
    assert genuine(secret, headers, body, 1614265330.0 + TOLERANCE)
    assert not genuine(secret, headers, body, 1614265331.0 + TOLERANCE)
    assert not genuine(secret, headers, body, 1614265329.0 - TOLERANCE)
    assert not genuine(secret, headers | {"webhook-id": "msg_other"}, body, 1614265330.0)
    several = headers | {"webhook-signature": f"v1,AAAA v1a,BBBB {headers['webhook-signature']}"}
    assert genuine(secret, several, body, 1614265330.0)


@pytest.mark.parametrize("stamp", ["", "soon", "1700000000.5", "-1700000000", "9" * 400, "¹"])
def test_a_time_that_is_none_is_not_genuine(stamp: str) -> None:
    signed = hmac.new(b"s", f"{stamp}.{{}}".encode(), hashlib.sha256).hexdigest()
    headers = {"x-webhook-signature": signed, "x-webhook-timestamp": stamp}
    assert not genuine(Secret("s"), headers, b"{}", NOW)


def test_a_plain_secret_may_stand_where_whsec_is_usual() -> None:
    signed = base64.b64encode(hmac.new(b"s", b"1.1700000000.{}", hashlib.sha256).digest()).decode()
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": f"v1,{signed}",
    }
    assert genuine(Secret("s"), headers, b"{}", NOW)


def test_without_a_header_nothing_is_genuine() -> None:
    assert not genuine(Secret("s"), {}, b"")
