"""Who answers a job's questions before dangerous commands: nobody, or the configuration."""

from hermes_agent.config.schema import Config
from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.ports import Asker


class Consent:
    """Fills the `Asker` port where `approvals.cron_mode` is `approve`: yes, this once."""

    async def approve(self, request: ApprovalRequest) -> Approval:
        """Yes. What is always forbidden never comes here."""
        return "once"

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        """Nobody answers."""
        return None


def cron_asker(config: Config) -> Asker | None:
    """The asker of all jobs; None denies every question."""
    return Consent() if config.approvals.cron_mode == "approve" else None
