"""Mail that is never answered."""

import pytest

from hermes_agent.platforms.email.headers import Headers
from hermes_agent.platforms.email.machines import machine

OWN = "hermes@example.test"


def _why(head: str, sender: str = "anna@example.org") -> str | None:
    return machine(Headers(head.encode()).all, sender, OWN)


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; x=y",
        "auto-submitted: Auto-Notified",
        "Precedence: bulk",
        "Precedence: LIST",
        "Precedence: auto_reply",
        "List-Id: <x.example.org>",
        "List-Unsubscribe: <mailto:x>",
        "X-Auto-Response-Suppress: DR, AutoReply",
        "X-Autoreply: yes",
        "X-Loop: Hermes@example.test",
        "X-Hermes-Agent: 1",
        "Return-Path: <>",
        "Content-Type: multipart/report; report-type=delivery-status",
    ],
)
def test_what_a_machine_sent_is_left_alone(head: str) -> None:
    assert _why(f"Subject: x\r\n{head}\r\n\r\n") is not None


@pytest.mark.parametrize(
    "sender",
    [
        OWN,
        "mailer-daemon@example.org",
        "Postmaster@example.org".lower(),
        "no-reply@example.org",
        "noreply@example.org",
        "friends-request@example.org",
        "owner-friends@example.org",
    ],
)
def test_some_senders_are_machines_by_their_name(sender: str) -> None:
    assert _why("Subject: x\r\n\r\n", sender) is not None


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: no",
        "Precedence: first-class",
        "Return-Path: <anna@example.org>",
        "X-Loop: other@example.org",
        "Content-Type: multipart/mixed",
    ],
)
def test_what_a_person_sent_may_be_read(head: str) -> None:
    assert _why(f"{head}\r\n\r\n") is None
