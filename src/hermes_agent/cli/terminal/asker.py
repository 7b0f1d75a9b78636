"""Asking the person at the terminal, with panels."""

from collections.abc import Awaitable, Callable

from hermes_agent.cli.terminal.panel import Option, Panel
from hermes_agent.domain.asking import Approval, ApprovalRequest

_LABELS: dict[Approval, tuple[str, str]] = {
    "once": ("o", "once"),
    "session": ("s", "for this session"),
    "always": ("a", "always"),
    "deny": ("d", "deny"),
}
MAX_LINES = 12

Ask = Callable[[Panel, float | None], Awaitable[str | None]]


class TerminalAsker:
    """Fills the `Asker` port. `ask` shows a panel; no answer in time is a denial."""

    def __init__(self, ask: Ask, *, approval_timeout: float, clarify_timeout: float) -> None:
        self._ask = ask
        self._approval_timeout = approval_timeout
        self._clarify_timeout = clarify_timeout

    async def approve(self, request: ApprovalRequest) -> Approval:
        """The person's decision."""
        lines = request.subject.splitlines() or [""]
        if len(lines) > MAX_LINES:
            lines = [*lines[:MAX_LINES], f"… {len(lines) - MAX_LINES} more lines"]
        panel = Panel(
            f"May {request.tool} do this? {request.reason}",
            "\n".join(lines),
            tuple(Option(*_LABELS[choice], choice) for choice in request.choices),
            selected=len(request.choices) - 1,  # Enter alone never allows anything
        )
        answer = await self._ask(panel, self._approval_timeout)
        return answer if answer in request.choices else "deny"

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        """The person's choice or words."""
        options = tuple(Option("", choice, choice) for choice in choices)
        panel = Panel("The agent asks", question, options, free_text=True)
        return await self._ask(panel, self._clarify_timeout)
