"""What tests of MCP servers have in common."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.hermes import Hermes
from tests.servers.model import ModelServer, closed_port
from tests.servers.script import Call, Reply

SERVERS = Path(__file__).parents[1] / "servers"
SERVER = str(SERVERS / "mcp_server.py")
LIMIT = 30.0


def connect(hermes: Hermes, name: str = "demo", **settings: Any) -> None:
    """Configure a server; what was configured before stays."""
    config = hermes.home / "config.yaml"
    lines = config.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("mcp_servers:")]
    before = [line for line in lines if line.startswith("mcp_servers:")]
    servers: dict[str, Any] = json.loads(before[0].partition(":")[2]) if before else {}
    servers[name] = settings if "url" in settings else {"command": sys.executable, **settings}
    config.write_text("\n".join([*kept, f"mcp_servers: {json.dumps(servers)}", ""]))


def results(server: ModelServer) -> list[dict[str, Any]]:
    """What the tools of the last conversation gave."""
    messages = server.model_requests[-1].json["messages"]
    return [json.loads(each["content"]) for each in messages if each["role"] == "tool"]


def use(name: str, /, **arguments: Any) -> Reply:
    return Reply(calls=[Call("tool_use", {"name": name, "arguments": arguments})])


def search(query: str) -> Reply:
    return Reply(calls=[Call("tool_search", {"query": query})])


def wait(condition: Callable[[], Any], what: str = "it") -> Any:
    """Until it holds; gives what it gave."""
    deadline = time.monotonic() + LIMIT
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def free_port() -> int:
    with closed_port() as port:
        return port


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def served(script: str, *words: str, port: int) -> Generator["subprocess.Popen[bytes]"]:
    """A server of `tests/servers` that listens on that port, killed at the end."""
    argv = (sys.executable, str(SERVERS / script), *words)
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            wait(lambda: accepts(port), script)
            yield process
        finally:
            process.kill()
            process.communicate()
