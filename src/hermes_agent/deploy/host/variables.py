"""The caller's variables that cross over: a short list, each value of a narrow form.

The caller's side leaves out what does not fit; root's side, which cannot know who called it,
refuses it.
"""

import re
from collections.abc import Iterable, Mapping

from hermes_agent.domain.errors import UsageError

_TERMINAL = r"[A-Za-z0-9_.+:,@-]{1,100}"
_SWITCH = r"[A-Za-z0-9]{0,20}"
_SIZE = r"[0-9]{1,4}"
# Each begins without a slash and none has two dots in a row: libc reads files by these names.
_FORMS = {
    "TERM": _TERMINAL,
    "COLORTERM": _TERMINAL,
    "LANG": _TERMINAL,
    "LC_[A-Z]{2,20}": _TERMINAL,
    "TZ": r":?[A-Za-z0-9<+-][A-Za-z0-9_+,.:<>/-]{0,99}",
    "NO_COLOR": _SWITCH,
    "FORCE_COLOR": _SWITCH,
    "COLUMNS": _SIZE,
    "LINES": _SIZE,
    # What a shell asks for on Tab: the words so far, one a line.
    "_HERMES_COMPLETE": r"(?:bash|zsh|fish)_(?:complete|source)",
    "COMP_WORDS": r"(?:[^\x00-\x09\x0b-\x1f\x7f]){0,16000}",
    "COMP_CWORD": r"[^\x00-\x1f\x7f]{0,4000}",
}
_ALLOWED = [(re.compile(name), re.compile(value)) for name, value in _FORMS.items()]


def carried(environ: Mapping[str, str]) -> dict[str, str]:
    """What of an environment may cross over."""
    return {name: value for name, value in environ.items() if allowed(name, value)}


def admitted(pairs: Iterable[str]) -> dict[str, str]:
    """The variables of `NAME=value` pairs. Raises `UsageError` if one may not come in."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not allowed(name, value):
            raise UsageError(f"The variable {name[:40]!r} may not be handed over with this value")
        found[name] = value
    return found


def allowed(name: str, value: str) -> bool:
    """Whether this variable may cross over with this value."""
    if name != "COMP_WORDS" and name != "COMP_CWORD" and ".." in value:
        return False
    return any(n.fullmatch(name) and v.fullmatch(value) for n, v in _ALLOWED)
