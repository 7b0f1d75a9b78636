"""What a person is told of a compaction, the same words in every entrance."""

from hermes_agent.domain.events import Compacted, Compacting, NotCompacted


def told(event: Compacting | Compacted | NotCompacted) -> str:
    """One line, or two where there is something to do."""
    match event:
        case Compacting(tokens=tokens, window=window):
            share = f" ({100 * tokens // window}% of the window)" if window else ""
            return f"The conversation is long{share}; shortening it …"
        case Compacted():
            what = (
                f"{event.summarised} messages became a summary"
                if event.summarised
                else "old output of tools was thinned"
            )
            name = event.title or event.session_id
            return (
                f"Shortened from {event.before:,} to about {event.after:,} tokens: {what}. "
                f"It goes on as “{name}”; nothing is lost in {event.parent_id}."
            )
        case NotCompacted(reason=reason, hint=hint):
            end = "" if reason.endswith((".", "!", "?")) else "."
            line = (
                f"The conversation was not shortened: {reason}{end} Nothing was taken from it. "
                "/compress tries again, /new begins anew."
            )
            return f"{line}\n{hint}" if hint else line
