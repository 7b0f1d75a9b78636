"""From a message handed in to the model's receipt of the request: `… first_request ROOT COUNT`.

A program of its own. Prints JSON, each a list of milliseconds: `new` chats, `known` chats (their
second message), and `floor`, a bare client's request of the same size to the same server.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import httpx2

from bench.daemon.house import House, house

WARM = 20
SIZE = 8000
"""Bytes of a bare client's request: about what the first request of a chat has."""


async def _ours(place: House, names: list[str], word: str) -> dict[str, float]:
    """When each was handed in, by what was said; one after the other, each answered first."""
    began: dict[str, float] = {}
    for name in names:
        text = f"{word} {name}"
        before = place.platform.answers[name]
        began[text] = await place.platform.say(name, text)
        await place.platform.answered(name, before + 1)
        await place.settled()
    return began


async def _bare(url: str, count: int) -> dict[str, float]:
    began: dict[str, float] = {}
    async with httpx2.AsyncClient(timeout=60, verify=False, trust_env=False) as client:
        for number in range(count):
            text = f"bare {number}"
            messages = [
                {"role": "system", "content": "." * SIZE},
                {"role": "user", "content": text},
            ]
            began[text] = time.monotonic()
            answer = await client.post(f"{url}/chat/completions", json={"messages": messages})
            answer.raise_for_status()
    return began


async def main() -> None:
    """Measure and print."""
    root, count = Path(sys.argv[1]), int(sys.argv[2])
    async with house(root) as place:
        await _ours(place, [f"warm-{number}" for number in range(WARM)], "warm")
        names = [f"chat-{number}" for number in range(count)]
        began = {
            "new": await _ours(place, names, "new"),
            "known": await _ours(place, names, "known"),
            "floor": await _bare(place.model, count),
        }
        received: dict[str, float] = dict(await place.ask_model("/received"))
    found = {
        kind: [(received[text] - at) * 1000 for text, at in times.items()]
        for kind, times in began.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
