"""The way to whoever can be asked just now."""

from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.ports import Asker


class Switchboard:
    """An `Asker` that passes on to the one connected; with nobody there the answer is no."""

    def __init__(self) -> None:
        self._asker: Asker | None = None

    def connect(self, asker: Asker | None) -> None:
        """From now on this one is asked, or nobody."""
        self._asker = asker

    async def approve(self, request: ApprovalRequest) -> Approval:
        """The person's decision, or `deny`."""
        return await self._asker.approve(request) if self._asker else "deny"

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        """The person's words, or None."""
        return await self._asker.clarify(question, choices) if self._asker else None
