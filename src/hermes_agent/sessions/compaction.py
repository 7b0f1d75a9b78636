"""When a conversation is shortened, by whom it is summarised, and what happens when that fails.

What is kept is decided in `context/compaction`; the change itself is `LiveSession.succeed`.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from hermes_agent.context.compaction.measure import expected, weigh_all, weigh_fixed
from hermes_agent.context.compaction.rules import Rules, limit_of
from hermes_agent.domain.errors import CapReached, ContextOverflow, HermesError
from hermes_agent.domain.events import Compacted, Compacting, NotCompacted
from hermes_agent.domain.messages import Message, Usage
from hermes_agent.domain.ports import Emit, Fitted, Model, Toolbox
from hermes_agent.domain.spending import Purpose
from hermes_agent.store.records import Failures, Session

if TYPE_CHECKING:
    from hermes_agent.context.compaction.plan import Plan

FIRST_WAIT = 300.0
LONGEST_WAIT = 6 * 3600.0
SMALLEST_WINDOW = 4_000
ANOTHER = "Another model can: hermes config set auxiliary.compression.model NAME"
IN_VAIN = "it was shortened before and still takes more room than it should"

_log = logging.getLogger(__name__)


class Compactor:
    """What all sessions of a process share. `summariser` gives the model that writes summaries;
    None lets the session's own do it, as far as it `can_summarise`. `timeout` is its longest
    silence in seconds, `redact` blanks secrets."""

    def __init__(
        self,
        *,
        enabled: bool,
        rules: Rules,
        summariser: Callable[[], Awaitable[Model | None]],
        redact: Callable[[str], str],
        timeout: float,
        can_summarise: Callable[[Model], bool] = lambda _: True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.enabled = enabled
        self.rules = rules
        self.summariser = summariser
        self.redact = redact
        self.timeout = timeout
        self.can_summarise = can_summarise
        self.clock = clock
        self._windows: dict[str, int] = {}

    def window(self, model: Model) -> int:
        """Of the model that is asked now, in tokens; smaller once a vendor said so."""
        return min(model.context_length, self._windows.get(model.name, model.context_length))

    def learn(self, model: Model, overflow: ContextOverflow, tokens: int) -> None:
        """A request of `tokens`, by our own count, was too long."""
        window = self.window(model)
        # By our count less went in than the vendor says it takes: then it is our count that counts.
        limit = min(overflow.limit or window, window, int(tokens * 0.9))
        self._windows[model.name] = max(limit, min(window, SMALLEST_WINDOW))


class Subject(Protocol):
    """The session that is shortened."""

    @property
    def model(self) -> Model: ...

    @property
    def toolbox(self) -> Toolbox: ...

    @property
    def row(self) -> Session: ...

    @property
    def system_sent(self) -> str: ...

    @property
    def history(self) -> tuple[Message, ...]: ...

    @property
    def turn_began(self) -> int | None: ...

    @property
    def failures(self) -> Failures: ...

    def metered(self, model: Model, purpose: Purpose) -> Model: ...

    async def spent(self, usage: Usage) -> None: ...

    async def compaction_failed(self, usage: Usage) -> None: ...

    async def succeed(self, kept: Sequence[Message]) -> None: ...


class SessionCompaction:
    """The port `Compaction` for one session. `before` is sent in front of its history."""

    def __init__(
        self,
        subject: Subject,
        compactor: Compactor,
        said_by_person: Callable[[Message], bool],
        before: Sequence[Message] = (),
    ) -> None:
        self._subject = subject
        self._compactor = compactor
        self._said_by_person = said_by_person
        self._before = tuple(before)
        self._fixed: int | None = None
        self._hopeless = 0

    @property
    def limit(self) -> int:
        """Tokens from which on the conversation is too long; 0 where it is never shortened."""
        compactor = self._compactor
        if not compactor.enabled or not compactor.can_summarise(self._subject.model):
            return 0
        window = compactor.window(self._subject.model)
        return limit_of(window, self._fixed_tokens(), compactor.rules.threshold)

    async def fit(
        self, messages: Sequence[Message], emit: Emit, overflow: ContextOverflow | None = None
    ) -> Fitted | None:
        """See `Compaction.fit`."""
        compactor, model = self._compactor, self._subject.model
        if not compactor.enabled or not compactor.can_summarise(model):
            return None
        tokens = expected(messages[len(self._before) :], self._fixed_tokens())
        if overflow is not None:
            compactor.learn(model, overflow, tokens)
            return await self._shorten(emit, tokens)
        if tokens < self.limit or tokens <= self._hopeless or self._waits():
            return None
        if self._in_vain():
            await self._failed(IN_VAIN, None, emit)
            return None
        return await self._shorten(emit, tokens)

    async def by_hand(self, emit: Emit, focus: str = "") -> Fitted | None:
        """Shorten it now, whatever failed before. None when there is nothing to gain."""
        model = self._subject.model
        if not self._compactor.can_summarise(model):
            emit(NotCompacted(reason=f"{model.name} cannot write summaries", hint=ANOTHER))
            return self._fitted(changed=False, usage=Usage())
        tokens = expected(self._subject.history, self._fixed_tokens())
        return await self._shorten(emit, tokens, by_hand=True, focus=focus)

    async def _shorten(
        self, emit: Emit, tokens: int, *, by_hand: bool = False, focus: str = ""
    ) -> Fitted | None:
        from hermes_agent.context.compaction.notes import assembled
        from hermes_agent.sessions.summarising import Failure

        subject = self._subject
        plan = self._plan(by_hand=by_hand)
        if plan is None:
            self._hopeless = int(tokens * 1.1)
            return None
        if plan.middle and not by_hand and self._waits():
            return await self._thin(plan, tokens, emit)
        emit(Compacting(tokens=tokens, window=self._compactor.window(subject.model)))
        if not plan.middle:
            return await self._change(assembled(plan, None), tokens, 0, emit)
        try:
            summary = await self._summarised(plan, focus)
        except Failure as failure:
            if isinstance(failure.__cause__, CapReached):
                return await self._forbidden(failure.__cause__, failure.usage, emit, by_hand)
            await self._failed(failure.reason, failure.hint, emit, failure.usage)
            thinned = await self._thin(plan, tokens, emit)
            return self._fitted(changed=thinned is not None, usage=failure.usage)
        kept = assembled(plan, summary)
        return await self._change(kept, tokens, len(plan.middle), emit, summary.usage)

    async def _forbidden(self, cap: CapReached, usage: Usage, emit: Emit, by_hand: bool) -> Fitted:
        """A cap on spending leaves all as it is, and the next try need not wait. The turn ends by
        it. Raises `CapReached`."""
        await self._subject.spent(usage)
        if not by_hand:
            raise cap
        emit(NotCompacted(reason=cap.message, hint=cap.hint))
        return self._fitted(changed=False, usage=Usage())

    async def _thin(self, plan: "Plan", tokens: int, emit: Emit) -> Fitted | None:
        """Without a summary old output can still go, which is lost to nobody."""
        if not plan.thinned:
            return None
        fitted = await self._change(list(plan.thinned), tokens, 0, emit)
        if not fitted.changed:
            return None
        # In the child too the next summary has to wait.
        await self._subject.compaction_failed(Usage())
        return fitted

    async def _change(
        self,
        kept: list[Message],
        tokens: int,
        summarised: int,
        emit: Emit,
        usage: Usage | None = None,
    ) -> Fitted:
        subject = self._subject
        parent = subject.row.id
        try:
            await subject.succeed(kept)
        except HermesError as error:
            # What cannot be stored now is not paid for again at the next step.
            self._hopeless = 2 * tokens
            with suppress(HermesError):
                await self._subject.compaction_failed(usage or Usage())
            emit(NotCompacted(reason=error.message, hint=error.hint))
            return self._fitted(changed=False, usage=usage or Usage())
        emit(
            Compacted(
                session_id=subject.row.id,
                parent_id=parent,
                title=subject.row.title,
                before=tokens,
                after=expected(subject.history, self._fixed_tokens()),
                summarised=summarised,
            )
        )
        return self._fitted(changed=True, usage=usage or Usage())

    def _plan(self, *, by_hand: bool) -> "Plan | None":
        from hermes_agent.context.compaction.plan import make_plan
        from hermes_agent.context.compaction.shortening import Shortener

        subject, compactor = self._subject, self._compactor
        return make_plan(
            subject.history,
            rules=compactor.rules,
            window=compactor.window(subject.model),
            fixed=self._fixed_tokens(),
            said_by_person=self._said_by_person,
            shortener=Shortener(subject.row.id, searchable=self._searchable()),
            since=subject.turn_began,
            by_hand=by_hand,
        )

    async def _summarised(self, plan: "Plan", focus: str) -> Message:
        """Raises `Failure`."""
        from hermes_agent.context.compaction.notes import notes_of, summary_message
        from hermes_agent.sessions.summarising import Failure, summarise

        compactor, subject = self._compactor, self._subject
        try:
            model = await compactor.summariser() or subject.model
        except HermesError as error:
            raise Failure(error.message, Usage(), error.hint) from error
        written, usage = await summarise(
            subject.metered(model, "compaction"),
            plan.middle,
            earlier=notes_of(plan.earlier),
            focus=focus,
            most=plan.summary_tokens,
            redact=compactor.redact,
            timeout=compactor.timeout,
        )
        return summary_message(
            plan,
            written,
            session_id=subject.row.id,
            searchable=self._searchable(),
            usage=usage,
            model=model.name,
        )

    async def _failed(
        self, reason: str, hint: str | None, emit: Emit, usage: Usage | None = None
    ) -> None:
        _log.warning("session %s was not shortened: %s", self._subject.row.id, reason)
        await self._subject.compaction_failed(usage or Usage())
        emit(NotCompacted(reason=reason, hint=hint))

    def _in_vain(self) -> bool:
        """Whether this is a child in which no request was short enough, and nothing had failed:
        another summary would only cost."""
        subject, limit = self._subject, self.limit
        if subject.row.parent_session_id is None or subject.failures.count:
            return False
        counted = [m.usage.input for m in subject.history if m.role == "assistant" and m.usage]
        return bool(counted) and min(counted) >= limit

    def _waits(self) -> bool:
        failures = self._subject.failures
        if not failures.count:
            return False
        wait = min(FIRST_WAIT * 2 ** (failures.count - 1), LONGEST_WAIT)
        # Also where the clock was set back meanwhile.
        return abs(self._compactor.clock() - failures.last) < wait

    def _fitted(self, *, changed: bool, usage: Usage) -> Fitted:
        return Fitted(
            messages=(*self._before, *self._subject.history),
            session_id=self._subject.row.id,
            changed=changed,
            usage=usage,
        )

    def _fixed_tokens(self) -> int:
        if self._fixed is None:
            specs = self._subject.toolbox.specs()
            self._fixed = weigh_fixed(self._subject.system_sent, specs)
            self._fixed += weigh_all(self._before)
        return self._fixed

    def _searchable(self) -> bool:
        return any(spec.name == "session_search" for spec in self._subject.toolbox.specs())
