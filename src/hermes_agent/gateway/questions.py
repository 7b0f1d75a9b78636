"""Questions to people in chats: asked as messages, answered by button, by word, or not at all."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable

from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.chats import Button, Target
from hermes_agent.policy.admission.people import RIGHTS, Role, shown_name

_LABELS: dict[str, str] = {
    "once": "Allow once",
    "session": "This session",
    "always": "Always",
    "deny": "Deny",
}
_BACKTICKS = re.compile("`+")
_WORDS: dict[str, Approval] = {
    "approve": "once",
    "yes": "once",
    "y": "once",
    "allow": "once",
    "ok": "once",
    "session": "session",
    "always": "always",
    "deny": "deny",
    "no": "deny",
    "n": "deny",
}

Ask = Callable[[Target, str, tuple[Button, ...]], Awaitable[None]]
"""Puts a question into a chat."""


class Question:
    """One open question. `key` is the conversation it belongs to, `target` where it was put;
    `tools`: what is answered goes to an agent with tools."""

    def __init__(
        self,
        key: str,
        target: Target,
        choices: tuple[str, ...],
        *,
        free: bool,
        grant: bool,
        tools: bool,
    ) -> None:
        self.id = secrets.token_hex(4)
        self.key = key
        self.target = target
        self.choices = choices
        self.free = free
        self.grant = grant
        self.tools = tools
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def of(self, key: str) -> bool:
        """Whether it is asked in this conversation, or in the background of it."""
        return self.key == key or self.key.startswith(f"{key}:background:")

    def open_to(self, key: str, role: Role) -> bool:
        """Whether people of this role may answer it from the conversation of this key: an approval
        needs the grant, anything else those whom the agent is talking with, and none that have
        fewer rights than the one it works for."""
        if self.grant:
            return "approve" in RIGHTS[role]
        return self.of(key) and ("tools" in RIGHTS[role] or not self.tools)


class Questions:
    """All open questions of the daemon."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._open: dict[str, Question] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def put(self, question: Question, text: str, timeout: float) -> str | None:
        """Ask, and wait for at most `timeout` seconds. None when nobody answered."""
        self._open[question.id] = question
        buttons = tuple(
            Button(_label(choice), f"q:{question.id}:{number}")
            for number, choice in enumerate(question.choices)
        )
        try:
            await self._ask(question.target, text, buttons)
            async with asyncio.timeout(timeout):
                return await question.answer
        except TimeoutError:
            return None
        finally:
            self._open.pop(question.id, None)

    def find(self, value: str) -> tuple[Question, str] | None:
        """The question that a pressed button belongs to, with the choice; None when it is over
        or was never asked."""
        parts = value.split(":")
        if len(parts) != 3 or parts[0] != "q" or not parts[2].isdigit():
            return None
        question = self._open.get(parts[1])
        number = int(parts[2])
        if question is None or number >= len(question.choices):
            return None
        return question, question.choices[number]

    def pending(self, target: Target, key: str) -> Question | None:
        """The oldest open question of a chat that a word from the conversation of `key` can be
        meant for: its own go first, then approvals that others wait for."""
        here = [each for each in self._open.values() if each.target == target]
        own = (each for each in here if each.of(key))
        return next(own, next((each for each in here if each.grant), None))

    def by_word(self, target: Target, text: str, key: str) -> tuple[Question, str] | None:
        """The question that these words from the conversation of `key` answer, with the answer;
        None when they answer none."""
        question = self.pending(target, key)
        if question is None:
            return None
        word = text.strip().lower().strip(".!")
        if question.grant:
            choice = _WORDS.get(word)
            return None if choice is None or choice not in question.choices else (question, choice)
        for choice in question.choices:
            if choice.lower() == word:
                return question, choice
        if word.isdigit() and 1 <= int(word) <= len(question.choices):
            return question, question.choices[int(word) - 1]
        return (question, text.strip()) if question.free else None

    def answer(self, question: Question, answer: str) -> None:
        """Let the asker go on."""
        if not question.answer.done():
            question.answer.set_result(answer)


class ChatAsker:
    """The port `Asker` of one turn. `approver` is where somebody with the grant is, or None:
    then every approval is denied."""

    def __init__(
        self,
        questions: Questions,
        *,
        key: str,
        target: Target,
        approver: Target | None,
        may_always: bool,
        asked_by: str,
        approval_timeout: float,
        clarify_timeout: float,
        tools: bool = True,
    ) -> None:
        self._questions = questions
        self._key = key
        self._target = target
        self._approver = approver
        self._may_always = may_always
        self._asked_by = asked_by
        self._approval_timeout = approval_timeout
        self._clarify_timeout = clarify_timeout
        self._tools = tools

    async def approve(self, request: ApprovalRequest) -> Approval:
        """The decision of somebody with the grant; silence is `deny`."""
        if self._approver is None:
            return "deny"
        choices: tuple[Approval, ...] = tuple(
            choice for choice in request.choices if choice != "always" or self._may_always
        )
        question = Question(
            self._key, self._approver, choices, free=False, grant=True, tools=self._tools
        )
        text = _approval_text(request, choices, None if self._at_home else self._asked_by)
        answer = await self._questions.put(question, text, self._approval_timeout)
        given: Approval = "deny"
        for choice in choices:
            if choice == answer:
                given = choice
        return given

    @property
    def _at_home(self) -> bool:
        return self._approver == self._target

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        """The person's words, or None when nobody answered."""
        asked = Question(
            self._key, self._target, choices, free=True, grant=False, tools=self._tools
        )
        lines = [question, *(f"{n}. {choice}" for n, choice in enumerate(choices, 1))]
        return await self._questions.put(asked, "\n".join(lines), self._clarify_timeout)


def _approval_text(
    request: ApprovalRequest, choices: tuple[Approval, ...], asked_by: str | None
) -> str:
    longest = max(map(len, _BACKTICKS.findall(request.subject)), default=0)
    fence = "`" * max(3, longest + 1)
    allowing = [choice for choice in choices if choice != "deny"]
    words = ", ".join("/approve" if c == "once" else f"/approve {c}" for c in allowing)
    # A name can be chosen by anyone: it must not be able to write a line of this.
    name = shown_name(asked_by or "").replace("`", "'")
    who = f" (`{name}`)" if name else ""
    return (
        f"**May this run?**{who} {request.reason}\n\n{fence}\n{request.subject}\n{fence}\n\n"
        f"Answer by button, or with {words} or /deny. Silence is a no."
    )


def _label(choice: str) -> str:
    return _LABELS.get(choice, choice)[:40]
