"""Clients that ask at once: `asking.py BASE_URL KEY CLIENTS EACH STREAM`, a program of its own.

Every client asks EACH questions, one after the other. Prints JSON: `rate` in turns a second,
`median` and `p99` in milliseconds of one turn.
"""

import asyncio
import json
import sys
import time
from statistics import quantiles

import httpx2

ANSWER = b"Hello! How can I help you today?"


async def main() -> None:
    """Ask, and print how it went."""
    base_url, key, clients, each, stream = sys.argv[1:]
    streamed = stream == "stream"
    question = {"role": "user", "content": "hello"}
    told = {"model": "hermes-agent", "messages": [question], "stream": streamed}
    body = json.dumps(told, separators=(",", ":")).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    times: list[float] = []
    async with httpx2.AsyncClient(
        timeout=60, verify=False, trust_env=False, limits=limits
    ) as client:

        async def ask() -> None:
            for _ in range(int(each)):
                began = time.perf_counter()
                answer = await client.post(
                    f"{base_url}/chat/completions", content=body, headers=headers
                )
                times.append((time.perf_counter() - began) * 1000)
                whole = b"[DONE]" in answer.content if streamed else ANSWER in answer.content
                if answer.status_code != 200 or not whole:
                    raise SystemExit(f"{answer.status_code}: {answer.text[:500]}")

        began = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(int(clients))))
        took = time.perf_counter() - began
    cuts = quantiles(times, n=100)
    print(json.dumps({"rate": len(times) / took, "median": cuts[49], "p99": cuts[98]}))


asyncio.run(main())
