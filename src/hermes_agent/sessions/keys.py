"""Which messages belong to one conversation.

Keys have the documented form, which other people's tools read:
`agent:main:<platform>:dm:<chat>[:<thread>]` and
`agent:main:<platform>:<type>:<chat>[:<thread>][:<user>]`.
"""

from hermes_agent.domain.chats import Origin

CONTROL = "!"
"""Ends the key of what must not wait for the session's turn: answers to its questions, `/stop`."""


def session_key(origin: Origin, *, per_user: bool) -> str:
    """The key of the conversation; with `per_user` each person of a group has one of their own."""
    parts = ["agent", "main", origin.platform, origin.chat_type, origin.chat_id]
    if origin.thread_id:
        parts.append(origin.thread_id)
    if origin.chat_type != "dm" and per_user and origin.user_id:
        parts.append(origin.user_id)
    return ":".join(parts)


def control_key(key: str) -> str:
    """The key of the lane beside the conversation."""
    return key + CONTROL
