"""What was spent, in the words and tables that people get to see."""

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo

import msgspec

from hermes_agent.domain.spending import Sum
from hermes_agent.sessions.caps import Caps, Span, day_of, dollars, month_of
from hermes_agent.store.spending import SpendingStore, SpentSlice


class CostLine(msgspec.Struct, frozen=True, kw_only=True):
    """The calls of one model, entrance, purpose or day (`YYYY-MM-DD`). `usd` leaves out the
    `unknown` ones; the `estimated` ones are priced by a list."""

    name: str
    calls: int
    tokens: int
    usd: float
    estimated: int
    unknown: int

    @property
    def sum(self) -> Sum:
        """The same without its name."""
        return Sum(self.calls, self.usd, self.tokens, self.estimated, self.unknown)


class CapLine(msgspec.Struct, frozen=True, kw_only=True):
    """How a cap of a day or a month stands; `opens` is when its span is over, Unix seconds."""

    key: str
    cap: float
    spent: float
    left: float
    opens: float


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """The dearest first, days in order."""

    total: CostLine
    by_model: tuple[CostLine, ...]
    by_day: tuple[CostLine, ...]
    by_source: tuple[CostLine, ...]
    by_purpose: tuple[CostLine, ...]
    caps: tuple[CapLine, ...]


def costs_since(
    store: SpendingStore,
    caps: Caps,
    *,
    since: float,
    now: float,
    zone: tzinfo | None,
    source: str | None = None,
) -> Costs:
    """What was spent since a time, and what the caps leave from now on. Raises `StoreError`."""
    slices = store.spending(since=since, source=source)

    def day(each: SpentSlice) -> str:
        return f"{datetime.fromtimestamp(each.at, zone):%Y-%m-%d}"

    total = sum((each.sum for each in slices), Sum())
    return Costs(
        total=_line("", total),
        by_model=_lines(slices, lambda each: each.model),
        by_day=tuple(sorted(_lines(slices, day), key=lambda line: line.name)),
        by_source=_lines(slices, lambda each: each.source),
        by_purpose=_lines(slices, lambda each: each.purpose),
        caps=_caps(store, caps, now, zone),
    )


def told(spent: Sum) -> str:
    """A cost with how certain it is; empty where nothing was asked."""
    if not spent.calls:
        return ""
    if spent.unknown == spent.calls:
        return "unknown: nobody knows the price"
    if spent.unknown:
        return f"at least {dollars(spent.usd)}: the price of {spent.unknown} call(s) is unknown"
    if spent.estimated:
        return f"{dollars(spent.usd)}, estimated"
    return dollars(spent.usd)


def briefly(spent: Sum) -> str:
    """The same for a line with little room: `~` estimated, `?` not all of it known."""
    if not spent.calls or spent.unknown == spent.calls:
        return "$?" if spent.calls else ""
    sign = "?" if spent.unknown else ""
    return f"{'~' if spent.estimated else ''}{dollars(spent.usd)}{sign}"


def cap_told(line: CapLine) -> str:
    """A cap in words."""
    if line.key.endswith("_usd"):
        return f"{dollars(line.spent)} of {dollars(line.cap)}, {dollars(line.left)} left"
    return f"{int(line.spent):,} of {int(line.cap):,} tokens, {int(line.left):,} left"


def _lines(slices: Iterable[SpentSlice], name: Callable[[SpentSlice], str]) -> tuple[CostLine, ...]:
    sums: dict[str, Sum] = {}
    for each in slices:
        sums[name(each)] = sums.get(name(each), Sum()) + each.sum
    lines = [_line(key, spent) for key, spent in sums.items()]
    return tuple(sorted(lines, key=lambda line: (-line.usd, -line.tokens, line.name)))


def _line(name: str, spent: Sum) -> CostLine:
    return CostLine(
        name=name,
        calls=spent.calls,
        tokens=spent.tokens,
        usd=round(spent.usd, 6),
        estimated=spent.estimated,
        unknown=spent.unknown,
    )


def _caps(store: SpendingStore, caps: Caps, now: float, zone: tzinfo | None) -> tuple[CapLine, ...]:
    lines: list[CapLine] = []
    spans: tuple[tuple[Span, Callable[..., tuple[float, float]]], ...] = (
        ("day", day_of),
        ("month", month_of),
    )
    for span, period in spans:
        if not caps.watches(span):
            continue
        since, until = period(now, zone)
        spent = store.spent_between(since, until)
        for unit, cap, used in (
            ("usd", caps.usd(span), spent.usd),
            ("tokens", caps.tokens(span), spent.tokens),
        ):
            if cap:
                left = max(cap - used, 0)
                lines.append(
                    CapLine(
                        key=f"budget.{span}_{unit}",
                        cap=cap,
                        spent=round(used, 6),
                        left=round(left, 6),
                        opens=until,
                    )
                )
    return tuple(lines)
