"""Fill a home's store: `filling.py HOME SESSION COUNT [PER_SESSION]`, through its own port.

The text is made of invented words with the frequencies of a language (Zipf's law), so that some
words are everywhere and most are rare; the same at every run. With `PER_SESSION` the messages
are spread over sessions named SESSION-0, SESSION-1 and so on.
"""

import itertools
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from hermes_agent.domain.messages import Message, ToolCall
from hermes_agent.store.opening import open_store
from hermes_agent.store.records import Session

WORDS = 20_000
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def vocabulary() -> list[str]:
    """Words of two to four syllables, the most frequent first."""
    chance = random.Random(1)
    return [
        "".join(chance.choices(SYLLABLES, k=2 + (rank > 50) + (rank > 2000)))
        for rank in range(WORDS)
    ]


def texts() -> Iterator[str]:
    """Messages of 5 to 90 words, for ever."""
    chance = random.Random(2)
    words = vocabulary()
    weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(WORDS)))
    while True:
        yield " ".join(chance.choices(words, cum_weights=weights, k=chance.randint(5, 90)))


def messages() -> Iterator[Message]:
    """Turns: a question, a tool call, its result, an answer."""
    written = texts()
    for number in itertools.count():
        call = ToolCall(id=f"call_{number}", name="terminal", arguments='{"command":"true"}')
        yield Message(role="user", content=next(written))
        yield Message(role="assistant", tool_calls=(call,), finish="tool_calls")
        yield Message(
            role="tool", content=next(written), tool_call_id=call.id, tool_name="terminal"
        )
        yield Message(role="assistant", content=next(written), finish="stop")


def main() -> None:
    """Create the sessions and append."""
    home, session, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    each = int(sys.argv[4]) if len(sys.argv) > 4 else count
    store = open_store(home)
    made = messages()
    for start in range(0, count, each):
        name = session if each == count else f"{session}-{start // each}"
        store.create(Session(id=name, source="cli", model="scripted-model"))
        for message in itertools.islice(made, min(each, count - start)):
            store.append(name, message)
    store.close()


if __name__ == "__main__":
    main()
