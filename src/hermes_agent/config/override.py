"""What flags and session commands may still change where a declaration manages the home."""

from typing import Any, cast

from hermes_agent.config.secret_names import looks_secret

FREE = ("model", "agent.reasoning_effort", "display")
"""A person may choose these whatever is declared."""

NARROWING = (
    "toolsets",
    "platform_toolsets",
    "agent.max_turns",
    "budget",
    "agent.disabled_toolsets",
)
"""A person may only ask for less of these."""

FINAL = (
    "approvals",
    "security",
    "terminal.backend",
    "mcp_servers",
    "budget",
    "command_allowlist",
    "terminal.env_passthrough",
    "unauthorized_dm_behavior",
)
"""Only the declaration (or config.yaml, where the declaration is silent) decides these."""

GATE = (
    "approvals",
    "security",
    "command_allowlist",
    "terminal.backend",
    "terminal.env_passthrough",
    "unauthorized_dm_behavior",
    # What costs nothing reaches no cap.
    "budget.prices",
)
"""What decides about the agent. Where the home is declared, config.yaml, which the agent's own
user may write, has no say in it."""

_EVERYTHING = ("all", "*", "hermes-cli")


def under(key: str, roots: tuple[str, ...]) -> bool:
    """Whether a dotted key is one of these or lies below one."""
    return any(key == root or key.startswith(root + ".") for root in roots)


def is_gate(path: tuple[str | int, ...]) -> bool:
    """Whether this setting decides who may talk or what may run.

    Of a platform's own settings all do that are no secrets: lists of people, who vouches for a
    sender, which addresses are listened on.
    """
    parts = tuple(map(str, path))
    if parts[:1] == ("platforms",) and parts[2:3] == ("extra",):
        return not looks_secret(parts[-1])
    return under(".".join(parts), GATE)


def may_override(key: str, declared: Any, wanted: Any) -> bool:
    """Whether a flag may set `key` to `wanted` where the effective value is `declared`."""
    if under(key, NARROWING):
        return _narrower(key, declared, wanted)
    return under(key, FREE)


def _narrower(key: str, declared: Any, wanted: Any) -> bool:
    if key == "agent.disabled_toolsets":
        return set(_words(declared)) <= set(_words(wanted))
    if under(key, ("budget.prices",)):
        return False
    if under(key, ("budget",)):
        # 0 is no cap at all.
        return isinstance(wanted, int | float) and 0 < wanted <= (declared or wanted)
    if isinstance(wanted, int | float):
        return declared is None or wanted <= declared
    if isinstance(wanted, list | tuple):
        allowed = set(_words(declared))
        return bool(allowed & set(_EVERYTHING)) or set(_words(wanted)) <= allowed
    return False


def _words(value: Any) -> list[str]:
    return [str(each) for each in cast("list[object]", value or [])]
