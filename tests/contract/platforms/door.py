"""The gateway's side of the contract, for one test."""

import asyncio
import time
from collections.abc import Callable

from hermes_agent.domain.chats import Inbound, Origin
from hermes_agent.domain.errors import StoreError

PATIENCE = 20.0


async def until(true: Callable[[], object], what: str, *, seconds: float = PATIENCE) -> None:
    """Wait for it, and fail with `what` when it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        await asyncio.sleep(0.01)


class RecordingDoor:
    """Stores in memory. `facts` outlive it, as the ledger's do: hand them to the next door.

    `admitted` is the answer to strangers, `faults` how many times `accept` fails first, `stuck`
    lets it hang instead.
    """

    def __init__(self, facts: dict[str, str] | None = None) -> None:
        self.facts = {} if facts is None else facts
        self.admitted = True
        self.faults = 0
        self.stuck = False
        self.asked: list[tuple[Origin, bool]] = []
        self.attempts: list[Inbound] = []
        self.accepted: list[Inbound] = []

    async def admits(self, origin: Origin, *, addressed: bool, private_name: str = "") -> bool:
        self.asked.append((origin, addressed))
        return self.admitted and addressed

    async def accept(self, inbound: Inbound) -> None:
        self.attempts.append(inbound)
        if self.stuck:
            await asyncio.Event().wait()
        if self.faults:
            self.faults -= 1
            raise StoreError("the disk is full")
        if all(inbound.key != each.key for each in self.accepted):
            self.accepted.append(inbound)

    async def remember(self, key: str, value: str) -> None:
        self.facts[key] = value

    async def recall(self, key: str) -> str | None:
        return self.facts.get(key)

    async def heard(self, *texts: str) -> tuple[Inbound, ...]:
        """Everything that was accepted, once the last message says the last of these. Fails when
        they are not exactly these."""
        await until(
            lambda: self.accepted and self.accepted[-1].text == texts[-1],
            f"hear {texts[-1][:80]!r}",
        )
        assert [each.text for each in self.accepted] == list(texts)
        return tuple(self.accepted)
