"""Reads `corpus.txt`: commands with the action that they must come to."""

import re
from pathlib import Path


def cases() -> list[tuple[str, str]]:
    """Pairs of action and command."""
    found: list[tuple[str, str]] = []
    for line in (Path(__file__).parent / "corpus.txt").read_text("utf-8").splitlines():
        hit = re.fullmatch(r"(pass|ask|block) +(.*)", line)
        if hit is not None:
            found.append((hit[1], _plain(hit[2])))
    return found


def _plain(text: str) -> str:
    text = text.replace("⏎", "\n").replace("⇥", "\t")
    return re.sub(r"‹([0-9a-f]{4})›", lambda code: chr(int(code[1], 16)), text)
