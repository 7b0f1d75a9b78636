"""How the daemon is, in a line and in figures."""

import time
from typing import TYPE_CHECKING

from hermes_agent.ledger.port import Counts

if TYPE_CHECKING:
    from hermes_agent.gateway.app import Gateway


class Report:
    """Looks at one life of the daemon."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    @property
    def uptime(self) -> float:
        """Seconds since this life began."""
        return time.time() - self._gateway.started

    async def counts(self) -> Counts:
        """How full the boxes are."""
        return await self._gateway.desk.do(lambda ledger: ledger.counts())

    async def line(self) -> str:
        """For a chat."""
        counts = await self.counts()
        platforms = ", ".join(
            f"{name} {connection.state.state}"
            for name, connection in self._gateway.connections.items()
        )
        waiting = counts.inbox.get("waiting", 0)
        dead = counts.inbox.get("dead", 0) + counts.outbox.get("dead", 0)
        parts = [
            f"Up {_span(self.uptime)}",
            platforms or "no platforms",
            f"{len(self._gateway.turns)} working, {waiting} waiting",
        ]
        if dead:
            parts.append(f"{dead} given up (hermes gateway queue)")
        return "; ".join(parts)

    def status(self) -> str:
        """For the service manager: one short sentence."""
        states = [c.state.state for c in self._gateway.connections.values()]
        up, turns = states.count("connected"), len(self._gateway.turns)
        return f"{up} of {len(states)} platforms connected, {turns} turns running"


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
