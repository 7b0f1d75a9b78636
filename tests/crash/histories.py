"""What must hold of the conversations that a daemon leaves behind."""

import re
from collections import Counter
from pathlib import Path

from hermes_agent.store.opening import open_store


def history_faults(home: Path, numbers: set[str]) -> list[str]:
    """Each question stands in a history once, and is answered there once. What a child session
    repeats of its parent, time and all, counts once, also where it left out the middle."""
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    store = open_store(home)
    try:
        seen: set[tuple[str, float, str]] = set()
        for session in store.list(limit=1000):
            for message in store.history(session.id):
                mark = (message.role, message.timestamp, message.content[:100])
                if mark in seen:
                    continue
                seen.add(mark)
                if message.role == "user":
                    asked.update(re.findall(r"question (\d+)", message.content))
                if message.role == "assistant" and not message.tool_calls:
                    answered.update(re.findall(r"answer (\d+)\.", message.content))
    finally:
        store.close()
    return [
        *(
            f"question {n} stands in the history {asked[n]} times"
            for n in _not_once(asked, numbers)
        ),
        *(f"answer {n} was written {answered[n]} times" for n in _not_once(answered, numbers)),
    ]


def shortened(home: Path) -> int:
    """How often a conversation went on in a child."""
    store = open_store(home)
    try:
        rows = [store.get(each.id) for each in store.list(limit=1000)]
    finally:
        store.close()
    return sum(row.end_reason == "compression" for row in rows)


def _not_once(found: Counter[str], wanted: set[str]) -> list[str]:
    return sorted(n for n in wanted | set(found) if found[n] != 1)
