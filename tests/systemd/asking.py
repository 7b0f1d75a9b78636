"""Run inside the machine: says one thing to the agent's API server and prints the answer.

Arguments: the port, the file with API_SERVER_KEY, what to say.
"""

import json
import sys
import urllib.request
from pathlib import Path

PORT, FILE, WORDS = sys.argv[1:]
KEY = next(line for line in Path(FILE).read_text().splitlines() if line.startswith("API_SERVER"))
request = urllib.request.Request(
    f"http://127.0.0.1:{PORT}/v1/chat/completions",
    json.dumps({"messages": [{"role": "user", "content": WORDS}]}).encode(),
    {"Authorization": f"Bearer {KEY.partition('=')[2]}", "Content-Type": "application/json"},
)
with urllib.request.urlopen(request, timeout=30) as answer:
    print(json.load(answer)["choices"][0]["message"]["content"])
