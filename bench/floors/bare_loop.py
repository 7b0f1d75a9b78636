"""The least agent: `bare_loop.py BASE_URL TEXT`: httpx2, json, and a shell for tool calls."""

import json
import subprocess
import sys
from typing import Any

import httpx2

url = f"{sys.argv[1]}/chat/completions"
messages: list[dict[str, Any]] = [{"role": "user", "content": sys.argv[2]}]
# Without certificates: a plain http address needs none, and reading them costs 20 ms.
with httpx2.Client(timeout=60, verify=False) as client:
    calling = True
    while calling:
        text = ""
        calls: dict[int, dict[str, Any]] = {}
        body = {"model": "scripted-model", "messages": messages, "stream": True}
        with client.stream("POST", url, json=body) as answer:
            for line in answer.iter_lines():
                if not line.startswith("data: {"):
                    continue
                for choice in json.loads(line[6:])["choices"]:
                    delta = choice["delta"]
                    if piece := delta.get("content"):
                        text += piece
                        sys.stdout.write(piece)
                        sys.stdout.flush()
                    for part in delta.get("tool_calls", ()):
                        call = calls.setdefault(part["index"], part)
                        if call is not part:
                            call["function"]["arguments"] += part["function"]["arguments"]
        messages.append({"role": "assistant", "content": text, "tool_calls": list(calls.values())})
        for call in calls.values():
            command = ["bash", "-c", json.loads(call["function"]["arguments"])["command"]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": done.stdout})
        calling = bool(calls)
