"""The line under the input: what goes on, model, tokens, context, cost, time."""

import msgspec

from hermes_agent.cli.terminal.lines import count, elapsed
from hermes_agent.cli.terminal.safe import one_line
from hermes_agent.cli.terminal.width import fit, width

STOP = "Ctrl-C stops"
MIN_ACTIVITY = 20


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the chat stands. Tokens of the last request, of the session; seconds; the cost in words.

    `activity` is empty when nothing runs; `since` is then the session's age, else the turn's.
    """

    model: str
    activity: str
    since: float
    context: int
    window: int
    sent: int
    received: int
    cost: str
    yolo: bool
    queued: int


def status_line(standing: Standing, columns: int) -> tuple[str, str]:
    """What is going on and everything else, together in one line of `columns`.

    Where there is too little room, the least important parts go first.
    """
    s = standing
    share = f" {100 * s.context / s.window:.0f}%" if s.window else ""
    parts = {
        "yolo": "YOLO" if s.yolo else "",
        "queued": f"{s.queued} queued" if s.queued else "",
        "stop": STOP if s.activity else "",
        "time": elapsed(s.since),
        "model": one_line(s.model),
        "context": f"{count(s.context)}/{count(s.window)}{share}" if s.context else "",
        "tokens": f"↑{count(s.sent)} ↓{count(s.received)}" if s.received else "",
        "cost": s.cost,
    }
    shown = [name for name, text in parts.items() if text]
    needed = MIN_ACTIVITY if s.activity else 0
    for name in ("cost", "tokens", "context", "model", "stop", "queued", "time"):
        if width(_joined(parts, shown)) + needed <= columns:
            break
        if name in shown:
            shown.remove(name)
    rest = _joined(parts, shown)
    if not s.activity:
        return "", fit(rest, columns)
    room = max(columns - width(rest) - 3, 0)
    return fit(f" ● {fit(one_line(s.activity), room)}", columns), rest


def _joined(parts: dict[str, str], shown: list[str]) -> str:
    order = ("stop", "model", "context", "tokens", "cost", "time", "queued", "yolo")
    text = " · ".join(parts[name] for name in order if name in shown)
    return f" · {text}" if "stop" in shown else f" {text}"
