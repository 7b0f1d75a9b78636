"""Roles, and ids in the one form in which they are compared."""

from typing import Literal

Role = Literal["owner", "user", "guest"]
Right = Literal["talk", "tools", "approve", "administer"]

RIGHTS: dict[Role, frozenset[Right]] = {
    "owner": frozenset({"talk", "tools", "approve", "administer"}),
    "user": frozenset({"talk", "tools"}),
    "guest": frozenset({"talk"}),
}
"""`tools`: the platform's own toolsets instead of `GUEST_TOOLSETS`. `approve`: answer questions
before dangerous commands. `administer`: /sethome, /update, /restart and their like."""

GUEST_TOOLSETS = ("safe", "todo", "clarify")
"""What a guest's session gets: nothing that reads or changes the machine."""

OPEN = frozenset({"webhook", "homeassistant"})
"""Platforms whose messages carry their own proof; each is admitted."""

FORGEABLE = frozenset({"email", "irc", "sms"})
"""Platforms where a sender can be imitated: nobody becomes owner there without being named."""

_FOLDED = frozenset({"email", "irc"})
MAX_ID = 200


def person_id(platform: str, user_id: str) -> str:
    """The id as it is compared. Ids are exact but for platforms that ignore case themselves."""
    bare = user_id.strip()
    return bare.lower() if platform in _FOLDED else bare


def shown_name(name: str) -> str:
    """A name that somebody chose, fit for a file and a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in name[:200]).split())[:64]
