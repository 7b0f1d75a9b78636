"""A person's wish that a skill be used, in words for the agent."""

import re
from collections.abc import Sequence

from hermes_agent.knowledge.skills.shelf import Shelf

_TAG = re.compile(r"<(?=\s*/?\s*skill\b)", re.IGNORECASE)


def request(shelf: Shelf, names: Sequence[str], wish: str) -> str:
    """The skills' instructions, each in a frame that it cannot close, then what the person said.
    Raises as `Shelf.view` does."""
    parts: list[str] = []
    for name in names:
        seen = shelf.view(name)
        files = f" Its files: {', '.join(seen.files)}." if seen.files else ""
        framed = _TAG.sub("< ", seen.text)
        parts.append(
            f"Use the skill {name} ({seen.skill.folder}).{files}\n\n<skill>\n{framed}\n</skill>"
        )
    return "\n\n---\n\n".join([*parts, wish or "Ask me what to do with it, if that is not clear."])
