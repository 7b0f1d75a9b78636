"""What the command line asked of a chat."""

from typing import Any

import msgspec


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asked for; None and empty leave it to the configuration."""

    model: str | None = None
    provider: str | None = None
    toolsets: tuple[str, ...] = ()
    max_turns: int | None = None
    yolo: bool = False
    verbose: bool = False
    personality: str | None = None
    local: bool = False
    interactive: bool = False
    pass_session_id: bool = False

    def flags(self) -> dict[str, Any]:
        """As configuration keys."""
        return {
            "model.default": self.model,
            "model.provider": self.provider,
            "agent.max_turns": self.max_turns,
            "display.personality": self.personality,
            "platform_toolsets.cli": self.toolsets or None,
            "display.tool_progress": "verbose" if self.verbose else None,
            "approvals.mode": "off" if self.yolo else None,
        }
