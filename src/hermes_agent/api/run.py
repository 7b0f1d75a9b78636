"""One run: its turn, the events it told, the questions it waits with."""

import asyncio
import secrets
import time
from collections import deque
from typing import Any, NamedTuple

import msgspec

from hermes_agent.api.chat import closing
from hermes_agent.api.chat_wire import ChatUsage
from hermes_agent.api.refusal import Refusal
from hermes_agent.api.runs_wire import Decision, Question, Run, RunError
from hermes_agent.api.sse import event
from hermes_agent.api.turns import Turn
from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.events import (
    BudgetSpent,
    Event,
    Interrupted,
    MessageDone,
    Notice,
    ToolFinished,
    ToolOutput,
    ToolStarted,
    TurnEnded,
)
from hermes_agent.domain.model import ReasoningDelta, Retrying, TextDelta

MAX_EVENTS = 4096
MAX_BYTES = 512 * 1024


class Word(NamedTuple):
    """One event as it is sent."""

    number: int
    data: bytes


class Running:
    """A run in hand. It is an `Asker`: what the agent asks becomes an event, and waits."""

    def __init__(self, run: Run, turn: Turn, patience: float) -> None:
        self.run = run
        self.turn = turn
        self.events: deque[Word] = deque()
        self._size = 0
        self._patience = patience
        self._number = 0
        self._waiting: dict[str, asyncio.Future[Decision]] = {}
        self._changed = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.run.ended_at is not None

    def next_word(self) -> asyncio.Event:
        """Set when something is told that was not before this call."""
        return self._changed

    def say(self, name: str, data: dict[str, Any]) -> None:
        """Tell one event."""
        self._number += 1
        told = event({"run_id": self.run.id, **data}, name=name, number=self._number)
        self.events.append(Word(self._number, told))
        self._size += len(told)
        while len(self.events) > 1 and (len(self.events) > MAX_EVENTS or self._size > MAX_BYTES):
            self._size -= len(self.events.popleft().data)
        self._changed.set()
        self._changed = asyncio.Event()

    def tell(self, told: Event) -> None:
        """One event of the turn."""
        match told:
            case TextDelta(text=text):
                self.say("message.delta", {"delta": text})
            case ReasoningDelta(text=text):
                self.say("reasoning.delta", {"delta": text})
            case MessageDone(message=message) if message.role == "assistant":
                calls = [{"id": call.id, "name": call.name} for call in message.tool_calls]
                self.say("message.completed", {"content": message.content, "tool_calls": calls})
            case ToolStarted(call=call, summary=summary):
                data = {"call_id": call.id, "tool": call.name, "summary": summary}
                self.say("tool.started", data)
            case ToolOutput(call_id=call_id, text=text):
                self.say("tool.output", {"call_id": call_id, "text": text})
            case ToolFinished(result=result):
                data = {
                    "call_id": result.call_id,
                    "tool": result.name,
                    "status": result.status,
                    "summary": result.summary,
                    "duration": round(result.duration, 3),
                }
                self.say("tool.completed", data)
            case Retrying(reason=reason, delay=delay, attempt=attempt):
                self.say("retrying", {"reason": reason, "delay": delay, "attempt": attempt})
            case Notice(text=text):
                self.say("notice", {"text": text})
            case _:
                return

    def end(self, ended: TurnEnded) -> None:
        """The turn is over."""
        usage = ChatUsage.of(ended.usage)
        if isinstance(ended.ending, Interrupted):
            self.stopped(usage)
            return
        try:
            text, _ = closing(ended)
        except Refusal as refusal:
            self.fail(refusal, usage)
            return
        spent = isinstance(ended.ending, BudgetSpent)
        self._close(status="incomplete" if spent else "completed", output=text, usage=usage)

    def stopped(self, usage: ChatUsage | None = None) -> None:
        """Somebody ended it."""
        self._close(status="stopped", usage=usage)

    def fail(self, refusal: Refusal, usage: ChatUsage | None = None) -> None:
        """It could not go on."""
        error = RunError(code=refusal.code or "server_error", message=refusal.message)
        self._close(status="failed", error=error, usage=usage)

    def _close(self, **changes: Any) -> None:
        for waiting in self._waiting.values():
            waiting.cancel()
        self._change(ended_at=time.time(), questions=[], **changes)
        data = {
            "status": self.run.status,
            "output": self.run.output,
            "usage": self.run.usage,
            "error": self.run.error,
        }
        self.say(f"run.{self.run.status}", data)

    async def approve(self, request: ApprovalRequest) -> Approval:
        """See `Asker.approve`."""
        question = self._question(
            "approval",
            request.subject,
            choices=request.choices,
            tool=request.tool,
            reason=request.reason,
        )
        decision = await self._ask(question)
        return (decision.decision if decision else None) or "deny"

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        """See `Asker.clarify`."""
        decision = await self._ask(self._question("clarify", question, choices=choices))
        return decision.answer if decision else None

    def decide(self, decision: Decision) -> None:
        """Somebody answered. Raises `Refusal`."""
        question = self._meant(decision.question_id)
        if question.kind == "approval":
            if decision.decision is None or decision.decision not in question.choices:
                raise Refusal(
                    400,
                    f"decision must be one of: {', '.join(question.choices)}.",
                    param="decision",
                    code="invalid_value",
                )
        elif decision.answer is None:
            raise Refusal(400, "answer is missing.", param="answer", code="invalid_value")
        self._waiting[question.id].set_result(decision)

    def _meant(self, name: str | None) -> Question:
        open_ones = [each for each in self.run.questions if not self._waiting[each.id].done()]
        found = [each for each in open_ones if name in (None, each.id)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Refusal(
                400,
                "Several questions wait; name one as question_id.",
                param="question_id",
                code="invalid_value",
            )
        raise Refusal(409, "The run waits for no such answer.", code="not_waiting")

    def _question(self, kind: Any, text: str, **more: Any) -> Question:
        now = time.time()
        return Question(
            id=f"ask_{secrets.token_hex(8)}",
            kind=kind,
            text=text,
            asked_at=now,
            expires_at=now + self._patience,
            **more,
        )

    async def _ask(self, question: Question) -> Decision | None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[question.id] = waiting
        self._change(questions=[*self.run.questions, question], status="waiting_for_approval")
        self.say(f"{question.kind}.request", msgspec.to_builtins(question))
        decision: Decision | None = None
        try:
            async with asyncio.timeout(self._patience):
                decision = await waiting
        except TimeoutError:
            return None
        finally:
            del self._waiting[question.id]
            left = [each for each in self.run.questions if each.id != question.id]
            if not self.ended:
                self._change(questions=left, status="waiting_for_approval" if left else "running")
                answered = decision is not None
                told = {"id": question.id, "answered": answered}
                if question.kind == "approval":
                    told["decision"] = (decision.decision if decision else None) or "deny"
                self.say(f"{question.kind}.resolved", told)
        return decision

    def _change(self, **changes: Any) -> None:
        self.run = msgspec.structs.replace(self.run, **changes)
