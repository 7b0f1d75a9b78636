"""Finds secrets in text and masks them."""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from hermes_agent.policy.redaction import patterns
from hermes_agent.policy.redaction.mask import is_masked, mask

Span = tuple[int, int, str]

# Shorter values are words; masking them would tear ordinary text apart.
SHORTEST_KNOWN = 6
_ALIGNMENTS = 3
_KEY_REMNANT = 64
_SHORTEST_KEY = 20
_LONGEST_LOOK = 256


class Redactor:
    """`secrets` are known values, masked wherever they stand, also URL-, JSON- or
    base64-encoded. `phones` masks telephone numbers (E.164) too."""

    def __init__(self, secrets: Iterable[str] = (), *, phones: bool = False) -> None:
        self.phones = phones
        forms: dict[str, str] = {}
        for secret in secrets:
            value = secret.strip()
            if len(value) >= SHORTEST_KNOWN and not is_masked(value):
                for form in _forms(value):
                    forms.setdefault(form, mask(value) if form == value else "***")
        # A value that contains another is masked first.
        self.known = dict(sorted(forms.items(), key=lambda item: -len(item[0])))
        self._long = {f: s for f, s in self.known.items() if _is_long(f)}
        self._short = {f: s for f, s in self.known.items() if not _is_long(f)}

    def text(self, text: str) -> str:
        """`text` with every secret masked. Linear in its length; text already masked stays."""
        if len(text) < SHORTEST_KNOWN:
            return text
        spans = self.spans(text)
        return replaced(text, spans) if spans else text

    def spans(self, text: str) -> list[Span]:
        """Where secrets stand and what replaces them: in order, not overlapping."""
        # Keys are long words. Most text has few, and looking there first is ten times cheaper.
        long = " ".join([word for word in text.split() if len(word) >= _SHORTEST_KEY])
        found: list[Span] = []
        for form, shown in self._long.items():
            if form in long:
                found += _occurrences(text, form, shown)
        for form, shown in self._short.items():
            found += _occurrences(text, form, shown)
        found += _prefixed(text, long)
        lowered = _lowered(text)
        found += _named(text, lowered)
        found += _structured(text, lowered)
        if self.phones and "+" in text:
            found += [(h.start(), h.end(), "***") for h in patterns.PHONE.finditer(text)]
        return _merged(found) if found else found


def replaced(text: str, spans: list[Span]) -> str:
    """`text` with the spans exchanged."""
    parts: list[str] = []
    at = 0
    for start, end, shown in spans:
        parts += (text[at:start], shown)
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _forms(value: str) -> set[str]:
    forms = {value, quote(value, safe=""), quote_plus(value), quote(value), json.dumps(value)[1:-1],
             json.dumps(value, ensure_ascii=False)[1:-1],
             json.dumps(json.dumps(value))[3:-3]}  # fmt: skip
    raw = value.encode("utf-8", "replace")
    if len(raw) > 8:
        for shift in range(_ALIGNMENTS):
            # What is the same wherever the value begins in the encoded text.
            coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
            whole = (len(raw) + shift) // 3 * 4
            core = coded[(shift * 8 + 5) // 6 : whole]
            forms |= {core, core.replace("+", "-").replace("/", "_")}
        forms |= {raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return {f for f in forms if len(f) >= SHORTEST_KNOWN}


def _occurrences(text: str, form: str, shown: str) -> Iterator[Span]:
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form), shown
        at = text.find(form, at + len(form))


def _lowered(text: str) -> str:
    lowered = text.lower()
    # A few letters become two in lower case; positions must stay.
    return (
        lowered
        if len(lowered) == len(text)
        else "".join(c.lower() if c.isascii() else c for c in text)
    )


def _is_long(form: str) -> bool:
    return len(form) >= _SHORTEST_KEY and not any(c.isspace() for c in form)


def _prefixed(text: str, long: str) -> Iterator[Span]:
    for literal in patterns.PREFIXES:
        at = text.find(literal) if literal in long else -1
        while at >= 0:
            hit = patterns.whole(literal).match(text, at) if _begins(text, at, literal) else None
            following = at + len(literal)
            if hit is not None:
                start = at - 1 if literal.startswith("k_") else at
                following = hit.end()
                yield start, following, mask(text[start:following])
            at = text.find(literal, following)


def _begins(text: str, at: int, literal: str) -> bool:
    if literal.startswith("k_"):
        at -= 1
        if at < 0 or text[at] not in "srp":
            return False
    before = text[at - 1 : at]
    return not (before.isalnum() or before == "_") if before else True


def _structured(text: str, lowered: str) -> Iterator[Span]:
    """URLs, headers, private keys, Telegram tokens."""
    for literal, pattern, where in (
        (patterns.URL, patterns.USER_INFO, text),
        (patterns.HEADER, patterns.HEADER_VALUE, lowered),
        (patterns.BEARER, patterns.BEARER_VALUE, lowered),
    ):
        at = where.find(literal)
        while at >= 0:
            hit = pattern.match(text, at)
            following = at + len(literal)
            if hit is not None and hit["s"] and not _shown_already(hit["s"]):
                following = max(following, hit.end("s"))
                if text[following : following + 1] not in ("(", "["):  # a call, not a value
                    shown = "***" if literal == patterns.URL else mask(hit["s"])
                    yield hit.start("s"), hit.end("s"), shown
            at = where.find(literal, following)
    yield from _private_keys(text)
    at = text.find(patterns.TELEGRAM)
    while at >= 0:
        before = patterns.TELEGRAM_BEFORE.search(text[max(0, at - 14) : at])
        after = patterns.TELEGRAM_AFTER.match(text, at) if before else None
        if before and after:
            start = at - len(before[1])
            yield start, after.end(), mask(text[start : after.end()])
        at = text.find(patterns.TELEGRAM, at + len(patterns.TELEGRAM))


def _private_keys(text: str) -> Iterator[Span]:
    """The bodies of key blocks, also of one that is cut off."""
    at = text.find(patterns.PRIVATE_KEY)
    end = 0
    while at >= 0:
        title = patterns.PRIVATE_KEY_TITLE.match(text, at)
        following = at + len(patterns.PRIVATE_KEY)
        if title is not None:
            if 0 <= end <= title.end():
                end = text.find(patterns.PRIVATE_KEY_END, title.end())
            # No key holds the beginning of another one.
            another = text.find(patterns.PRIVATE_KEY, title.end())
            stop = min((at for at in (end, another) if at >= 0), default=len(text))
            body = patterns.PRIVATE_KEY_BODY.match(text, title.end(), stop)
            following = max(following, body.end() if body else 0)
            if body is not None and (body.end() == end or len(body[0]) >= _KEY_REMNANT):
                secret = body[0]
                if secret.strip() and not is_masked(secret.strip()):
                    lead = "\n" if secret[0] in "\r\n" else ""
                    trail = "\n" if secret[-1] in "\r\n" else ""
                    yield body.start(), body.end(), f"{lead}***{trail}"
        at = text.find(patterns.PRIVATE_KEY, following)


def _shown_already(value: str) -> bool:
    return is_masked(value.strip()) or value[0] in "$<{"


def _named(text: str, lowered: str) -> Iterator[Span]:
    for keyword in patterns.KEYWORDS:
        at = lowered.find(keyword)
        while at >= 0:
            hit = patterns.NAMED.match(text, at)
            following = at + len(keyword)
            if hit is not None:
                span = _value(text, hit)
                if span is not None:
                    yield span
                    following = span[1]
            at = lowered.find(keyword, following)


def _value(text: str, hit: "patterns.re.Match[str]") -> Span | None:
    window = text[max(0, hit.start() - 48) : hit.start()]
    before = window[len(window.rstrip(patterns.NAME_CHARS)) :]
    opened = hit["open"] is not None
    found = (patterns.QUOTED_VALUE if opened else patterns.BARE_VALUE).match(text, hit.end())
    if found is None:
        return None
    value = found[0]
    environment = (
        "=" in hit["sep"]
        and hit["close"] is None
        and bool(patterns.ENVIRONMENT_NAME.match(before + hit["w"]))
    )
    if hit["close"] is not None and not opened:
        return None
    query = not opened and text[max(0, hit.start() - 49) : hit.start()]
    if query and patterns.QUERY_BEFORE.search(query):
        value = value.partition("&")[0]
    if not value or is_masked(value):
        return None
    kind = patterns.strength(hit["w"], before, environment=environment)
    if not patterns.plausible(
        value.rstrip(".:,") or ".", kind, quoted=opened, environment=environment
    ):
        return None
    if len(value) == _LONGEST_LOOK:
        rest = patterns.QUOTED_REST if opened else patterns.BARE_REST
        tail = rest.match(text, found.end())
        value += tail[0] if tail else ""
    if not opened:
        value = value.rstrip(".:,")
    end = found.start() + len(value)
    follows = text[end : end + 1]
    if opened:
        if follows and follows not in "\"'\\":
            return None
    elif (follows and follows in "([{<$") or (
        ":" in hit["sep"] and not _stated(text, hit, before, end)
    ):
        return None
    return found.start(), end, mask(value)


def _stated(text: str, hit: "patterns.re.Match[str]", before: str, end: int) -> bool:
    """`password: x` on a line of its own, as in YAML, or `x-api-key: …` of a header; in prose a
    colon proves nothing."""
    if "-" in before and hit["w"].lower() in ("key", "token", "secret"):
        return True
    start = hit.start() - len(before)
    line = text[max(0, start - 64) : start].rpartition("\n")[2]
    rest = text[end : end + 64].partition("\n")[0].strip()
    return not line.strip(" \t-\"'*") and (not rest or rest.startswith("#"))


def _merged(spans: list[Span]) -> list[Span]:
    spans.sort(key=lambda s: (s[0], -s[1]))
    kept: list[Span] = []
    for start, end, shown in spans:
        if kept and start < kept[-1][1]:
            first, last, text = kept[-1]
            if end > last:
                kept[-1] = (first, end, text if text == "***" else "***")
            continue
        kept.append((start, end, shown))
    return kept
