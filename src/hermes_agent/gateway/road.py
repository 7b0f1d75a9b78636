"""What happens with a message in hand; each kind of entrance has a road of its own."""

from collections.abc import Sequence
from typing import Protocol

from hermes_agent.domain.chats import Outgoing
from hermes_agent.ledger.port import Claim


class Road(Protocol):
    """From a claimed message to what is sent for it."""

    async def travel(self, claim: Claim) -> Sequence[Outgoing]:
        """Do the work; what is returned is stored and the message settled, in one step.

        After a crash the same claim comes again. Raises `CancelledError` when the daemon drains:
        then the message stays where it is.
        """
        ...
