"""What a person said, as a text in which a model looks for what is worth noting.

The text holds the person's own words and nothing else: no answers, no results of tools, nothing
that was quoted, referred to or pasted as a block. What a page or a file says can therefore not
become a note this way, whatever the model makes of it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from hermes_agent.knowledge.memory import SEPARATOR, Note, Target
from hermes_agent.policy.injection import suspicion

LONGEST_MESSAGE = 600
"""Characters of one message. A longer one was hardly typed: only its first line counts."""
LONGEST_SKILL = 20_000
LONGEST_TEXT = 8_000
MOST_CHANGES = 4
LONGEST_ENTRY = 400

_SKILL = "Use the skill "
_AFTER_SKILL = "\n\n---\n\n"
# References, files, forwarded texts and the like stand behind a line that begins like this; what
# was spoken into the microphone is said.
_BROUGHT = re.compile(r"^\[(?!voice message: ).*\Z", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_TAG = re.compile(r"<(?=\s*/?\s*(?:said|notes)\b)", re.IGNORECASE)


def own_words(content: str) -> str:
    """What the person typed themselves in this message; empty where nothing is left, or where
    what is left reads like an attack."""
    if content.startswith(_SKILL):
        # The instructions of the skill stand before the wish. Of a text that is not whole nobody
        # can tell where they end.
        skill, _, wish = content.rpartition(_AFTER_SKILL)
        content = wish if skill and len(content) < LONGEST_SKILL else ""
    for other in (_BROUGHT, _BLOCK, _QUOTED):
        content = other.sub("", content)
    content = content.strip()
    if suspicion(content):
        return ""
    typed = content if len(content) <= LONGEST_MESSAGE else content.partition("\n")[0]
    return typed[:LONGEST_MESSAGE]


def spoken(messages: Sequence[str]) -> str:
    """The own words of these messages as one text, the latest ones where not all have room."""
    kept: list[str] = []
    left = LONGEST_TEXT
    for words in map(own_words, reversed(messages)):
        left -= len(words)
        if left < 0:
            break
        if words:
            kept.append(f"- {words}")
    return "\n".join(reversed(kept))


def instructions() -> str:
    """The system prompt of the model that looks."""
    return _text().format(changes=MOST_CHANGES)


def request(notes: Mapping[Target, Note], said: str) -> str:
    """What the model is asked. Nothing in the data can close its own frame."""
    shown = "\n\n".join(
        f"{target} ({note.usage}):\n{SEPARATOR.join(note.entries)}"
        for target, note in notes.items()
    )
    return f"<notes>\n{_framed(shown or 'none')}\n</notes>\n\n<said>\n{_framed(said)}\n</said>"


def _framed(data: str) -> str:
    return _TAG.sub("< ", data)


@cache
def _text() -> str:
    return (Path(__file__).parent / "texts" / "review.md").read_text("utf-8").strip()
