"""What of a conversation is kept, and what a summary has to stand for.

The result has four parts: the beginning (`head`), a summary of the middle, the person's words of
the turn on its way (`pinned`), and the end (`tail`). Shares of the room that messages may take:
head 1/20, summary with its lists 1/4, pinned 3/20, tail 9/20.
"""

from collections.abc import Callable, Sequence

import msgspec

from hermes_agent.context.compaction.groups import Group, split
from hermes_agent.context.compaction.measure import expected, factor, weigh
from hermes_agent.context.compaction.rules import Rules, limit_of
from hermes_agent.context.compaction.shortening import Shortener
from hermes_agent.domain.messages import Message

LONGEST_SUMMARY = 12_000
LEAST_ROOM = 1_000
ENOUGH = 0.6
"""Thinned to this share of the room, no summary is needed."""
_HEAD, _SUMMARY, _PINNED, _LAST, _TAIL = 0.05, 0.15, 0.15, 0.3, 0.45
_HEAD_MESSAGES = 3
_PIN = 60
_BY_HAND = 4
_WORTHWHILE = 300
_GAIN = 0.9


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`middle` is everything that the summary stands for, in order and whole; without it no
    summary is needed. `earlier` is the summary that stood there before. `thinned` is the whole
    conversation with old results thinned, for want of a summary; empty where that gains little.
    `tokens` is the room of all messages after, `summary_tokens` that of the summary's text, both
    by our own estimate."""

    head: tuple[Message, ...] = ()
    earlier: Message | None = None
    middle: tuple[Message, ...] = ()
    pinned: tuple[Message, ...] = ()
    tail: tuple[Message, ...]
    thinned: tuple[Message, ...] = ()
    tokens: int
    summary_tokens: int


def make_plan(
    messages: Sequence[Message],
    *,
    rules: Rules,
    window: int,
    fixed: int,
    said_by_person: Callable[[Message], bool],
    shortener: Shortener,
    since: int | None = None,
    by_hand: bool = False,
) -> Plan | None:
    """How to bring these messages well under the limit; None where nothing can be gained.

    `fixed` is the estimated rest of the request, `since` the id of the message that began the
    turn on its way. `by_hand` keeps as little as makes sense.
    """
    scale = factor(messages, fixed)
    room = int((limit_of(window, int(fixed * scale), rules.threshold) - fixed * scale) / scale)
    if room < LEAST_ROOM or not messages or messages[-1].summary:
        return None
    groups = split(messages)
    total = expected(messages, fixed) / scale - fixed
    wanted = min(int(window * rules.threshold * rules.target_ratio / scale), int(room * _TAIL))
    count = rules.protect_last_n
    if by_hand:
        wanted, count = min(wanted, int(total) // 4), _BY_HAND
    start = _tail_start(groups, count=count, wanted=wanted, most=int(room * _TAIL))
    old = [tuple(map(shortener.thinned, group)) for group in groups[:start]]
    thin = tuple(message for group in (*old, *groups[start:]) for message in group)
    if not by_hand and old != groups[:start] and _weight(thin) <= room * ENOUGH:
        return Plan(tail=thin, tokens=room, summary_tokens=0)
    plan = _with_summary(
        groups,
        start,
        room=room,
        since=since,
        said_by_person=said_by_person,
        shortener=shortener,
    )
    if plan is None or (by_hand and _weight(plan.middle) < _WORTHWHILE):
        return None
    gains = _weight(thin) < _weight(messages) * _GAIN
    return msgspec.structs.replace(plan, thinned=thin if gains else ())


def _tail_start(groups: Sequence[Group], *, count: int, wanted: int, most: int) -> int:
    """The first group of the end. The last is always in it; a summary never is."""
    start = len(groups) - 1
    taken, size = len(groups[start]), min(_weight(groups[start]), int(most * _LAST / _TAIL))
    while start > 0:
        group = groups[start - 1]
        after = size + _weight(group)
        fits = after <= wanted or (taken + len(group) <= count and after <= most)
        if not fits or any(message.summary for message in group):
            break
        start, taken, size = start - 1, taken + len(group), after
    return start


def _with_summary(
    groups: Sequence[Group],
    start: int,
    *,
    room: int,
    since: int | None,
    said_by_person: Callable[[Message], bool],
    shortener: Shortener,
) -> Plan | None:
    before = [message for group in groups[:start] for message in group]
    head = _head(before, int(room * _HEAD), said_by_person)
    rest = before[len(head) :]
    earlier = next((message for message in reversed(rest) if message.summary), None)
    middle = [message for message in rest if message is not earlier]
    everything = [message for group in groups for message in group]
    pinned = _pins(everything, middle, since, said_by_person)
    last = groups[-1]
    share = int(room * _LAST) // len(last)
    short_last = (
        tuple(shortener.shortened(message, share) for message in last)
        if _weight(last) > room * _LAST
        else last
    )
    lost = [
        was
        for was, now in zip(last, short_last, strict=True)
        if was is not now and was.role != "tool"
    ]
    if not middle and not lost:
        if short_last is last:
            return None
        kept = [*before, *(m for group in groups[start:-1] for m in group), *short_last]
        return Plan(tail=tuple(kept), tokens=room, summary_tokens=0)
    tail = [message for group in groups[start:-1] for message in group]
    return Plan(
        head=tuple(head),
        earlier=earlier,
        middle=(*middle, *lost),
        pinned=_fitting(pinned, int(room * _PINNED), shortener),
        tail=(*tail, *short_last),
        tokens=room,
        summary_tokens=min(LONGEST_SUMMARY, int(room * _SUMMARY)),
    )


def _head(
    before: Sequence[Message], most: int, said_by_person: Callable[[Message], bool]
) -> Sequence[Message]:
    """How the conversation began: the first exchange, or the first message, or nothing."""
    for place, message in enumerate(before):
        if message.summary:
            # Chosen once: what stands before the summary stays as it is.
            return before[:place] if _weight(before[:place]) <= most else ()
    if not before or not said_by_person(before[0]):
        return ()
    exchange = before[:1]
    for place, message in enumerate(before[1:_HEAD_MESSAGES], 1):
        if message.role == "assistant" and not message.tool_calls:
            exchange = before[: place + 1]
            break
        if message.role != "user":
            break
    for part in (exchange, before[:1]):
        if _weight(part) <= most:
            return part
    return ()


def _pins(
    messages: Sequence[Message],
    summarised: Sequence[Message],
    since: int | None,
    said_by_person: Callable[[Message], bool],
) -> list[Message]:
    """What the person said in the turn on its way, as far as the summary would swallow it: the
    turn is known by these messages."""
    going = {id(message) for message in summarised}
    place = next((i for i, m in enumerate(messages) if m.id is not None and m.id == since), None)
    said = () if place is None else messages[place:]
    return [message for message in said if id(message) in going and said_by_person(message)]


def _fitting(pins: Sequence[Message], most: int, shortener: Shortener) -> tuple[Message, ...]:
    """The pins in their room: what began the turn, and what was said last."""
    if _weight(pins) <= most:
        return tuple(pins)
    count = max(2, most // _PIN)
    if len(pins) > count:
        pins = [pins[0], *pins[1 - count :]]
    share = most // len(pins)
    return tuple(shortener.shortened(message, share) for message in pins)


def _weight(messages: Sequence[Message]) -> int:
    return sum(map(weigh, messages))
