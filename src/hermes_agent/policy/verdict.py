"""What the rules say about a command."""

from typing import Literal

import msgspec

Action = Literal["pass", "ask", "block"]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command would run. Absolute paths as commands there see them.

    `contained`: a container of its own, where the machine is not at stake; only the rules that
    protect the agent's own policy count there.
    """

    home: str
    hermes_home: str
    cwd: str
    contained: bool = False


class Reason(msgspec.Struct, frozen=True):
    """Why a command is asked about or blocked.

    `rule` is the stable key by which `session` and `always` remember the answer; `sentence` is
    for people and models; `excerpt` is the part of the command meant. Not `lasting`: the answer
    holds for this once or this session, never for always.
    """

    rule: str
    sentence: str
    excerpt: str = ""
    lasting: bool = True


class Verdict(msgspec.Struct, frozen=True):
    """`reasons` are those of `action`, empty for `pass`. `command` is the text to show and to
    run, which differs from what was handed in where that held invisible characters."""

    action: Action
    reasons: tuple[Reason, ...]
    command: str
