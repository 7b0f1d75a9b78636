"""What gives away text that is meant to command a model, or to hide from people."""

import re
import unicodedata

_SUSPICIOUS = re.compile(
    r"(ignore|disregard|forget)\s+(all\s+|any\s+)?(the\s+)?(previous|prior|above|earlier)\s+"
    r"(instructions|prompts?|rules)"
    r"|do\s+not\s+(tell|inform)\s+the\s+(user|person)"
    r"|(cat|curl|wget|send|post)\b[^\n]{0,80}(\.env\b|api[_-]?key|secrets?\b|\.ssh/id_)",
    re.IGNORECASE,
)
_HIDDEN = {"Cf", "Co"}
_HARMLESS = {"\u200d", "\ufeff", "\u00ad"}


def suspicion(text: str) -> str | None:
    """What is wrong with it, as the end of a sentence; None when nothing was noticed.

    A sieve for the obvious: it keeps honest files clean and makes attacks louder. What protects
    is that such text is marked as data, and that no text can lift the gate.
    """
    found = _SUSPICIOUS.search(text)
    if found:
        return f"it reads like an injected instruction: “{found.group(0)[:60]}”"
    hidden = {c for c in text if unicodedata.category(c) in _HIDDEN} - _HARMLESS
    if hidden:
        return f"it holds invisible characters (U+{ord(min(hidden)):04X})"
    return None
