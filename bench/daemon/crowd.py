"""Many chats at once in one gateway: `python -m bench.daemon.crowd ROOT COUNT held|tools|burst`.

A program of its own. `held`: every chat has a turn in flight, the model answers none until all are
there; `tools` the same after a tool call in each; `burst`: all write in one moment, the model
answers at once. Prints JSON: memory in MB and descriptors before, at the height and afterwards,
`seconds` and `cpu` (seconds, this process) from the first message to the last answer, `answers`;
`bare_cpu` is what a bare client uses to ask the same model as often.
"""

import asyncio
import gc
import json
import sys
import time
from pathlib import Path

import httpx2

from bench.daemon import gauges
from bench.daemon.house import house

SIZE = 8000
"""Bytes of a bare client's request: about what the first request of a chat has."""


async def main() -> None:
    """Fill the house, measure, print."""
    root, count, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    async with house(root) as place:
        platform = place.platform
        await platform.say("first", "hello")
        await platform.answered("first", 1)
        await place.settled()
        gc.collect()
        found: dict[str, float] = {
            "memory_before": gauges.memory(),
            "descriptors_before": gauges.descriptors(),
        }
        began, cpu = time.monotonic(), gauges.cpu()
        names = [f"chat-{number}" for number in range(count)]
        word = {"held": "hold", "tools": "work, then hold", "burst": "hello"}[how]
        await asyncio.gather(*(platform.say(name, f"{word} {name}") for name in names))
        found["accepted"] = time.monotonic() - began
        if how != "burst":
            await place.model_has(1 + count * (2 if how == "tools" else 1))
            found |= {
                "seconds_in": time.monotonic() - began,
                "memory": gauges.memory(),
                "descriptors": gauges.descriptors(),
                "threads": gauges.threads(),
                "children": gauges.children(),
                "folders": len(list((root / "run").iterdir())),
            }
            await place.ask_model("/release")
        await platform.until(lambda: all(platform.answers[name] for name in names))
        found |= {"seconds": time.monotonic() - began, "cpu": gauges.cpu() - cpu}
        await place.settled()
        found |= {
            "answers": sum(platform.answers[name] for name in names),
            "memory_after": gauges.memory(),
            "descriptors_after": gauges.descriptors(),
            "folders_after": len(list((root / "run").iterdir())),
        }
        if how == "burst":
            cpu = gauges.cpu()
            await _bare(place.model, count)
            found["bare_cpu"] = gauges.cpu() - cpu
    print(json.dumps(found))


async def _bare(url: str, count: int) -> None:
    """As many requests as large, at once."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=32)
    told = {"stream": True, "messages": [{"role": "user", "content": "." * SIZE}]}
    body = json.dumps(told).encode()
    async with httpx2.AsyncClient(
        timeout=60, verify=False, trust_env=False, limits=limits
    ) as client:

        async def ask() -> None:
            answer = await client.post(f"{url}/chat/completions", content=body)
            answer.raise_for_status()

        await asyncio.gather(*(ask() for _ in range(count)))


if __name__ == "__main__":
    asyncio.run(main())
