"""The one-line forms: a tool call with its duration, a diff, an ending, a duration, a count."""

import msgspec

from hermes_agent.cli.terminal.safe import clean, one_line
from hermes_agent.cli.terminal.style import Colour, paint
from hermes_agent.cli.terminal.width import fit, width
from hermes_agent.domain.events import BudgetSpent, Failed, Interrupted, TurnEnded
from hermes_agent.domain.messages import CallStatus, ToolResult
from hermes_agent.domain.model import Retrying

_MARKS: dict[CallStatus, tuple[str, Colour]] = {
    "ok": ("✓", "green"),
    "error": ("✗", "red"),
    "denied": ("⊘", "yellow"),
    "interrupted": ("■", "yellow"),
}
MAX_DIFF_LINES = 40


class _Fault(msgspec.Struct, frozen=True):
    error: str = ""


def tool_line(result: ToolResult, summary: str, *, colour: bool, columns: int | None = None) -> str:
    """`✓ terminal  ls -la  0.1 s`, cut to `columns` where given; below it why it failed."""
    mark, hue = _MARKS[result.status]
    name = one_line(result.name)
    text = one_line(result.summary or summary)
    # A tool's own line often starts with its name; saying it twice helps nobody.
    text = text.removeprefix(name).lstrip(": ")
    took = duration(result.duration)
    if columns is not None:
        text = fit(text, max(columns - width(name) - len(took) - 6, 8))
    parts = (paint(name, "cyan", on=colour), text, paint(took, "dim", on=colour))
    line = f"{paint(mark, hue, on=colour)} " + "  ".join(part for part in parts if part)
    why = _error_of(result)
    if why and columns is not None:
        why = fit(why, columns - 2)
    return f"{line}\n  {paint(why, 'dim', on=colour)}" if why else line


def _error_of(result: ToolResult) -> str:
    """What a tool that failed says about it, as tools write it: JSON with `error`."""
    if result.status not in ("error", "denied"):
        return ""
    try:
        return one_line(msgspec.json.decode(result.content, type=_Fault).error)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return ""


def diff_lines(diff: str, *, colour: bool) -> list[str]:
    """A unified diff for the eye, cut after 40 lines."""
    hues: dict[str, Colour] = {"+": "green", "-": "red", "@": "cyan"}
    lines = _without_headers(diff.split("\n"))
    shown: list[str] = []
    for line in lines[:MAX_DIFF_LINES]:
        hue = hues.get(line[:1], "dim")
        shown.append("  " + paint(line, hue, on=colour))
    if len(lines) > MAX_DIFF_LINES:
        more = len(lines) - MAX_DIFF_LINES
        shown.append("  " + paint(f"… {more} more lines", "dim", on=colour))
    return shown


def _without_headers(lines: list[str]) -> list[str]:
    """The hunks; with several files each under its name."""
    heads = {
        index
        for index, line in enumerate(lines[:-1])
        if line.startswith("--- ") and lines[index + 1].startswith("+++ ")
    }
    kept: list[str] = []
    for index, line in enumerate(lines):
        if index in heads or not line:
            continue
        if index - 1 not in heads:
            kept.append(clean(line).expandtabs(4))
        elif len(heads) > 1:
            kept.append(clean(line.removeprefix("+++ ").removeprefix("b/")))
    return kept


def ending_line(ended: TurnEnded, *, colour: bool) -> str:
    """What to say when a turn did not simply complete; empty when it did."""
    match ended.ending:
        case Interrupted():
            return paint("■ Interrupted. What was done so far is kept.", "yellow", on=colour)
        case BudgetSpent(limit=limit):
            return paint(
                f"■ Stopped after {limit} model calls (agent.max_turns). Say “go on” to go on.",
                "yellow",
                on=colour,
            )
        case Failed(message=message, hint=hint):
            text = paint(f"✗ {clean(message)}", "red", on=colour)
            return f"{text}\n  {clean(hint)}" if hint else text
        case _:
            return ""


def retry_line(event: Retrying) -> str:
    """Why the model is asked again, who is asked, and when."""
    reason = one_line(event.reason).rstrip()
    end = "" if reason.endswith((".", "!", "?", "…")) else "."
    return f"… {reason}{end} Asking {event.model} again in {event.delay:.0f} s."


def duration(seconds: float) -> str:
    """`40 ms`, `1.2 s`, `2 min 5 s`."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def count(number: int) -> str:
    """`950`, `12.3k`, `1.2M`."""
    if number < 1000:
        return str(number)
    if number < 1_000_000:
        return f"{number / 1000:.1f}k"
    return f"{number / 1_000_000:.1f}M"


def elapsed(seconds: float) -> str:
    """`12 s`, `3 min`, `2 h 5 min`: for a clock that ticks beside the input line."""
    if seconds < 60:
        return f"{int(seconds)} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
