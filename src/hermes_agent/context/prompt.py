"""The system prompt, built once for a session and byte-identical ever after.

Its order is stable, so that a vendor's cache holds as much as possible from one session to the
next: what never changes comes first, the date and the folder last.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

_TEXTS = Path(__file__).parent / "texts"
_PERSONALITIES = Path(__file__).parent / "personalities"
_TOOL_GUIDANCE = (
    "terminal",
    "patch",
    "todo",
    "clarify",
    "memory",
    "session_search",
    "skill_view",
    "tool_search",
)


class Piece(msgspec.Struct, frozen=True):
    """A named part of the prompt."""

    name: str
    text: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when the session began."""

    cwd: str
    system: str
    shell: str
    date: str
    environment: str
    entrance: str = "terminal"
    session_id: str | None = None


class Prompt(msgspec.Struct, frozen=True):
    """The pieces in order; `text` is what is sent."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """All pieces, an empty line between two."""
        return "\n\n".join(piece.text for piece in self.pieces)


def build_prompt(
    *,
    soul: str | None,
    personality: str,
    instructions: str,
    tools: Collection[str],
    notes: Sequence[Piece] = (),
    context_files: Sequence[Piece],
    facts: Facts,
) -> Prompt:
    """Put the prompt together.

    `soul` is the text of SOUL.md (None: our own identity), `personality` an overlay's text,
    `instructions` the configured `agent.system_prompt`, `tools` the names on offer, `notes` what
    the agent keeps about its work and its person.
    """
    pieces = [
        Piece("identity", (soul or "").strip() or _text("identity")),
        Piece("guidance", _guidance(tools)),
        Piece("personality", personality.strip() and f"# Manner\n{personality.strip()}"),
        Piece("instructions", instructions.strip()),
        *notes,
        *context_files,
        Piece("facts", _facts(facts)),
    ]
    return Prompt(tuple(piece for piece in pieces if piece.text))


def personality_text(name: str, own: Mapping[str, str]) -> str:
    """The overlay called `name`: one of the person's `own`, else one of ours.

    `none` and the empty name give the empty text. Raises `KeyError` for an unknown name.
    """
    if name in ("", "none", "default"):
        return ""
    if name in own:
        return own[name]
    if name not in personality_names():
        raise KeyError(name)
    return _personality(name)


@cache
def _personality(name: str) -> str:
    return (_PERSONALITIES / f"{name}.md").read_text("utf-8").strip()


@cache
def personality_names() -> tuple[str, ...]:
    """Our own overlays, sorted."""
    return tuple(sorted(path.stem for path in _PERSONALITIES.glob("*.md")))


def _guidance(tools: Collection[str]) -> str:
    names = [f"tool-{name}" for name in _TOOL_GUIDANCE if name in tools]
    return "\n".join([_text("guidance"), *(_text(name) for name in names)])


def _facts(facts: Facts) -> str:
    lines = [
        "# Where you are",
        f"- Machine: {facts.system}; shell: {facts.shell}; commands run: {facts.environment}",
        f"- Working directory: {facts.cwd}",
        f"- The session began: {facts.date}",
        f"- The person reads your answers in: {facts.entrance}",
    ]
    if facts.session_id:
        lines.append(f"- Session: {facts.session_id}")
    return "\n".join(lines)


@cache
def _text(name: str) -> str:
    return (_TEXTS / f"{name}.md").read_text("utf-8").strip()
