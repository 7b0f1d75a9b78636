"""Redaction of text that arrives in pieces."""

import re

from hermes_agent.policy.redaction import patterns
from hermes_agent.policy.redaction.redactor import Redactor, replaced

_LONGEST = 9000
_LONGEST_KEY = 33_000
_CONTEXT = 256
_NUMBER = re.compile(r"(?:bot)?\d{1,10}(?::A{0,2})?\Z")
_VALUE_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~+/=:%@!#^*?&-"
# A name of a secret, its separator, and an opening quote, at the very end.
_NAME_OPEN = re.compile(
    r"(?i)[A-Za-z0-9_.-]{0,48}(?:key|token|secret|passw|passphrase|credential|pwd)[\w-]{0,24}\\?[\"']?\]?"
    r"[ \t]{0,8}(?:(?::=|=>|[:=])[ \t]{0,8}(?:\\?[\"'])?)?\Z"
)
_HEADER_OPEN = re.compile(
    r"(?i)(?:authorization[\"']?[ \t]{0,4}(?:[:=][ \t]{0,4}[\"']?(?:[a-z]{0,9} {0,4})?)?"
    r"|bearer {0,4})\Z"
)
_LITERALS = (
    *patterns.PREFIXES,
    patterns.URL,
    patterns.TELEGRAM,
    patterns.PRIVATE_KEY,
)
_WORDS = (*patterns.KEYWORDS, patterns.HEADER, patterns.BEARER)
_PARTIAL = frozenset(w[:n] for w in _LITERALS for n in range(1, len(w)))
_PARTIAL_WORDS = frozenset(w[:n] for w in _WORDS for n in range(1, len(w)))
_LONGEST_LITERAL = max(len(w) for w in (*_LITERALS, *_WORDS))


class RedactingStream:
    """Gives out redacted text as early as can be: only an ending that may be the beginning of a
    secret is kept back until more text, or `flush`, decides."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        # What was given out last: names and prefixes there still bear on what follows.
        self._before = ""
        self._in_key = False
        self._begun = frozenset(f[:n] for f in redactor.known for n in range(1, len(f)))
        self._longest_known = max((len(f) for f in redactor.known), default=0)

    def push(self, text: str) -> str:
        """Take some text; give what is safe to show."""
        self._held += text
        if self._in_key and not self._leave_key():
            return ""
        return self._release(self._cut())

    def flush(self) -> str:
        """The rest, at the end."""
        if self._in_key and not self._leave_key():
            self._held = ""
            return ""
        return self._release(len(self._held))

    def _leave_key(self) -> bool:
        """Swallow the rest of a key block; True once its end has come."""
        end = self._held.find(patterns.PRIVATE_KEY_END)
        if end < 0:
            self._held = self._held[-len(patterns.PRIVATE_KEY_END) :]
            return False
        self._held = self._held[end:]
        self._before = "\n"
        self._in_key = False
        return True

    def _release(self, cut: int) -> str:
        if cut <= 0:
            return ""
        known = len(self._before)
        # What is still held takes part, so that a value is judged by what follows it.
        whole = self._before + self._held
        end = known + cut
        found = self._redactor.spans(whole)
        for start, stop, _ in found:
            if start < end < stop:
                # A whole secret, whose last letters may begin another one: it waits with them.
                end = max(known, start)
                cut = end - known
        spans = [
            (max(start, known), stop, shown if start >= known else "***")
            for start, stop, shown in found
            if known < stop <= end
        ]
        shown = replaced(whole[:end], spans)[known:]
        self._before = whole[max(0, end - _CONTEXT) : end]
        self._held = self._held[cut:]
        return shown

    def _cut(self) -> int:
        """Up to where `_held` can be given out."""
        known = len(self._before)
        text = self._before + self._held
        cut = min(
            len(text), self._key_begins(text), self._known_begins(text), _pattern_begins(text)
        )
        if len(text) - cut > _LONGEST_KEY:
            self._in_key = patterns.PRIVATE_KEY_TITLE.match(text, cut) is not None
            cut = len(text)
        return max(0, cut - known)

    def _key_begins(self, text: str) -> int:
        """Where a key block stands that has not ended yet."""
        begun = text.rfind(patterns.PRIVATE_KEY)
        if begun < 0 or patterns.PRIVATE_KEY_END in text[begun:]:
            return len(text)
        title = text[begun : begun + 72]
        if len(title) == 72 and "PRIVATE KEY" not in title:
            return len(text)
        rest = patterns.PRIVATE_KEY_TITLE.match(text, begun)
        if rest is not None:
            body = patterns.PRIVATE_KEY_BODY.match(text, rest.end())
            # Anything that no key contains: it was only talked about.
            if body is not None and body.end() < len(text) and text[body.end()] != "-":
                return len(text)
        return begun

    def _known_begins(self, text: str) -> int:
        """Where a known value may have begun."""
        for at in range(max(0, len(text) - self._longest_known + 1), len(text)):
            if text[at:] in self._begun:
                return at
        return len(text)


def _pattern_begins(text: str) -> int:
    """Where something that a pattern knows may have begun."""
    tail = text[-_LONGEST:]
    offset = len(text) - len(tail)
    run_start = len(tail.rstrip(_VALUE_CHARS))
    cut = min(len(tail), run_start + _in_run(tail[run_start:]))
    for base, end in ((max(0, run_start - 128), run_start), (max(0, len(tail) - 128), len(tail))):
        for pattern in (_NAME_OPEN, _HEADER_OPEN):
            hit = pattern.search(tail[base:end])
            if hit is not None:
                cut = min(cut, base + hit.start())
    cut = min(cut, _partial(tail))
    if len(tail) - cut >= _LONGEST - _CONTEXT:
        return len(text)
    return offset + cut


def _in_run(run: str) -> int:
    """Where in the unbroken run of letters at the end a secret may have begun."""
    cut = len(run)
    for literal in _LITERALS:
        at = run.find(literal)
        if at >= 0:
            before = at - 1 if literal.startswith("k_") else at
            cut = min(cut, max(0, _name_start(run, at) if literal == patterns.TELEGRAM else before))
    lowered = run.lower()
    for word in patterns.KEYWORDS:
        at = lowered.find(word)
        if at >= 0:
            cut = min(cut, _name_start(run, at))
    number = _NUMBER.search(run)
    return min(cut, number.start()) if number else cut


def _name_start(run: str, at: int) -> int:
    while at > 0 and (run[at - 1].isalnum() or run[at - 1] in "_.-"):
        at -= 1
    return at


def _partial(tail: str) -> int:
    """Where the beginning of a literal stands at the very end."""
    lowered = tail[-_LONGEST_LITERAL:].lower()
    for size in range(min(_LONGEST_LITERAL, len(tail)), 0, -1):
        if tail[-size:] in _PARTIAL:
            at = len(tail) - size
            return at - 1 if at and tail[at] == "k" else at
        if lowered[-size:] in _PARTIAL_WORDS:
            return _name_start(tail, len(tail) - size)
    return len(tail)
