"""Where no person can be asked."""

from hermes_agent.domain.asking import Approval, ApprovalRequest


class NobodyToAsk:
    """Fills the `Asker` port for runs without a person: every question is answered with no."""

    async def approve(self, request: ApprovalRequest) -> Approval:
        """No."""
        return "deny"

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        """Nobody answers."""
        return None
