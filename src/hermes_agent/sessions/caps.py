"""The caps on spending: how far they are, which one is reached, and what a person is told.

Days and months are those of the person's calendar. Whoever sets the clock back is in another day
and meets that day's sum: nothing is forgotten, and nothing that is dated later counts.
"""

from datetime import date, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

import msgspec

from hermes_agent.domain.errors import CapReached, PeriodCapReached
from hermes_agent.domain.spending import Sum

Span = Literal["turn", "session", "day", "month"]
SPANS: tuple[Span, ...] = ("turn", "session", "day", "month")


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars and tokens; 0 is no cap."""

    turn_usd: float = 0.0
    session_usd: float = 0.0
    day_usd: float = 0.0
    month_usd: float = 0.0
    turn_tokens: int = 0
    session_tokens: int = 0
    day_tokens: int = 0
    month_tokens: int = 0

    @property
    def in_money(self) -> bool:
        """Whether there is one that needs prices."""
        return any(self.usd(span) for span in SPANS)

    def usd(self, span: Span) -> float:
        """That of a span in US dollars."""
        return getattr(self, f"{span}_usd")

    def tokens(self, span: Span) -> int:
        """That of a span in tokens."""
        return getattr(self, f"{span}_tokens")

    def watches(self, span: Span) -> bool:
        """Whether a span has any."""
        return bool(self.usd(span) or self.tokens(span))


class Period(NamedTuple):
    """From `since` on and before `until`, Unix seconds."""

    since: float
    until: float


def day_of(now: float, zone: tzinfo | None) -> Period:
    """The day that `now` is in; `zone` None is the machine's own."""
    today = datetime.fromtimestamp(now, zone).date()
    return Period(_midnight(today, zone), _midnight(today + timedelta(days=1), zone))


def month_of(now: float, zone: tzinfo | None) -> Period:
    """The calendar month that `now` is in."""
    first = datetime.fromtimestamp(now, zone).date().replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(_midnight(first, zone), _midnight(following, zone))


def _midnight(day: date, zone: tzinfo | None) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A cap that forbids further calls. `opens` is when it does so no more; None when only
    another turn or session helps."""

    span: Span
    in_money: bool
    cap: float
    spent: Sum
    opens: float | None = None

    @property
    def key(self) -> str:
        """In config.yaml."""
        return f"budget.{self.span}_{'usd' if self.in_money else 'tokens'}"


def reached(
    caps: Caps, spent: dict[Span, Sum], ends: dict[Span, float], *, in_money: bool
) -> Reached | None:
    """The cap that forbids a call: of those that are reached, the one for the longest span. `ends`
    says when a span is over."""
    for span in reversed(SPANS):
        cap = caps.usd(span) if in_money else caps.tokens(span)
        sum_ = spent.get(span, Sum())
        if cap and (sum_.usd if in_money else sum_.tokens) >= cap:
            return Reached(span=span, in_money=in_money, cap=cap, spent=sum_, opens=ends.get(span))
    return None


def refusal(found: Reached, zone: tzinfo | None, raising: str) -> CapReached:
    """What a person is told; `raising` says how the cap is raised, `{key}` standing for it."""
    used = found.spent.usd if found.in_money else found.spent.tokens
    what = f"{_amount(used, found)} of {_amount(found.cap, found)}"
    if found.span == "turn":
        message = f"This turn may take no more: {what} is spent ({found.key})."
        way = "Go on in a new turn"
    elif found.span == "session":
        message = f"This session may take no more: {what} is spent ({found.key})."
        way = "Begin a new session"
    else:
        message = f"The cap for this {found.span} is reached: {what} is spent ({found.key})."
        opens = datetime.fromtimestamp(found.opens or 0.0, zone)
        way = f"It opens again on {opens:%Y-%m-%d} at {opens:%H:%M}"
    hint = f"{way}, or raise it: {raising.format(key=found.key)}"
    kind = CapReached if found.span in ("turn", "session") else PeriodCapReached
    return kind(message, cap=found.key, hint=hint)


def _amount(value: float, found: Reached) -> str:
    return dollars(value) if found.in_money else f"{int(value):,} tokens"


def dollars(value: float) -> str:
    """An amount for people: cents, and more digits below ten cents."""
    fine = f"${value:.4f}"
    return f"${value:,.2f}" if value >= 0.1 or fine.endswith("00") else fine
