"""What happens in a turn, told to the log in detail (`--verbose`): steps and numbers, no texts."""

import logging

from hermes_agent.domain.events import (
    Compacted,
    Event,
    NotCompacted,
    ToolFinished,
    ToolStarted,
    TurnEnded,
)
from hermes_agent.domain.model import Retrying

_log = logging.getLogger(__name__)


def narrate(turn: str, event: Event) -> None:
    """One event of the turn called `turn`. Costs nothing where nobody wants the details."""
    if not _log.isEnabledFor(logging.DEBUG):
        return
    match event:
        case ToolStarted(call=call):
            _log.debug("turn %s: %s begins", turn, call.name)
        case ToolFinished(result=result):
            took = result.duration
            _log.debug("turn %s: %s is %s after %.2f s", turn, result.name, result.status, took)
        case Retrying():
            _log.debug("turn %s: %s is asked again: %s", turn, event.model, event.reason)
        case Compacted():
            _log.debug("turn %s: shortened to %d tokens", turn, event.after)
        case NotCompacted():
            _log.debug("turn %s: could not be shortened: %s", turn, event.reason)
        case TurnEnded():
            _log.debug(
                "turn %s: %s after %d model call(s) and %.2f s, %d tokens in, %d out",
                turn,
                type(event.ending).__name__.lower(),
                event.iterations,
                event.duration,
                event.usage.input,
                event.usage.output,
            )
        case _:
            pass
