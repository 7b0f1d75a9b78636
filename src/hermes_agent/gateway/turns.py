"""The turns that run now: who may be stopped, steered, or waited for."""

import asyncio
import time

from hermes_agent.agent.control import Control
from hermes_agent.ledger.port import Claim
from hermes_agent.policy.admission.people import RIGHTS, Role


class ActiveTurn:
    """One turn on its way, for somebody of this `role`. `steered` maps the turns said into it to
    their inbox rows; `touched` is when something last happened."""

    def __init__(self, claim: Claim, session_id: str, role: Role) -> None:
        self.claim = claim
        self.role: Role = role
        self.session_id = session_id
        self.control = Control()
        self.began = self.touched = time.monotonic()
        self.doing = "thinking"
        self.steered: dict[str, int] = {}
        self.timed_out = False

    async def watch(self, limit: float) -> None:
        """Stop the turn when nothing happened in it for `limit` seconds; 0 is no limit."""
        while limit > 0:
            left = self.touched + limit - time.monotonic()
            if left <= 0:
                self.timed_out = True
                self.control.stop()
                return
            await asyncio.sleep(left)

    def open_to(self, role: Role) -> bool:
        """Whether people of that role may speak into it, or end it: their words would work with
        its tools."""
        return "tools" in RIGHTS[role] or "tools" not in RIGHTS[self.role]

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.began


class ActiveTurns:
    """By session key; there is one at most for each."""

    def __init__(self) -> None:
        self._turns: dict[str, ActiveTurn] = {}

    def begin(self, key: str, claim: Claim, session_id: str, role: Role) -> ActiveTurn:
        """A turn begins."""
        turn = self._turns[key] = ActiveTurn(claim, session_id, role)
        return turn

    def end(self, key: str) -> None:
        """It has ended."""
        self._turns.pop(key, None)

    def get(self, key: str) -> ActiveTurn | None:
        """The turn of a session, if one runs."""
        return self._turns.get(key)

    def __len__(self) -> int:
        return len(self._turns)

    def all(self) -> list[ActiveTurn]:
        """All that run, the oldest first."""
        return sorted(self._turns.values(), key=lambda turn: turn.began)
