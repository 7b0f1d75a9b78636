"""Mail that no person wrote for us and that must not be answered: RFC 3834, 2919 and 3464."""

import re
from collections.abc import Callable, Sequence

from hermes_agent.platforms.email.threads import is_ours

OUR_MARK = "X-Hermes-Agent"

_LISTS = ("List-Id", "List-Unsubscribe", "List-Post", "List-Help")
_ROBOT = re.compile(
    r"(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?|majordomo|listserv|owner-.*"
    r"|.*-(?:request|bounces?|owner))",
    re.I,
)
_SUPPRESS = re.compile(r"\b(?:all|autoreply|oof)\b", re.I)


def machine(values: Callable[[str], Sequence[str]], sender: str, own: str) -> str | None:
    """Why this mail is not a person's, in a few words; None for what may be one. `values` gives
    all headers of a name, `sender` is the author's address, `own` is ours."""
    if sender == own:
        return "it is our own"
    if any(is_ours(each.strip(), own) for each in values("Message-ID")):
        return "it is one of ours that came back"
    if values(OUR_MARK):
        return "an agent like us wrote it"
    if any(own in each.lower() for each in values("X-Loop")):
        return "it has been here before"
    for each in values("Auto-Submitted"):
        if each.partition(";")[0].strip().lower() not in ("no", ""):
            return "it was sent automatically"
    for each in values("Precedence"):
        if each.strip().lower() in ("bulk", "list", "junk", "auto_reply"):
            return "it is bulk mail"
    for name in _LISTS:
        if values(name):
            return "it came through a list"
    if values("X-Auto-Response-Suppress") and _SUPPRESS.search(
        " ".join(values("X-Auto-Response-Suppress"))
    ):
        return "it wants no automatic answer"
    if values("X-Autoreply") or values("X-Autorespond"):
        return "it was sent automatically"
    if any(each.strip() in ("<>", "") for each in values("Return-Path")):
        return "it is a notice of a mail system"
    if any("multipart/report" in each.lower() for each in values("Content-Type")):
        return "it is a notice of a mail system"
    if _ROBOT.fullmatch(sender.partition("@")[0]):
        return "its sender is a machine"
    return None
