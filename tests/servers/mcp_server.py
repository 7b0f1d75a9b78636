"""A real MCP server by the protocol's own library, for tests: `python mcp_server.py [--http PORT]`.

`rename` changes what `echo` says about itself, `sleep` never answers, `die` ends the process.
"""

import os
import sys
import time

from mcp.server.mcpserver import MCPServer

server = MCPServer("demo")
DESCRIPTION = os.environ.get("ECHO_SAYS", "Echo a text.")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(description=DESCRIPTION)
def echo(text: str) -> str:
    return text


@server.tool()
def variables() -> list[str]:
    """The names of all environment variables."""
    return sorted(os.environ)


@server.tool()
def look(path: str) -> str:
    """Read a file."""
    with open(path) as file:
        return file.read()


@server.tool()
def sleep() -> str:
    """Never answers."""
    time.sleep(3600)
    return ""


@server.tool()
def die() -> str:
    """Ends the server."""
    os._exit(3)


for number in range(int(os.environ.get("MANY", "0"))):

    def tool(text: str) -> str:
        return text

    server.tool(name=f"tool_{number}", description=f"Does the thing number {number}.")(tool)

if sys.argv[1:2] == ["--http"]:
    server.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
else:
    print("this line is no message", flush=True)
    server.run()
