"""Questions to a person: approvals and clarifications."""

from typing import Literal

import msgspec

Approval = Literal["once", "session", "always", "deny"]


class ApprovalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """May this run? `rule` is the stable key that `session` and `always` are remembered by."""

    tool: str
    subject: str
    reason: str
    rule: str
    choices: tuple[Approval, ...] = ("once", "session", "always", "deny")
