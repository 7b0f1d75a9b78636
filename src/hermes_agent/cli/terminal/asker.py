"""Asking the person at the terminal, with panels."""

from collections.abc import Awaitable, Callable

from hermes_agent.cli.terminal.panel import Option, Panel
from hermes_agent.cli.terminal.safe import clean, visible
from hermes_agent.domain.asking import Approval, ApprovalRequest

_LABELS: dict[Approval, tuple[str, str]] = {
    "once": ("o", "once"),
    "session": ("s", "for this session"),
    "always": ("a", "always"),
    "deny": ("d", "deny"),
}
MAX_LINES = 12
MAX_CHARS = 2_000

Ask = Callable[[Panel, float | None], Awaitable[str | None]]


class TerminalAsker:
    """Fills the `Asker` port. `ask` shows a panel; no answer in time is a denial."""

    def __init__(self, ask: Ask, *, approval_timeout: float, clarify_timeout: float) -> None:
        self._ask = ask
        self._approval_timeout = approval_timeout
        self._clarify_timeout = clarify_timeout

    async def approve(self, request: ApprovalRequest) -> Approval:
        """The person's decision."""
        panel = Panel(
            f"May {visible(request.tool)} do this? {visible(request.reason)}",
            _bounded(visible(request.subject)),
            tuple(Option(*_LABELS[choice], choice) for choice in request.choices),
            selected=len(request.choices) - 1,  # Enter alone never allows anything
            silence="denied",
        )
        answer = await self._ask(panel, self._approval_timeout)
        return answer if answer in request.choices else "deny"

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        """The person's choice or words."""
        options = tuple(Option("", " ".join(clean(choice).split()), choice) for choice in choices)
        panel = Panel(
            "The agent asks", clean(question), options, free_text=True, silence="goes on without"
        )
        return await self._ask(panel, self._clarify_timeout)


def _bounded(text: str) -> str:
    """Beginning and end: what a long command does last matters as much as what it does first."""
    lines: list[str] = []
    for line in text.splitlines() or [""]:
        if len(line) > MAX_CHARS:
            left_out = len(line) - MAX_CHARS
            half = MAX_CHARS // 2
            line = f"{line[:half]} … {left_out} characters … {line[-half:]}"
        lines.append(line)
    if len(lines) <= MAX_LINES:
        return "\n".join(lines)
    half = MAX_LINES // 2
    return "\n".join([*lines[:half], f"… {len(lines) - 2 * half} more lines …", *lines[-half:]])
