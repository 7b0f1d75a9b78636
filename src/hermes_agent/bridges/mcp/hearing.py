"""How a server tells that what it offers has changed, in each revision of the protocol.

Until 2025-11-25 it sends notifications by itself; from 2026-07-28 on the client asks for them.
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client.session import IncomingMessage, MessageHandlerFnT

    from hermes_agent.bridges.mcp.link import Signals

_PAUSE = 5.0


def hearer(signals: "Signals") -> "MessageHandlerFnT":
    """What takes the server's notifications."""
    from mcp_types import (
        PromptListChangedNotification,
        ResourceListChangedNotification,
        ToolListChangedNotification,
    )

    changes = (
        ToolListChangedNotification,
        ResourceListChangedNotification,
        PromptListChangedNotification,
    )

    async def heard(message: "IncomingMessage") -> None:
        if isinstance(message, changes):
            signals.changed.set()
        # Without this a server that never stops talking would leave nobody else a turn.
        await asyncio.sleep(0)

    return heard


async def heed(client: "Client", signals: "Signals") -> None:
    """Ask for changes where the server has to be asked, as long as the connection lives."""
    from mcp.client.subscriptions import SubscriptionLost
    from mcp.shared.exceptions import MCPError
    from mcp_types.version import MODERN_PROTOCOL_VERSIONS

    if client.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return
    while True:
        try:
            async with client.listen(
                tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True
            ) as events:
                async for _ in events:
                    signals.changed.set()
        except (SubscriptionLost, TimeoutError):
            pass
        except MCPError:
            return  # it does not tell
        await asyncio.sleep(_PAUSE)
        # What was said meanwhile was missed.
        signals.changed.set()
